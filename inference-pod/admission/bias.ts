/** How much longer requests take than predicted: what the cost curve does not see, such as a main thread that is busy. */
import { promiseShare } from './wait.ts';

/** How much one batch counts. Its answers share that: they come together and are all late or none. */
const batchWeight = 0.05;
/** What is known of the spread must outlive many batches: the slowest hundredth is in one of them. */
const spreadWeight = 0.02;
const most = 4;
/**
 * A batch that breaks the promise makes predictions a tenth longer, and two hundred that keep it take that back: one in two
 * hundred may break it. The spread alone does not see what is rare and long, such as a neighbour that takes the core for 30 ms.
 */
const worry = 0.1;
const brokenShare = 1 / 200;
const mostCaution = 1;
/** So many standard deviations above the mean lies the slowest hundredth. */
const hundredth = 2.33;

/** The ratio of means, so that the many short predictions of a calm hour do not outweigh the long ones that matter. */
export class Bias {
  #predicted = 0;
  #observed = 0;
  #square = 0;
  #writing = 0;
  #batches = 0;
  #caution = 0;

  /**
   * Factor for predictions, between 1 and 4: never below, since refusing too late costs more than refusing too early. The
   * part of the promise that waiting is not held to is there for the slowest hundredth; where they are slower, this adds.
   */
  get factor(): number {
    if (this.#predicted === 0) return 1;
    const slowest = this.#observed + hundredth * Math.sqrt(this.#square);
    const factor = Math.max(this.#predicted, this.#observed, promiseShare * slowest) / this.#predicted;
    return Math.min(most, factor * (1 + this.#caution));
  }

  /** From the end of a run until its last answer is written, milliseconds: twice the mean, since they are written in turn. */
  get lastAnswerMs(): number {
    return 2 * this.#writing;
  }

  /** What became of a request, which was `share` of its batch: predicted and taken from the queue's door to the written answer. */
  observe(predictedMs: number, observedMs: number, share: number): void {
    this.#batches += share;
    const weight = this.#weight(batchWeight, share);
    this.#predicted += weight * (predictedMs - this.#predicted);
    this.#observed += weight * (observedMs - this.#observed);
    const off = observedMs - (predictedMs * this.#observed) / Math.max(this.#predicted, 1e-3);
    this.#square += this.#weight(spreadWeight, share) * (off * off - this.#square);
  }

  /** Whether a request that could keep its promise, `share` of its batch, did so. */
  promised(isKept: boolean, share: number): void {
    const step = isKept ? -worry * brokenShare : worry * (1 - brokenShare);
    this.#caution = Math.min(mostCaution, Math.max(0, this.#caution + step * share));
  }

  /** An answer of a batch was written so long after its run. */
  written(afterRunMs: number, share: number): void {
    this.#writing += batchWeight * share * (afterRunMs - this.#writing);
  }

  /** A plain mean at first: a start from nothing would make the spread of the first batches look larger than it is. */
  #weight(usual: number, share: number): number {
    return share * Math.max(usual, 1 / Math.max(1, this.#batches));
  }
}
