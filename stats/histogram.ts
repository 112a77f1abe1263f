/** A histogram with exact bucket boundaries, as pods count latency and the operator reads it. */

/** Counts per bucket: counts[i] holds values in (bounds[i-1], bounds[i]]; the last one has no upper bound. */
export interface Histogram {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/** Boundaries from `min` on, each `ratio` times the one before, until `max` is reached. */
export const geometricBounds = (min: number, max: number, ratio: number): number[] => {
  const bounds: number[] = [];
  for (let bound = min; bound < max * 1.000_001; bound *= ratio) bounds.push(Number(bound.toPrecision(3)));
  return bounds;
};

/** Adds boundaries that must be met exactly; the result is ascending and without repeats. */
export const withExactBounds = (bounds: readonly number[], exact: readonly number[]): number[] =>
  [...new Set([...bounds, ...exact.filter((bound) => bound > 0 && Number.isFinite(bound))])].sort(
    (a, b) => a - b,
  );

/** Index of the bucket that holds a value. */
export const bucketOf = (bounds: readonly number[], value: number): number => {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (bounds[middle] ?? Number.POSITIVE_INFINITY)) high = middle;
    else low = middle + 1;
  }
  return low;
};

/** Number of values counted. */
export const totalCount = (histogram: Histogram): number =>
  histogram.counts.reduce((sum, count) => sum + count, 0);

/**
 * Moves counts to other boundaries. Each bucket goes whole to the new bucket that holds its upper bound,
 * so a value is never counted as faster than it was, and nothing is lost.
 */
export const rebin = (histogram: Histogram, bounds: readonly number[]): Histogram => {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  for (const [i, count] of histogram.counts.entries()) {
    const upper = histogram.bounds[i] ?? Number.POSITIVE_INFINITY;
    const to = bucketOf(bounds, upper);
    counts[to] = (counts[to] ?? 0) + count;
  }
  return { bounds: [...bounds], counts };
};

/** What was counted between two readings of one histogram; undefined when the boundaries differ or a count fell. */
export const difference = (later: Histogram, earlier: Histogram): Histogram | undefined => {
  if (later.bounds.length !== earlier.bounds.length) return undefined;
  if (later.bounds.some((bound, i) => bound !== earlier.bounds[i])) return undefined;
  const counts = later.counts.map((count, i) => count - (earlier.counts[i] ?? 0));
  return counts.some((count) => count < 0) ? undefined : { bounds: later.bounds, counts };
};

/** Sum of histograms with the same boundaries; undefined when they differ or none is given. */
export const sumHistograms = (histograms: readonly Histogram[]): Histogram | undefined => {
  const first = histograms[0];
  if (first === undefined) return undefined;
  const counts = new Array<number>(first.counts.length).fill(0);
  for (const histogram of histograms) {
    if (histogram.bounds.length !== first.bounds.length) return undefined;
    if (histogram.bounds.some((bound, i) => bound !== first.bounds[i])) return undefined;
    for (const [i, count] of histogram.counts.entries()) counts[i] = (counts[i] ?? 0) + count;
  }
  return { bounds: first.bounds, counts };
};

/**
 * The value below which the fraction `p` of what was counted lies, linear inside the bucket; undefined when nothing
 * was counted, +Infinity when it lies above the last boundary.
 */
export const quantile = (histogram: Histogram, p: number): number | undefined => {
  const total = totalCount(histogram);
  if (total === 0) return undefined;
  const rank = p * total;
  let before = 0;
  for (const [i, count] of histogram.counts.entries()) {
    if (count > 0 && before + count >= rank) {
      const upper = histogram.bounds[i];
      if (upper === undefined) return Number.POSITIVE_INFINITY;
      const lower = i === 0 ? 0 : (histogram.bounds[i - 1] ?? 0);
      return lower + ((rank - before) / count) * (upper - lower);
    }
    before += count;
  }
  return Number.POSITIVE_INFINITY;
};

/** Fraction of what was counted that lies above a boundary; exact when `bound` is one, undefined when nothing was counted. */
export const fractionAbove = (histogram: Histogram, bound: number): number | undefined => {
  const total = totalCount(histogram);
  if (total === 0) return undefined;
  let above = 0;
  for (const [i, count] of histogram.counts.entries()) {
    const lower = i === 0 ? 0 : (histogram.bounds[i - 1] ?? 0);
    if (lower >= bound) above += count;
  }
  return above / total;
};
