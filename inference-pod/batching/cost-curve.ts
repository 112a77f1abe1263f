/** What batches cost: learned at warm-up, kept up to date by every batch that runs. The clock's readings come in as data. */

/** A measured batch outweighs older ones by a tenth; the first few of a curve that was only guessed count for more. */
const leastWeight = 0.1;
/** A size that did not run itself follows those that did a little: machines get slower and faster as a whole. */
const farShare = 0.2;
/**
 * A size that was not among so many batches is known from another time: half of what it shows now counts, and all of it when
 * it was faster than known. A bad moment makes a run slow; nothing makes it fast.
 */
const longAgo = 64;
const staleWeight = 0.5;
/** A size that took less than this part of what it was known for was known from a bad moment. */
export const knownWrong = 0.8;
/** One stalled run must not turn the curve over. */
const mostRatio = 4;
/** A batch that reaches this part of the best rate is good enough: larger ones only add latency. */
const goodEnough = 0.9;
/** The best batch must gain this much over one row alone: else others wait longer and memory stays taken for next to nothing. */
const worthBatching = 1.15;
/** Where more wait, a larger batch must gain this much. */
const worthGrowing = 1.03;
/** A guess becomes knowledge by so many batches, of which the fastest counts. */
export const settledAfter = 3;
/** The first run of a size takes its memory from the kernel, and by that up to so many times as long as those that follow. */
const firstRun = 1.5;

/** Milliseconds that a batch of each size takes: from the way to the runner to the way back, or of the runner's CPU. */
export class CostCurve {
  /** Ascending. */
  readonly #rows: number[];
  readonly #ms: number[];
  /** When each size ran last, in batches; 0 when that was at warm-up. */
  readonly #ranAt: number[];
  /** Sizes that ran once only, which was their slowest run. */
  readonly #once = new Set<number>();
  #observed: number;
  #batches = 0;

  /** Begins with what was measured; `observed` is how many batches stand behind it, 0 for a guess; `scale` multiplies it. */
  constructor(costs: ReadonlyMap<number, number>, scale = 1, observed = 9) {
    this.#rows = [...costs.keys()].sort((a, b) => a - b);
    this.#ms = this.#rows.map((rows) => Math.max((costs.get(rows) ?? 0) * scale, 1e-3));
    this.#ranAt = this.#rows.map(() => 0);
    this.#observed = observed;
  }

  /** The largest size that ever ran; 0 when none did. */
  get largest(): number {
    return this.#rows.at(-1) ?? 0;
  }

  /** Nothing like it, or hardly anything, ran: neither its costs nor what batches gain are known. */
  get isGuess(): boolean {
    return this.#rows.length > 0 && this.#observed < settledAfter;
  }

  /** Whether a size may be better than known because it never ran, or once only: better than `other` rows at a time. */
  mayGain(rows: number, other: number): boolean {
    if (rows > this.largest) return true;
    return this.#once.has(rows) && this.costMs(rows) * other < firstRun * this.costMs(other) * rows;
  }

