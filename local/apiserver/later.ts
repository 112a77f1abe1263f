/** Work of the server's own controllers, done after the write that called for it. */

import { messageOf } from '../../kube/log.ts';

/** Collects keys and hands each to `settle` once, after the current write; a failure is reported and ends nothing. */
export class LaterQueue {
  readonly #settle: (key: string) => void;
  readonly #name: string;
  readonly #waiting = new Set<string>();
  #scheduled = false;
  #stopped = false;

  constructor(name: string, settle: (key: string) => void) {
    this.#name = name;
    this.#settle = settle;
  }

  add(key: string): void {
    this.#waiting.add(key);
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(() => this.#run());
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting.clear();
  }

  #run(): void {
    this.#scheduled = false;
    const batch = [...this.#waiting];
    this.#waiting.clear();
    for (const key of batch) {
      if (this.#stopped) return;
      try {
        this.#settle(key);
      } catch (error) {
        // One object that cannot be settled must not take the server down with it.
        process.emitWarning(`${this.#name}: ${key}: ${messageOf(error)}`);
      }
    }
  }
}
