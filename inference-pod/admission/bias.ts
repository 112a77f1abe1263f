/** What the cost curve does not see: a main thread that is busy, a neighbour on the core. Learned from what became of requests. */
import { promiseShare } from './wait.ts';

/** How much one batch counts. Its answers share that: they come together and are all late or none. */
const batchWeight = 0.05;
const mostFactor = 4;
/**
 * A batch that breaks the promise takes a tenth of the promise from what a predicted answer may use, and two hundred that keep it give that back:
 * one in two hundred may break it. The mean does not see what is rare and long, such as a neighbour that takes 30 ms twice a second.
 */
const worry = 0.1;
const brokenShare = 1 / 200;
/** However bad it is: with less of the promise batches would shrink, and refusals be more of the work. */
const leastShare = 0.5;

export class Bias {
  #predicted = 0;
  #observed = 0;
  #batches = 0;
  #writing = 0;
  #share = promiseShare;

  /**
   * Factor for predictions, between 1 and 4: never below, since refusing too late costs more than refusing too early. A ratio
   * of means, so that the many short predictions of a calm hour do not outweigh the long ones that matter.
   */
  get factor(): number {
    if (this.#predicted === 0) return 1;
    return Math.min(mostFactor, Math.max(1, this.#observed / this.#predicted));
  }

  /** The part of the promise that a predicted answer may use. */
  get usableShare(): number {
    return this.#share;
  }

  /** From the end of a run until its last answer is written, milliseconds: twice the mean, since they are written in turn. */
  get lastAnswerMs(): number {
    return 2 * this.#writing;
  }

  /** What became of a request, which was `share` of its batch: predicted and taken, from the queue's door to the written answer. */
  observe(predictedMs: number, observedMs: number, share: number): void {
    this.#batches += share;
    // A plain mean at first.
    const weight = share * Math.max(batchWeight, 1 / Math.max(1, this.#batches));
    this.#predicted += weight * (predictedMs - this.#predicted);
    this.#observed += weight * (observedMs - this.#observed);
  }

  /** Whether a request that could keep its promise, `share` of its batch, did so. */
  promised(isKept: boolean, share: number): void {
    const step = isKept ? worry * brokenShare : -worry * (1 - brokenShare);
    this.#share = Math.min(promiseShare, Math.max(leastShare, this.#share + step * share));
  }

  /** An answer of a batch was written so long after its run. */
  written(afterRunMs: number, share: number): void {
    this.#writing += batchWeight * share * (afterRunMs - this.#writing);
  }
}
