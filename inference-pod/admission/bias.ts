/** How much longer requests take than predicted: what the cost curve does not see, such as a main thread that is busy. */
import { promiseShare } from './wait.ts';

const weight = 0.02;
/** Answers come by the batch, which are all late or none: what is known of the spread must outlive a few of them. */
const spreadWeight = 0.005;
const most = 4;
/** So many standard deviations above the mean lies the slowest hundredth. */
const hundredth = 2.33;

/** The ratio of means, so that the many short predictions of a calm hour do not outweigh the long ones that matter. */
export class Bias {
  #predicted = 0;
  #observed = 0;
  #square = 0;

  /**
   * Factor for predictions, between 1 and 4: never below, since refusing too late costs more than refusing too early. The
   * part of the promise that waiting is not held to is there for the slowest hundredth; where they are slower, this adds.
   */
  get factor(): number {
    if (this.#predicted === 0) return 1;
    const slowest = this.#observed + hundredth * Math.sqrt(this.#square);
    return Math.min(
      most,
      Math.max(this.#predicted, this.#observed, promiseShare * slowest) / this.#predicted,
    );
  }

  observe(predictedMs: number, observedMs: number): void {
    this.#predicted += weight * (predictedMs - this.#predicted);
    this.#observed += weight * (observedMs - this.#observed);
    const off = observedMs - (predictedMs * this.#observed) / Math.max(this.#predicted, 1e-3);
    this.#square += spreadWeight * (off * off - this.#square);
  }
}
