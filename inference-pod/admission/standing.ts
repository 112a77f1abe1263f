/**
 * How long a request may have stood in its socket before it was read. The event loop asks once per turn what has come: what
 * came while a turn was busy is read in the next one, and its caller waited all the same. Pure: the clock's readings come in.
 */

/** A loop that was away for longer between two turns slept: what it reads then has woken it, and did not stand. */
const sleptMs = 0.25;

export class Standing {
  #beganMs: number | undefined;
  /** The middle of the turn before: what came in it is taken to have come then. */
  #middleMs = 0;
  #endedMs = Number.NEGATIVE_INFINITY;
  #hasSlept = true;

  /** True between the first request of a turn and the turn's end. */
  get isTurn(): boolean {
    return this.#beganMs !== undefined;
  }

  /** A request is read: since when it may have been there, milliseconds. */
  read(nowMs: number): number {
    if (this.#beganMs === undefined) {
      this.#beganMs = nowMs;
      this.#hasSlept = nowMs - this.#endedMs > sleptMs;
    }
    // Those that are read later in a turn have waited for the ones before them.
    return nowMs - (this.#hasSlept ? this.#beganMs : this.#middleMs);
  }

  /** The turn is over. */
  ended(nowMs: number): void {
    this.#middleMs = ((this.#beganMs ?? nowMs) + nowMs) / 2;
    this.#endedMs = nowMs;
    this.#beganMs = undefined;
  }
}
