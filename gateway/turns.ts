/** One model's crowd may not take a whole turn of the event loop: beyond a share of it, what the crowd wants waits for the next. */

/** What one model does in a turn: a thousand new connections or requests cost 20 to 500 ms, so that a turn stays below 16 ms. */
const mostPerTurn = 32;

export class Turns {
  #left = mostPerTurn;
  #waiting: (() => void)[] = [];
  #isScheduled = false;

  /** Tasks wait for their turn. */
  get isBusy(): boolean {
    return this.#waiting.length > 0;
  }

  /** Runs the task: at once where there is room in this turn, else in one of the next, in order. */
  run(task: () => void): void {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(this.#next);
    }
    if (this.#left === 0) {
      this.#waiting.push(task);
      return;
    }
    this.#left -= 1;
    task();
  }

  readonly #next = () => {
    const tasks = this.#waiting;
    this.#isScheduled = tasks.length > 0;
    this.#left = Math.max(0, mostPerTurn - tasks.length);
    if (tasks.length === 0) return;
    // Those that have waited come first; what they ask for in turn waits behind the others.
    this.#waiting = tasks.slice(mostPerTurn);
    setImmediate(this.#next);
    for (const task of tasks.slice(0, mostPerTurn)) task();
  };
}
