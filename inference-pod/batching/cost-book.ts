/** One cost curve for each shape of request, and the batch size that follows from it. */
import type { BatchCosts } from '../../crds/wire.ts';
import { CostCurve, knownWrong, settledAfter } from './cost-curve.ts';

/** Shapes whose curves are kept: a model with free dimensions may see any number of them. */
const mostShapes = 64;
/** Rows up to so many times larger or smaller are taken to gain as much by batches. */
const mostUnlike = 2;
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
  /** The same in CPU time of the runner; `warm` where it is not known. */
  readonly warmCpu?: ReadonlyMap<number, number> | undefined;
  readonly rowElements: number;
  /** Largest batch that may be; 1 turns batching off. */
  readonly maxRows: number;
  /** Longest run that batching may lead to, as it is now: a third of the promise. */
  capMs(): number;
}

interface Curves {
  /** By the clock: how long one waits. */
  readonly curve: CostCurve;
  /**
   * In CPU time of the runner: what a batch gains. By the clock each batch also pays for what the main thread does on the same
   * core and for neighbours, so that on a full machine any larger batch seems to gain; and onnxruntime keeps what its largest took.
   */
  readonly work: CostCurve;
}

interface Entry extends Curves {
  readonly rowElements: number;
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
    const { warm, warmCpu = warm, rowElements } = options;
    this.#base = entryOf({ curve: new CostCurve(warm), work: new CostCurve(warmCpu) }, rowElements);
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
    const { curve, work } = entry;
    // Against a guess every size would seem to gain, and onnxruntime keeps what the largest took.
    if (curve.isGuess) return 1;
    const fitting = this.#fitting(entry, waitingRows, nowMs);
    const next = 2 * fitting;
    if (waitingRows < next || next > this.#maxRows) return fitting;
    // A size that never ran is hoped to cost what the last rows added: by the rate so far, a slow machine would never try it.
    // One that ran is hoped to cost no more than two of half its size: it may be known from a bad moment.
    const nextMs =
      next > curve.largest ? curve.hopefulMs(next) : Math.min(curve.costMs(next), 2 * curve.costMs(fitting));
    // Of a pod that was warmed up on a busy machine hardly a size is known: each that gains is followed by the next at once.
    const isTooSoon = !work.mayGain(next, fitting) && nowMs - entry.probedAtMs < probeEveryMs;
    if (isTooSoon || nextMs > this.#longestMs(entry, fitting, waitingRows)) return fitting;
    entry.probedAtMs = nowMs;
    return next;
  }

  /** Learns from a batch that ran: its requests were like this one. `cpuMs` is what it took of the runner's CPU, where that is known. */
  observe(like: Costed, rows: number, ms: number, cpuMs = ms): void {
    const entry = this.#entry(like);
    // The next size follows at once: a pod that was warmed up on a busy node had five to go to 32 rows, a try each 3 s.
    if (rows >= 2 * entry.chosen && cpuMs < knownWrong * entry.work.costMs(rows))
      entry.probedAtMs = Number.NEGATIVE_INFINITY;
    entry.curve.observe(rows, ms);
    entry.work.observe(rows, cpuMs);
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
    const longestMs = this.#longestMs(entry, chosen, waitingRows);
    return entry.work.choose(this.#maxRows, longestMs, waitingRows, entry.curve);
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
      entry.chosen = entry.work.choose(this.#maxRows, this.#options.capMs(), 0, entry.curve);
      entry.chosenAtMs = nowMs;
    }
    return entry.chosen;
  }

  #entry(like: Costed): Entry {
    const known = this.#entries.get(like.groupKey);
    if (known !== undefined) return known;
    const entry = entryOf(this.#curvesFor(like.rowElements), like.rowElements);
    if (like.isLonely === true) return entry;
    if (this.#entries.size >= mostShapes) {
      const oldest = this.#entries.keys().next().value;
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(like.groupKey, entry);
    return entry;
  }

  /**
   * What is known of rows of about the same size holds for these; of others only what one row costs is guessed. What batches
   * gain with small rows says nothing of large ones: a classifier of images that gains at 2 × 2 pixels, for warm-up, loses at 48 × 192.
   */
  #curvesFor(rowElements: number): Curves {
    const alike = (entry: Entry, of: (curve: CostCurve) => CostCurve): Curves => ({
      curve: of(entry.curve),
      work: of(entry.work),
    });
    if (this.#options.rowElements === 0) return alike(this.#base, (curve) => new CostCurve(curve.points()));
    const scaleTo = (entry: Entry) => Math.max(rowElements, 1) / Math.max(entry.rowElements, 1);
    const unlike = (entry: Entry) => Math.max(scaleTo(entry), 1 / scaleTo(entry));
    let nearest = this.#base;
    for (const entry of this.#entries.values())
      if (!entry.curve.isGuess && unlike(entry) <= unlike(nearest)) nearest = entry;
    const scale = scaleTo(nearest);
    if (unlike(nearest) > mostUnlike)
      return alike(nearest, (curve) => new CostCurve(new Map([...curve.points()].slice(0, 1)), scale, 0));
    const observed = scale === 1 ? 9 : settledAfter;
    return alike(nearest, (curve) => new CostCurve(curve.points(), scale, observed));
  }
}

const entryOf = (curves: Curves, rowElements: number): Entry => ({
  ...curves,
  rowElements,
  chosen: 1,
  chosenAtMs: Number.NEGATIVE_INFINITY,
  probedAtMs: Number.NEGATIVE_INFINITY,
});
