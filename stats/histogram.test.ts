import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  bucketOf,
  difference,
  fractionAbove,
  geometricBounds,
  type Histogram,
  quantile,
  rebin,
  sumHistograms,
  totalCount,
  withExactBounds,
} from './histogram.ts';

const bounds = [1, 2, 5, 10];
const of = (values: readonly number[], limits: readonly number[] = bounds): Histogram => {
  const counts = new Array<number>(limits.length + 1).fill(0);
  for (const value of values) {
    const bucket = bucketOf(limits, value);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return { bounds: limits, counts };
};

test.each([
  [0, 0],
  [1, 0],
  [1.01, 1],
  [2, 1],
  [10, 3],
  [10.1, 4],
  [Number.POSITIVE_INFINITY, 4],
])('%d falls into bucket %d: a boundary belongs to the bucket below it', (value, bucket) => {
  expect(bucketOf(bounds, value)).toBe(bucket);
});

test('exact boundaries are added once and in order', () => {
  expect(withExactBounds([1, 10, 100], [50, 10, 0, -1, Number.NaN])).toEqual([1, 10, 50, 100]);
  expect(geometricBounds(1, 8, 2)).toEqual([1, 2, 4, 8]);
});

describe('quantile', () => {
  test('of nothing is unknown', () => expect(quantile(of([]), 0.5)).toBeUndefined());
  test('above the last boundary is infinite', () =>
    expect(quantile(of([1, 50, 60, 70]), 0.95)).toBe(Number.POSITIVE_INFINITY));
  test('lies in the bucket of the true one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 9.99, noNaN: true }), { minLength: 1, maxLength: 100 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (values, p) => {
          const sorted = [...values].sort((a, b) => a - b);
          const truth = sorted[Math.max(0, Math.ceil(p * values.length) - 1)] ?? 0;
          const estimate = quantile(of(values), p) ?? Number.NaN;
          const bucket = bucketOf(bounds, truth);
          expect(estimate).toBeLessThanOrEqual((bounds[bucket] ?? 0) + 1e-9);
          expect(estimate).toBeGreaterThanOrEqual((bounds[bucket - 1] ?? 0) - 1e-9);
        },
      ),
    );
  });
});

describe('fractionAbove', () => {
  test('is exact at a boundary', () => {
    expect(fractionAbove(of([1, 2, 2.1, 4, 50]), 2)).toBe(3 / 5);
    expect(fractionAbove(of([]), 2)).toBeUndefined();
  });
});

test('rebinning loses nothing and makes nothing faster', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.01, max: 20, noNaN: true })),
      fc.uniqueArray(fc.double({ min: 0.1, max: 30, noNaN: true }), { minLength: 1, maxLength: 10 }),
      (values, limits) => {
        const sorted = [...limits].sort((a, b) => a - b);
        const before = of(values);
        const after = rebin(before, sorted);
        expect(totalCount(after)).toBe(values.length);
        for (const bound of sorted.filter((limit) => bounds.includes(limit)))
          expect(fractionAbove(after, bound) ?? 0).toBeGreaterThanOrEqual(fractionAbove(before, bound) ?? 0);
      },
    ),
  );
});

test('differences and sums need the same boundaries', () => {
  const early = of([1, 3]);
  const late = of([1, 3, 3, 20]);
  expect(difference(late, early)).toEqual({ bounds, counts: [0, 0, 1, 0, 1] });
  expect(difference(early, late)).toBeUndefined();
  expect(difference(late, of([], [1, 2]))).toBeUndefined();
  expect(difference(late, of([], [1, 2, 5, 11]))).toBeUndefined();
  expect(sumHistograms([early, late])).toEqual({ bounds, counts: [2, 0, 3, 0, 1] });
  expect(sumHistograms([early, of([], [1])])).toBeUndefined();
  expect(sumHistograms([])).toBeUndefined();
});
