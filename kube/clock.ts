/** Time as a thing that is handed in: the real clock, and one that tests hold. */

export interface Clock {
  /** Wall clock, milliseconds since 1970. It may jump: for timestamps that people read, never for durations. */
  now(): number;
  /** Milliseconds that only ever rise, from an arbitrary start: for every duration and deadline. */
  monotonicMs(): number;
  /** Calls `fn` once, `ms` from now; the returned function cancels it (harmless when it already ran). */
  setTimer(ms: number, fn: () => void): () => void;
}

/** Longest delay of the platform's timers; a longer one would fire at once. */
const maxTimerMs = 2_147_483_647;

/** The machine's clocks. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(ms, fn) {
    const timer = setTimeout(fn, Math.min(Math.max(0, ms), maxTimerMs));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms` on that clock, or at once when the signal is aborted (it never rejects). */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.setTimer(ms, end);
    signal?.addEventListener('abort', end, { once: true });
  });
}

interface HeldTimer {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

/** A clock that stands until a test moves it. Timers run inside `advance`, in the order of their times. */
export class HeldClock implements Clock {
  #monotonicMs = 0;
  #wallOffsetMs: number;
  #order = 0;
  readonly #timers = new Set<HeldTimer>();

  constructor(wallMs: number = Date.UTC(2026, 0, 1)) {
    this.#wallOffsetMs = wallMs;
  }

  now(): number {
    return this.#wallOffsetMs + this.#monotonicMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimer(ms: number, fn: () => void): () => void {
    const timer = { at: this.#monotonicMs + Math.max(0, ms), order: this.#order++, fn };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Moves the wall clock alone, as an administrator or NTP does: no timer fires. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer; undefined when none waits. */
  get untilNextMs(): number | undefined {
    const next = this.#next();
    return next === undefined ? undefined : Math.max(0, next.at - this.#monotonicMs);
  }

  /** Moves time on and runs what is due, timers that were set meanwhile included. Promises settle afterwards. */
  advance(ms: number): void {
    const end = this.#monotonicMs + ms;
    for (let timer = this.#next(); timer !== undefined && timer.at <= end; timer = this.#next()) {
      this.#timers.delete(timer);
      this.#monotonicMs = Math.max(this.#monotonicMs, timer.at);
      timer.fn();
    }
    this.#monotonicMs = end;
  }

  /** As `advance`, but lets promises and I/O settle after each timer: for code that awaits between timers. */
  async run(ms: number): Promise<void> {
    const end = this.#monotonicMs + ms;
    await settle();
    for (let timer = this.#next(); timer !== undefined && timer.at <= end; timer = this.#next()) {
      this.advance(timer.at - this.#monotonicMs);
      await settle();
    }
    this.advance(end - this.#monotonicMs);
    await settle();
  }

  #next(): HeldTimer | undefined {
    let next: HeldTimer | undefined;
    for (const timer of this.#timers) {
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order))
        next = timer;
    }
    return next;
  }
}

/** Lets everything run that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
