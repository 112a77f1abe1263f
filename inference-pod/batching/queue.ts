/** First in, first out, taken in batches: what waits when the runner is free runs together, nothing is waited for. */
import type { Batchable } from './batching.ts';

export interface Waiting extends Batchable {
  /** Monotonic milliseconds. */
  readonly enqueuedMs: number;
  readonly deadlineMs: number;
  /** True once nobody waits for the answer any more. */
  readonly cancelled: boolean;
}

export interface Taken<T> {
  readonly batch: readonly T[];
  /** Requests that were waiting past their deadline: never run. */
  readonly expired: readonly T[];
}

/** The queue in front of the runner. */
export class BatchQueue<T extends Waiting> {
  #items: T[] = [];
  #maxRows: number;

  constructor(maxRows: number) {
    this.#maxRows = maxRows;
  }

  /** Largest batch in rows; 1 turns batching off. */
  set maxRows(rows: number) {
    this.#maxRows = Math.max(1, rows);
  }

  get maxRows(): number {
    return this.#maxRows;
  }

  get length(): number {
    return this.#items.length;
  }

  /** When the oldest request was put in; undefined when none waits. */
  get oldestMs(): number | undefined {
    return this.#items[0]?.enqueuedMs;
  }

  add(item: T): void {
    this.#items.push(item);
  }

  /** Takes the next batch; cancelled requests are dropped, expired ones handed back apart. */
  take(nowMs: number): Taken<T> {
    const batch: T[] = [];
    const expired: T[] = [];
    let rows = 0;
    let read = 0;
    for (; read < this.#items.length; read += 1) {
      const item = this.#items[read];
      if (item === undefined || item.cancelled) continue;
      if (item.deadlineMs <= nowMs) {
        expired.push(item);
        continue;
      }
      const first = batch[0];
      if (first !== undefined) {
        if (this.#maxRows === 1 || rows + item.rows > this.#maxRows) break;
        if (item.groupKey !== first.groupKey) break;
      }
      batch.push(item);
      rows += item.rows;
    }
    this.#items = read === this.#items.length ? [] : this.#items.slice(read);
    return { batch, expired };
  }

  /** Empties the queue and returns what waited. */
  drain(): T[] {
    const items = this.#items;
    this.#items = [];
    return items.filter((item) => !item.cancelled);
  }
}
