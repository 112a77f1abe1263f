/** One model's crowd may not take a whole turn of the event loop: beyond a share of it, what the crowd wants waits for the next. */

/** What one model does in a turn: so many tasks, and none after they took so long, as the first ones of a process do. */
const mostPerTurn = 32;
const mostMs = 4;

export class Turns {
  readonly #nowMs: () => number;
  #left = mostPerTurn;
  #spentMs = 0;
  #waiting: (() => void)[] = [];
  #isScheduled = false;

  /** `nowMs` is a monotonic clock, milliseconds. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

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
    if (this.#waiting.length > 0 || !this.#hasRoom()) this.#waiting.push(task);
    else this.#do(task);
  }

  /** Takes the room of so many more tasks, for what a task leaves to be done behind it in the same turn. */
  spend(tasks: number): void {
    this.#left -= tasks;
  }

  #hasRoom(): boolean {
    return this.#left > 0 && this.#spentMs < mostMs;
  }

  #do(task: () => void): void {
    this.#left -= 1;
    const fromMs = this.#nowMs();
    task();
    this.#spentMs += this.#nowMs() - fromMs;
  }

  readonly #next = () => {
    this.#left = mostPerTurn;
    this.#spentMs = 0;
    const tasks = this.#waiting;
    this.#isScheduled = tasks.length > 0;
    if (tasks.length === 0) return;
    setImmediate(this.#next);
    // What they ask for in turn waits behind the others.
    let done = 0;
    for (const task of tasks) {
      if (!this.#hasRoom()) break;
      done += 1;
      this.#do(task);
    }
    this.#waiting = tasks.slice(done);
  };
}
