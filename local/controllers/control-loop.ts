/** A keyed work loop: each key is reconciled one at a time, never twice at once, again after failures. */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../kube/clock.ts';
import { failureReason, failureText } from './access.ts';

/** Milliseconds until the key shall be looked at again, or nothing. */
export type Reconcile = (key: string) => Promise<number | undefined>;

export interface ControlLoopOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly reconcile: Reconcile;
  readonly log: (line: string) => void;
}

const firstRetryMs = 5;
const longestRetryMs = 30_000;
/** Keys that are worked off before the rest of the process has its turn. */
const keysPerTurn = 50;

/** One worker over a de-duplicating queue. */
export class ControlLoop {
  readonly #options: ControlLoopOptions;
  readonly #queue = new Set<string>();
  readonly #timers = new Map<string, { cancel: () => void; atMs: number }>();
  readonly #failures = new Map<string, number>();
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(options: ControlLoopOptions) {
    this.#options = options;
  }

  /** Asks for a look at the key; asking again before it happens changes nothing. */
  enqueue(key: string): void {
    if (this.#stopped) return;
    this.#queue.add(key);
    this.#running ??= this.#work();
  }

  /** As `enqueue`, `ms` from now; the earliest wish for a key wins. */
  enqueueAfter(key: string, ms: number): void {
    if (this.#stopped) return;
    const atMs = this.#options.clock.monotonicMs() + ms;
    const waiting = this.#timers.get(key);
    if (waiting !== undefined) {
      if (waiting.atMs <= atMs) return;
      waiting.cancel();
    }
    const cancel = this.#options.clock.setTimer(ms, () => {
      this.#timers.delete(key);
      this.enqueue(key);
    });
    this.#timers.set(key, { cancel, atMs });
  }

  /** Stops after the key in hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#queue.clear();
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
    await this.#running;
  }

  /** Resolves when nothing is queued (delayed wishes excluded). */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #work(): Promise<void> {
    // Lets the caller's turn end, so that several wishes of one turn become one look.
    await Promise.resolve();
    let inOneTurn = 0;
    for (const key of this.#queue) {
      this.#queue.delete(key);
      await this.#one(key);
      // The registry answers at once: without a pause, keys that wake each other would keep timers and sockets waiting for ever.
      if (++inOneTurn % keysPerTurn === 0) await setImmediate();
      if (this.#stopped) break;
    }
    this.#running = undefined;
    if (this.#queue.size > 0 && !this.#stopped) this.#running = this.#work();
  }

  async #one(key: string): Promise<void> {
    try {
      const againMs = await this.#options.reconcile(key);
      this.#failures.delete(key);
      if (againMs !== undefined) this.enqueueAfter(key, againMs);
    } catch (error) {
      if (this.#stopped) return;
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      const reason = failureReason(error);
      // A conflict, or an object gone meanwhile, is the ordinary course of things.
      if (reason !== 'Conflict' && reason !== 'NotFound')
        this.#options.log(`${this.#options.name}: ${key}: ${failureText(error)}`);
      this.enqueueAfter(key, Math.min(longestRetryMs, firstRetryMs * 2 ** (failures - 1)));
    }
  }
}
