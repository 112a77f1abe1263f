/** What a request costs this gateway, measured while it is busy: what it does at rest would be put on few requests else. */

/**
 * A stretch is measured when pods have answered so many requests in it, within this time: at 333 a second what the process does
 * at rest, about a hundredth of a processor, comes to 30 µs of each.
 */
const fewestRequests = 20_000;
const longestMs = 60_000;
/** A new stretch counts for so much. */
const weight = 0.25;

export class HopCost {
  readonly #cpuSeconds: () => number;
  #from: { atMs: number; cpuSeconds: number; answered: number } | undefined;
  #meanSeconds: number | undefined;

  /** `cpuSeconds` is what this process has used since it started. */
  constructor(cpuSeconds: () => number) {
    this.#cpuSeconds = cpuSeconds;
  }

  /** CPU per request, seconds; undefined before the first busy stretch. */
  get meanSeconds(): number | undefined {
    return this.#meanSeconds;
  }

  /** Looks at how many requests pods have answered in all: called each second or so. */
  look(nowMs: number, answered: number): void {
    const from = this.#from;
    const isWhole = from !== undefined && answered - from.answered >= fewestRequests;
    // A model that is gone takes its count along.
    const isVoid = from === undefined || answered < from.answered || nowMs - from.atMs > longestMs;
    if (!isWhole && !isVoid) return;
    const cpuSeconds = this.#cpuSeconds();
    if (isWhole && !isVoid) {
      const seconds = (cpuSeconds - from.cpuSeconds) / (answered - from.answered);
      const before = this.#meanSeconds ?? seconds;
      if (seconds > 0) this.#meanSeconds = before + weight * (seconds - before);
    }
    this.#from = { atMs: nowMs, cpuSeconds, answered };
  }
}
