/**
 * What waits for the runner: connections take turns, each first in, first out; work that is out of time, or cannot keep its
 * promise any more, is dropped before it is run.
 */
import { FairQueue, type Waiting as InTurn, type Turn } from '../../queue/fair-queue.ts';
import type { Costed } from './cost-book.ts';

export interface Waiting extends Costed, InTurn {
  /** Monotonic milliseconds. */
  readonly deadlineMs: number;
  /** Until when its answer keeps the promise that waiting is held to; infinite where none holds. */
  readonly promiseEndMs: number;
}

/** How much a batch may hold. */
export interface BatchRules<T> {
  /** Rows of a batch that begins with this request, `waitingRows` of its kind wait. */
  maxRows(first: T, waitingRows: number): number;
  /** What a batch of so many rows like this one should take. */
  costMs(like: Costed, rows: number): number;
}

export interface Taken<T> {
  readonly batch: readonly T[];
  /** Requests that cannot be answered in time any more: never run. */
  readonly expired: readonly T[];
  /** Requests whose answer would break the promise, while others would keep it: never run. */
  readonly broken: readonly T[];
}

/** Requests of one kind that wait: what may share a batch. */
interface Group extends Costed {
  rows: number;
  items: number;
}

const mostEmptyGroups = 16;

/** The queue in front of the runner. */
export class BatchQueue<T extends Waiting> {
  readonly #turns = new FairQueue<T>();
  readonly #groups = new Map<string, Group>();

  get length(): number {
    return this.#turns.length;
  }

  /** The request whose turn it is. */
  get first(): T | undefined {
    return this.#turns.first;
  }

  /** When the oldest request was put in; undefined when none waits. */
  get oldestMs(): number | undefined {
    return this.#turns.oldestMs;
  }

  /** What waits, by kind; kinds of which nothing waits any more may be among them. */
  groups(): IterableIterator<Readonly<Group>> {
    return this.#groups.values();
  }

  /** Rows that wait, of all kinds. */
  get rows(): number {
    let rows = 0;
    for (const group of this.#groups.values()) rows += group.rows;
    return rows;
  }

  /** Rows that wait of the same kind as this request. */
  waitingRows(like: Costed): number {
    return this.#groups.get(like.groupKey)?.rows ?? 0;
  }

  add(item: T): void {
    this.#turns.add(item);
    const group = this.#groups.get(item.groupKey);
    if (group === undefined) {
      const { groupKey, rowElements, isLonely, rows } = item;
      this.#groups.set(groupKey, { groupKey, rowElements, isLonely, rows, items: 1 });
    } else {
      group.rows += item.rows;
      group.items += 1;
    }
  }

  /** Takes a request out, wherever it waits; one that does not wait is left alone. */
  remove(item: T): void {
    if (!this.#turns.remove(item)) return;
    const group = this.#groups.get(item.groupKey);
    if (group === undefined) return;
    group.rows -= item.rows;
    group.items -= 1;
    // The usual kinds come again: they stay, empty.
    if (group.items === 0 && (item.isLonely === true || this.#groups.size > mostEmptyGroups))
      this.#groups.delete(item.groupKey);
  }

  /**
   * Takes the next batch. The connection whose turn it is decides the kind; each then gives one request per round, those
   * whose next request is of another kind or does not fit keep their turn for the next batch. A batch shrinks for a deadline
   * and not for a promise: shorter batches do less, and those behind would break theirs.
   */
  take(nowMs: number, rules: BatchRules<T>): Taken<T> {
    const batch: T[] = [];
    const expired: T[] = [];
    const broken: T[] = [];
    // With nothing else to do one is tried all the same: the reckoning may be wrong, and only a run corrects it.
    let hopeless: T | undefined;
    let late: T | undefined;
    let rows = 0;
    let maxRows = 1;
    let deadlineMs = Number.POSITIVE_INFINITY;
    let fullEndMs = nowMs;
    let turn = this.#turns.turn;
    while (turn !== undefined && (batch.length === 0 || rows < maxRows)) {
      const current: Turn<T> = turn;
      turn = current.next;
      const item = this.#firstInTime(current, nowMs, expired);
      if (item === undefined) continue;
      const first = batch[0];
      if (first === undefined) {
        if (nowMs + rules.costMs(item, item.rows) > item.deadlineMs) {
          this.remove(item);
          if (hopeless !== undefined) expired.push(hopeless);
          hopeless = item;
          turn = current.first === undefined ? turn : current;
          continue;
        }
        const waitingRows = this.waitingRows(item);
        maxRows = Math.max(1, rules.maxRows(item, waitingRows));
        fullEndMs = nowMs + rules.costMs(item, Math.max(item.rows, Math.min(maxRows, waitingRows)));
      } else {
        if (item.groupKey !== first.groupKey || rows + item.rows > maxRows) continue;
        const endMs = nowMs + rules.costMs(first, rows + item.rows);
        if (endMs > Math.min(deadlineMs, item.deadlineMs)) continue;
      }
      if (fullEndMs > item.promiseEndMs) {
        this.remove(item);
        if (late !== undefined) broken.push(late);
        late = item;
        turn = current.first === undefined ? turn : current;
        continue;
      }
      this.remove(item);
      batch.push(item);
      rows += item.rows;
      deadlineMs = Math.min(deadlineMs, item.deadlineMs);
      if (current.first !== undefined) {
        this.#turns.endTurn(current);
        turn ??= current;
      }
    }
    // One whose deadline can be met goes before one whose cannot.
    for (const [last, dropped] of [
      [late, broken],
      [hopeless, expired],
    ] as const) {
      if (last === undefined) continue;
      if (batch.length === 0) batch.push(last);
      else dropped.push(last);
    }
    return { batch, expired, broken };
  }

  /** The next request of a connection; those before it whose time is over are dropped. */
  #firstInTime(turn: Turn<T>, nowMs: number, expired: T[]): T | undefined {
    let item = turn.first?.item;
    while (item !== undefined && item.deadlineMs <= nowMs) {
      this.remove(item);
      expired.push(item);
      item = turn.first?.item;
    }
    return item;
  }
}
