/**
 * Whether the next batch waits for the callers that were just answered. Callers that send one request after the other come
 * back in a moment; a batch that leaves before them splits them into two halves that take turns, for good. Pure.
 */

/** What is known when a batch has ended. */
export interface Ended {
  /** Rows that it answered, and rows of its kind that wait already. */
  readonly answeredRows: number;
  readonly waitingRows: number;
  /** Largest batch that may be. */
  readonly maxRows: number;
  /** Milliseconds until the first of those that wait must have begun. */
  readonly slackMs: number;
  costMs(rows: number): number;
}

/** How long to wait at most, milliseconds, and for how many rows. */
export interface Gathering {
  readonly longestMs: number;
  readonly rows: number;
}

/** The two batches must cost this much more than the one: below it nothing is worth a look at the clock. */
const leastGain = 0.05;
/** How fast the past is forgotten. */
const weight = 0.2;
/** Where waiting did not pay it is tried again after so many batches. */
const tryEvery = 64;

export class Gatherer {
  /** What waiting brought of late, milliseconds per batch: cost saved less time waited. */
  #worthMs = 0;
  #refused = 0;

  /** Undefined when the next batch should leave at once. */
  after(ended: Ended): Gathering | undefined {
    const { answeredRows, waitingRows, maxRows, slackMs, costMs } = ended;
    const rows = Math.min(answeredRows + waitingRows, maxRows);
    const without = Math.max(1, waitingRows);
    if (rows <= without) return undefined;
    const gainMs = this.#gainMs(without, rows, costMs);
    if (gainMs < leastGain * costMs(rows) || slackMs < gainMs + costMs(rows)) return undefined;
    if (this.#worthMs < 0 && this.#refused < tryEvery) {
      this.#refused += 1;
      return undefined;
    }
    this.#refused = 0;
    // Longer than that it cannot pay.
    return { longestMs: gainMs, rows };
  }

  /** Learns what came of it: from how many rows to how many, in how long. */
  ended(fromRows: number, toRows: number, waitedMs: number, costMs: (rows: number) => number): void {
    const from = Math.max(1, fromRows);
    const gainMs = toRows > from ? this.#gainMs(from, toRows, costMs) : 0;
    this.#worthMs += weight * (gainMs - waitedMs - this.#worthMs);
  }

  /** What one batch of `to` rows costs less than one of `from` and one of the rest. */
  #gainMs(from: number, to: number, costMs: (rows: number) => number): number {
    return costMs(from) + costMs(to - from) - costMs(to);
  }
}
