/** One cost curve for each shape of request, and the batch size that follows from it. */
import type { BatchCosts } from '../../crds/wire.ts';
import { CostCurve, knownWrong } from './cost-curve.ts';

/** Shapes whose curves are kept: a model with free dimensions may see any number of them. */
const mostShapes = 64;
/** How long a chosen batch size holds. */
const chosenForMs = 1000;
/** How long after a try of a batch twice as large as the usual one the next may follow, when its size is known. */
const probeEveryMs = 3000;

/** What the book must know of a request. */
export interface Costed {
  readonly groupKey: string;
  readonly rows: number;
  /** Elements of one row, all inputs together. */
  readonly rowElements: number;
  /** True for a request that shares its batch with nobody, whose key comes never again. */
  readonly isLonely?: boolean | undefined;
}

export interface CostBookOptions {
  /** The curve of warm-up, for rows of `rowElements` elements; empty when nothing was measured. */
  readonly warm: ReadonlyMap<number, number>;
  readonly rowElements: number;
  /** Largest batch that may be; 1 turns batching off. */
  readonly maxRows: number;
  /** Longest run that batching may lead to, as it is now: a third of the promise. */
  capMs(): number;
}

interface Entry {
  readonly curve: CostCurve;
  chosen: number;
  chosenAtMs: number;
  probedAtMs: number;
}

export class CostBook {
  readonly #options: CostBookOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #base: Entry;
  #maxRows: number;

  constructor(options: CostBookOptions) {
    this.#options = options;
    this.#maxRows = options.maxRows;
    this.#base = entryOf(new CostCurve(options.warm));
  }

  get maxRows(): number {
    return this.#maxRows;
  }

  /** For a model that turned out not to keep rows apart. */
  turnBatchingOff(): void {
    this.#maxRows = 1;
  }

  /** What a batch of so many rows like this request's should take, milliseconds. */
  costMs(like: Costed, rows: number): number {
    return this.#entry(like).curve.costMs(rows);
  }

  /** The same with hope beyond the sizes that ran: a reason to try them, none to promise them. */
  hopefulMs(like: Costed, rows: number): number {
    return this.#entry(like).curve.hopefulMs(rows);
  }

  /** The batch that requests like this one come into when so many rows of their kind wait: larger than usual where that gains. */
  usualRows(like: Costed, waitingRows: number, nowMs: number): number {
    return this.#maxRows === 1 ? 1 : this.#fitting(this.#entry(like), waitingRows, nowMs);
  }

  /** Rows to take now that so many wait: the same, and now and then a try of twice as many. */
  rowsToTake(like: Costed, waitingRows: number, nowMs: number): number {
    if (this.#maxRows === 1) return 1;
    const entry = this.#entry(like);
    const { curve } = entry;
    const fitting = this.#fitting(entry, waitingRows, nowMs);
    const next = 2 * fitting;
    if (waitingRows < next || next > this.#maxRows) return fitting;
    const isNew = next > curve.largest;
    // A size that never ran is hoped to cost what the last rows added: by the rate so far, a slow machine would never try it.
    // One that ran is hoped to cost no more than two of half its size: it may be known from a bad moment.
    const nextMs = isNew ? curve.hopefulMs(next) : Math.min(curve.costMs(next), 2 * curve.costMs(fitting));
    // Of a pod that was warmed up on a busy machine hardly a size is known: each that gains is followed by the next at once.
    const isTooSoon = !isNew && nowMs - entry.probedAtMs < probeEveryMs;
    if (isTooSoon || nextMs > this.#longestMs(entry, fitting, waitingRows)) return fitting;
    entry.probedAtMs = nowMs;
    return next;
  }

  /** Learns from a batch that ran: its requests were like this one. */
  observe(like: Costed, rows: number, ms: number): void {
    const entry = this.#entry(like);
    // The next size follows at once: a pod that was warmed up on a busy node had five to go to 32 rows, a try each 3 s.
    if (rows >= 2 * entry.chosen && ms < knownWrong * entry.curve.costMs(rows))
      entry.probedAtMs = Number.NEGATIVE_INFINITY;
    entry.curve.observe(rows, ms);
  }

  /** What the usual batch of requests of so many rows takes, and one such request alone; undefined where there are no batches. */
  batchCosts(nowMs: number, rowsPerRequest: number): BatchCosts | undefined {
    const { rows } = this.capacity(nowMs);
    const one = Math.max(1, Math.round(rowsPerRequest));
    const requests = Math.round(rows / one);
    if (requests < 2) return undefined;
    const { curve } = this.#entries.values().next().value ?? this.#base;
    return { requests, oneMs: curve.costMs(one), fullMs: curve.costMs(requests * one) };
  }

  /** What the model can do with requests of the kind that came first: the usual batch and its rows per second. */
  capacity(nowMs: number): { readonly rows: number; readonly rowsPerSecond: number } {
    const entry: Entry = this.#entries.values().next().value ?? this.#base;
    const rows = this.#maxRows === 1 ? 1 : this.#chosen(entry, nowMs);
    const costMs = entry.curve.costMs(rows);
    return { rows, rowsPerSecond: costMs > 0 ? (rows * 1000) / costMs : 0 };
  }

  #fitting(entry: Entry, waitingRows: number, nowMs: number): number {
    const chosen = this.#chosen(entry, nowMs);
    if (waitingRows < 2 * chosen) return chosen;
    return entry.curve.choose(this.#maxRows, this.#longestMs(entry, chosen, waitingRows), waitingRows);
  }

  /**
   * The longest run that may be. Short runs are for those that come while one runs; where so many wait that they would fill
   * two runs of a length, the last of them waits as long either way, and less where the longer run gains.
   */
  #longestMs(entry: Entry, rows: number, waitingRows: number): number {
    const drainMs = (waitingRows * entry.curve.costMs(rows)) / rows;
    return Math.max(this.#options.capMs(), drainMs / 2);
  }

  #chosen(entry: Entry, nowMs: number): number {
    if (nowMs - entry.chosenAtMs >= chosenForMs) {
      entry.chosen = entry.curve.choose(this.#maxRows, this.#options.capMs());
      entry.chosenAtMs = nowMs;
    }
    return entry.chosen;
  }

  #entry(like: Costed): Entry {
    const known = this.#entries.get(like.groupKey);
    if (known !== undefined) return known;
    const scale = this.#options.rowElements > 0 ? like.rowElements / this.#options.rowElements : 1;
    // As measured when the rows are as large as those of warm-up, else a guess that its first batches correct.
    const curve = new CostCurve(this.#base.curve.points(), Math.max(scale, 1e-3), scale === 1 ? 9 : 0);
    const entry = entryOf(curve);
    if (like.isLonely === true) return entry;
    if (this.#entries.size >= mostShapes) {
      const oldest = this.#entries.keys().next().value;
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(like.groupKey, entry);
    return entry;
  }
}

const entryOf = (curve: CostCurve): Entry => ({
  curve,
  chosen: 1,
  chosenAtMs: Number.NEGATIVE_INFINITY,
  probedAtMs: Number.NEGATIVE_INFINITY,
});