  /** The points of the curve, for metrics and for curves of other shapes. */
  points(): Map<number, number> {
    return new Map(this.#rows.map((rows, i) => [rows, this.#ms[i] ?? 0]));
  }

  /** What a batch of so many rows should take: straight lines between the sizes that ran, beyond them by their rate. */
  costMs(rows: number): number {
    const sizes = this.#rows;
    const last = sizes.length - 1;
    if (last < 0) return 0;
    const above = this.#above(rows);
    if (above > last) return (this.#ms[last] ?? 0) * (rows / (sizes[last] ?? 1));
    const highMs = this.#ms[above] ?? 0;
    if (above === 0 || sizes[above] === rows) return highMs;
    const lowMs = this.#ms[above - 1] ?? 0;
    return lowMs + (highMs - lowMs) * this.#share(above, rows);
  }

  /**
   * The same, with hope beyond the sizes that ran: further rows cost what the last ones added. What a batch costs beside its
   * rows, such as reading the weights once, is paid already.
   */
  hopefulMs(rows: number): number {
    const last = this.#rows.length - 1;
    const [lowRows = 0, highRows = 0] = this.#rows.slice(-2);
    const [lowMs = 0, highMs = 0] = this.#ms.slice(-2);
    if (last < 1 || rows <= highRows) return this.costMs(rows);
    const perRowMs = Math.max(0, (highMs - lowMs) / (highRows - lowRows));
    return Math.min(this.costMs(rows), highMs + (rows - highRows) * perRowMs);
  }

  /** Learns from a batch that ran. */
  observe(rows: number, ms: number): void {
    const sizes = this.#rows;
    const last = sizes.length - 1;
    this.#batches += 1;
    const isGuess = this.isGuess;
    if (isGuess) this.#settle(rows, ms);
    if (last < 0 || rows >= 2 * (sizes[last] ?? 1)) {
      sizes.push(rows);
      this.#ranAt.push(this.#batches);
      this.#ms.push(Math.max(ms, 1e-3));
      this.#once.add(rows);
      return;
    }
    if (isGuess) return;
    const expected = this.costMs(rows);
    const ratio = Math.min(mostRatio, Math.max(1 / mostRatio, ms / expected));
    const weight = Math.max(leastWeight, 1 / (this.#observed + 1));
    this.#observed += 1;
    const far = this.#observed < 1 / leastWeight ? weight : weight * farShare;
    const above = Math.min(this.#above(rows), last);
    const share = rows >= (sizes[above] ?? 1) ? 1 : this.#share(above, rows);
    const nearness = (i: number) => (i === above ? share : i === above - 1 ? 1 - share : 0);
    const isOfWarmUp = (i: number) => this.#ranAt[i] === 0;
    // Where warm-up had a bad moment for one size it had one for the larger: known as too slow, none would ever be tried.
    const wasWrong = ratio < knownWrong && share === 1 && isOfWarmUp(above);
    for (let i = 0; i <= last; i += 1) {
      const near = nearness(i);
      const isStale = near === 1 && this.#batches - (this.#ranAt[i] ?? 0) > longAgo;
      let by = Math.max(far, near * weight);
      if (wasWrong && i >= above && isOfWarmUp(i)) by = 1;
      else if (near === 1 && ratio < 1 && this.#once.has(rows)) by = 1;
      else if (isStale) by = ratio < 1 ? 1 : Math.max(by, staleWeight);
      this.#ms[i] = (this.#ms[i] ?? 0) * (1 + by * (ratio - 1));
    }
    for (let i = 0; i <= last; i += 1) if (nearness(i) > 0) this.#ranAt[i] = this.#batches;
    this.#once.delete(rows);
  }

  /** The first batches of a guess correct it as a whole, however wrong it was. A bad moment makes a run slow; nothing makes it fast. */
  #settle(rows: number, ms: number): void {
    const ratio = ms / this.costMs(rows);
    if (this.#observed === 0 || ratio < 1)
      for (const [i, known] of this.#ms.entries()) this.#ms[i] = Math.max(known * ratio, 1e-3);
    this.#observed += 1;
  }

  /**
   * The best batch: the smallest size that reaches nine tenths of the best rows per second, none above `maxRows`, none
   * but 1 that takes longer than `capMs` by `durations`. With `waitingRows` a larger one, as far as as many wait and it still gains.
   */
  choose(maxRows: number, capMs: number, waitingRows = 0, durations: CostCurve = this): number {
    const sizes = this.#rows;
    let best = 0;
    const fits = (i: number) => {
      const rows = sizes[i] ?? 0;
      return i === 0 || (rows <= maxRows && durations.costMs(rows) <= capMs);
    };
    const rate = (i: number) => (sizes[i] ?? 0) / (this.#ms[i] ?? 1);
    for (let i = 0; i < sizes.length && fits(i); i += 1) best = Math.max(best, rate(i));
    let chosen = 0;
    if (best >= worthBatching * rate(0))
      while (chosen < sizes.length - 1 && rate(chosen) < goodEnough * best) chosen += 1;
    // A model that gains nothing by batches is not batched, however many wait.
    if (chosen > 0)
      for (let i = chosen + 1; i < sizes.length && fits(i) && (sizes[i] ?? 0) <= waitingRows; i += 1)
        if (rate(i) > worthGrowing * rate(chosen)) chosen = i;
    return Math.min(sizes[chosen] ?? 1, Math.max(1, maxRows));
  }

  /** Index of the first size that is not below `rows`. */
  #above(rows: number): number {
    let i = 0;
    while (i < this.#rows.length && (this.#rows[i] ?? 0) < rows) i += 1;
    return i;
  }

  #share(above: number, rows: number): number {
    const low = this.#rows[above - 1] ?? 0;
    const high = this.#rows[above] ?? rows;
    return (rows - low) / (high - low);
  }
}
