/** How much longer requests take than predicted: what the cost curve does not see, such as a main thread that is busy. */

const weight = 0.02;
const most = 4;

/** The ratio of means, so that the many short predictions of a calm hour do not outweigh the long ones that matter. */
export class Bias {
  #predicted = 0;
  #observed = 0;

  /** Factor for predictions, between 1 and 4: never below, since refusing too late costs more than refusing too early. */
  get factor(): number {
    return this.#predicted === 0 ? 1 : Math.min(most, Math.max(1, this.#observed / this.#predicted));
  }

  observe(predictedMs: number, observedMs: number): void {
    this.#predicted += weight * (predictedMs - this.#predicted);
    this.#observed += weight * (observedMs - this.#observed);
  }
}
