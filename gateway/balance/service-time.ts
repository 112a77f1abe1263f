/** How long pods have a request in hand: a mean that follows, and the sums that the load report carries. */

/** A new answer outweighs older ones by a twentieth: about the last 40 answers count. */
const weight = 0.05;

export class ServiceTime {
  #meanMs: number | undefined;
  #seen = 0;
  count = 0;
  sumSeconds = 0;
  sumSquares = 0;

  /** Milliseconds; undefined before the first answer. */
  get meanMs(): number | undefined {
    return this.#meanMs;
  }

  observe(ms: number): void {
    const seconds = ms / 1000;
    this.count += 1;
    this.sumSeconds += seconds;
    this.sumSquares += seconds * seconds;
    this.#seen += 1;
    // The first answers are averaged evenly: one slow first run must not count for twenty.
    const share = Math.max(weight, 1 / this.#seen);
    this.#meanMs = this.#meanMs === undefined ? ms : this.#meanMs + share * (ms - this.#meanMs);
  }
}
