/** The work queue: each key at most once waiting and at most once in work, retries slowed down, two classes of priority. */
import { type Clock, realClock } from './clock.ts';
import { noObserver, type Observer } from './metrics.ts';
import { exponentialMs, TokenBucket } from './retry.ts';

/** `high`: somebody changed something. `low`: start-up, resync and other work that can wait. */
export type Priority = 'high' | 'low';

export interface QueueOptions {
  readonly name?: string;
  readonly clock?: Clock;
  readonly observer?: Observer;
  /** First wait after a failure, doubled with each further one. Default 5 ms, at most 1,000 s. */
  readonly baseDelayMs?: number;
  readonly maxDelayMs?: number;
  /** All retries together: per second and burst. Default 10 and 100. */
  readonly retryQps?: number;
  readonly retryBurst?: number;
}

/** Every so many hand-outs the oldest low key goes first, so that a storm of changes cannot starve the rest. */
const lowShare = 16;

interface Delayed {
  readonly atMs: number;
  readonly priority: Priority;
  readonly cancel: () => void;
}

export class WorkQueue {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #retryBucket: TokenBucket;
  /** Waiting keys in order of arrival, with the time of arrival. */
  readonly #waiting: Record<Priority, Map<string, number>> = { high: new Map(), low: new Map() };
  readonly #processing = new Set<string>();
  /** Keys that were added while in work: they run once more. */
  readonly #again = new Map<string, Priority>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #handedOut = 0;
  #closed = false;

  constructor(options: QueueOptions = {}) {
    this.#name = options.name ?? '';
    this.#clock = options.clock ?? realClock;
    this.#observer = options.observer ?? noObserver;
    this.#baseDelayMs = options.baseDelayMs ?? 5;
    this.#maxDelayMs = options.maxDelayMs ?? 1_000_000;
    this.#retryBucket = new TokenBucket(
      options.retryQps ?? 10,
      options.retryBurst ?? 100,
      this.#clock.monotonicMs(),
    );
  }

  /** Asks for the key to be worked on. A key that waits is not added twice, but may rise to `high`. */
  add(key: string, priority: Priority = 'high'): void {
    if (this.#closed) return;
    if (this.#processing.has(key)) {
      if (this.#again.get(key) !== 'high') this.#again.set(key, priority);
      return;
    }
    if (this.#waiting.high.has(key)) return;
    const lowSinceMs = this.#waiting.low.get(key);
    if (lowSinceMs !== undefined) {
      if (priority === 'low') return;
      this.#waiting.low.delete(key);
    }
    this.#waiting[priority].set(key, lowSinceMs ?? this.#clock.monotonicMs());
    this.#observer.count('queue_adds_total', { queue: this.#name, priority });
    this.#handOut();
  }

  /** Adds the key after `delayMs`. Of several such wishes for one key the earliest stands. */
  addAfter(key: string, delayMs: number, priority: Priority = 'low'): void {
    if (this.#closed) return;
    if (delayMs <= 0) {
      this.add(key, priority);
      return;
    }
    const atMs = this.#clock.monotonicMs() + delayMs;
    const known = this.#delayed.get(key);
    if (known !== undefined && known.atMs <= atMs) return;
    known?.cancel();
    const highest = known?.priority === 'high' ? 'high' : priority;
    const cancel = this.#clock.setTimer(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key, highest);
    });
    this.#delayed.set(key, { atMs, priority: highest, cancel });
  }

  /**
   * Adds the key after a failure: 5 ms doubled per failure in a row up to `mostMs`, within the overall rate of
   * retries, and no sooner than `leastMs`.
   */
  addRateLimited(key: string, priority: Priority = 'low', leastMs = 0, mostMs = this.#maxDelayMs): void {
    if (this.#closed) return;
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#observer.count('queue_retries_total', { queue: this.#name });
    const ownMs = exponentialMs(this.#baseDelayMs, failures, Math.min(mostMs, this.#maxDelayMs));
    const sharedMs = this.#retryBucket.reserveMs(this.#clock.monotonicMs());
    this.addAfter(key, Math.max(ownMs, sharedMs, leastMs), priority);
  }

  /** The key succeeded (or is no more): its next failure starts at the shortest wait. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Failures in a row. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, which then is in work until `done`; undefined when the queue is shut down and empty. */
  get(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#handOut();
    });
  }

  /** Ends the work on a key; if it was added meanwhile it waits again. */
  done(key: string): void {
    if (!this.#processing.delete(key)) return;
    const again = this.#again.get(key);
    this.#again.delete(key);
    if (again !== undefined) {
      this.#waiting[again].set(key, this.#clock.monotonicMs());
      this.#handOut();
    }
  }

  /** Takes no more keys and forgets delayed ones; what waits is still handed out, then `get` gives undefined. */
  shutdown(): void {
    this.#closed = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#handOut();
  }

  /** Shuts down and forgets what waits, too. */
  drop(): void {
    this.#waiting.high.clear();
    this.#waiting.low.clear();
    this.#again.clear();
    this.shutdown();
  }

  /** Keys that wait, delayed ones not counted. */
  get length(): number {
    return this.#waiting.high.size + this.#waiting.low.size;
  }

  /** Keys in work. */
  get inWork(): number {
    return this.#processing.size;
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#delayed.size;
  }

  #handOut(): void {
    while (this.#takers.length > 0) {
      const next = this.#take();
      if (next === undefined) {
        if (!this.#closed || this.#again.size > 0) break;
        for (const taker of this.#takers.splice(0)) taker(undefined);
        break;
      }
      this.#takers.shift()?.(next);
    }
    this.#observer.gauge('queue_depth', this.length, { queue: this.#name });
  }

  #take(): string | undefined {
    const { high, low } = this.#waiting;
    const lowFirst = low.size > 0 && (high.size === 0 || this.#handedOut % lowShare === lowShare - 1);
    const lane = lowFirst ? low : high;
    for (const [key, sinceMs] of lane) {
      lane.delete(key);
      this.#processing.add(key);
      this.#handedOut += 1;
      const waitedMs = this.#clock.monotonicMs() - sinceMs;
      this.#observer.duration('queue_wait_seconds', waitedMs / 1000, { queue: this.#name });
      return key;
    }
    return undefined;
  }
}
