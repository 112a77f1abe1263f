import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CostBook } from './cost-book.ts';
import { CostCurve } from './cost-curve.ts';

const curve = (costs: Record<number, number>) =>
  new CostCurve(new Map(Object.entries(costs).map(([rows, ms]) => [Number(rows), ms])));
const noCap = Number.POSITIVE_INFINITY;

describe('the best batch', () => {
  test.each<[string, Record<number, number>, number, number, number, number]>([
    ['the smallest that is good enough', { 1: 1, 2: 1, 4: 1.05, 8: 2.1, 16: 4.2 }, 32, noCap, 0, 4],
    ['one where batches do harm', { 1: 1, 2: 2.2, 4: 4.6 }, 32, noCap, 0, 1],
    ['one where they gain a little, however many wait', { 1: 1, 2: 1.9, 4: 3.7 }, 32, noCap, 100, 1],
    ['the largest where it goes on paying', { 1: 1, 2: 1, 4: 1, 8: 1 }, 32, noCap, 0, 8],
    ['none above the largest allowed', { 1: 1, 2: 1, 4: 1, 8: 1 }, 4, noCap, 0, 4],
    ['none that takes longer than a third of the promise', { 1: 4, 2: 5, 4: 6, 8: 9 }, 32, 6, 0, 4],
    ['one where the best gains less than a seventh', { 1: 1, 2: 1.8, 4: 3.6 }, 32, noCap, 100, 1],
    ['one where even one takes longer than that', { 1: 40, 2: 45 }, 32, 6, 0, 1],
    ['more where more wait and it gains', { 1: 4, 8: 6.5, 16: 9.2, 32: 17.3 }, 32, noCap, 32, 32],
    ['no more than wait', { 1: 4, 8: 6.5, 16: 9.2, 32: 17.3 }, 32, noCap, 31, 16],
    ['one when nothing was measured', {}, 32, noCap, 100, 1],
  ])('is %s', (_name, costs, maxRows, capMs, waiting, want) => {
    expect(curve(costs).choose(maxRows, capMs, waiting)).toBe(want);
  });
});

test.each([
  [1, 10],
  [2, 12],
  [3, 14],
  [4, 16],
  [8, 32],
])('%d rows cost %d ms: straight lines between what ran, the last rate beyond', (rows, want) => {
  expect(curve({ 1: 10, 2: 12, 4: 16 }).costMs(rows)).toBe(want);
});

test.each<[string, Record<number, number>, number, number]>([
  ['between the sizes that ran nothing is hoped', { 1: 10, 2: 12, 4: 16 }, 3, 14],
  ['beyond them a row is hoped to cost what the last ones did', { 1: 10, 2: 12, 4: 16 }, 8, 24],
  ['never more than at the last rate', { 1: 10, 2: 40 }, 4, 80],
  ['one size gives no hope', { 1: 10 }, 4, 40],
])('%s', (_name, costs, rows, want) => {
  expect(curve(costs).hopefulMs(rows)).toBe(want);
});

describe('learning', () => {
  test('a curve follows batches of any size', () => {
    const learner = curve({ 1: 10, 2: 12, 4: 16 });
    for (let i = 0; i < 200; i += 1) learner.observe(3, 28);
    expect(learner.costMs(3)).toBeCloseTo(28, 0);
    expect(learner.costMs(2)).toBeGreaterThan(18);
    // Sizes that did not run follow too, since the machine as a whole may have become slower.
    expect(learner.costMs(1)).toBeGreaterThan(12);
  });
  test('a size that was measured in a bad moment is known better after one try; one that seems slow, after a few', () => {
    const learner = curve({ 8: 6, 16: 30, 32: 60 });
    for (let i = 0; i < 100; i += 1) learner.observe(8, 6);
    expect(learner.choose(32, noCap, 16)).toBe(8);
    learner.observe(16, 9);
    expect(learner.choose(32, noCap, 16)).toBe(16);
    for (let i = 0; i < 100; i += 1) learner.observe(8, 6);
    learner.observe(16, 18);
    expect(learner.costMs(16)).toBeCloseTo(13.5, 1);
  });
  test('one stalled run does not turn it over', () => {
    const learner = curve({ 1: 10 });
    learner.observe(1, 10_000);
    expect(learner.costMs(1)).toBeLessThanOrEqual(13.1);
  });
  test('a size twice the largest becomes a point of its own', () => {
    const learner = curve({ 1: 10, 2: 11 });
    learner.observe(4, 12);
    expect(learner.largest).toBe(4);
    expect(learner.choose(32, noCap)).toBe(4);
  });
  test('a curve of nothing learns from the first batch', () => {
    const learner = curve({});
    expect(learner.costMs(3)).toBe(0);
    learner.observe(1, 5);
    expect(learner.costMs(3)).toBe(15);
  });
});

describe('the book', () => {
  const like = (groupKey: string, rowElements = 4) => ({ groupKey, rowElements, rows: 1 });
  const book = (costs: Record<number, number>, capMs = () => 1000) =>
    new CostBook({
      warm: curve(costs).points(),
      rowElements: 4,
      maxRows: 32,
      capMs,
    });
  test('a shape of another size begins with a guess by its elements and is corrected at once', () => {
    const costs = book({ 1: 10, 2: 12 });
    expect(costs.costMs(like('a'), 1)).toBe(10);
    expect(costs.costMs(like('b', 40), 1)).toBe(100);
    costs.observe(like('b', 40), 1, 50);
    expect(costs.costMs(like('b', 40), 1)).toBe(50);
    // What two small rows gained is not believed of large ones.
    expect(costs.costMs(like('b', 40), 2)).toBe(100);
    expect(costs.costMs(like('a'), 1)).toBe(10);
  });
  test('a request that shares with nobody leaves no curve behind', () => {
    const costs = book({ 1: 10 });
    const lonely = { ...like('alone 1'), isLonely: true };
    costs.observe(lonely, 1, 99);
    expect(costs.costMs(lonely, 1)).toBe(10);
  });
  test('the promise is read anew: the batch shrinks within a second of a tighter one', () => {
    let capMs = 1000;
    const costs = book({ 1: 4, 2: 5, 4: 6, 8: 9 }, () => capMs);
    expect(costs.usualRows(like('a'), 0, 0)).toBe(8);
    capMs = 6;
    expect(costs.usualRows(like('a'), 0, 999)).toBe(8);
    expect(costs.usualRows(like('a'), 0, 1000)).toBe(4);
  });
  test('where twice as many wait, sizes beyond the known are tried, and kept when they gain', () => {
    const costs = book({ 1: 30 });
    expect(costs.rowsToTake(like('a'), 1, 0)).toBe(1);
    expect(costs.rowsToTake(like('a'), 2, 0)).toBe(2);
    costs.observe(like('a'), 2, 31);
    expect(costs.rowsToTake(like('a'), 9, 1000)).toBe(4);
    costs.observe(like('a'), 4, 150);
    // It did not gain: two it is, and the next try of four comes three seconds later.
    expect(costs.rowsToTake(like('a'), 9, 2000)).toBe(2);
    expect(costs.rowsToTake(like('a'), 9, 3999)).toBe(2);
    expect(costs.rowsToTake(like('a'), 9, 4000)).toBe(4);
  });
  test('a pod that knows one size only learns the others in as many batches', () => {
    const costs = book({ 1: 44 }, () => 1000);
    const taken = Array.from({ length: 6 }, (_, i) => {
      const rows = costs.rowsToTake(like('a'), 32, i);
      costs.observe(like('a'), rows, 43 + rows);
      return rows;
    });
    expect(taken).toEqual([2, 4, 8, 16, 32, 32]);
  });
  test('rows like those of a shape that is known begin with its batch', () => {
    const costs = book({ 1: 0.1, 2: 0.1 });
    for (let i = 0; i < 20; i += 1) {
      const rows = costs.rowsToTake(like('a', 400), 32, i);
      costs.observe(like('a', 400), rows, 10 + rows / 10);
    }
    expect(costs.rowsToTake(like('b', 500), 32, 20)).toBe(32);
    expect(costs.costMs(like('b', 500), 1)).toBeGreaterThan(9);
    expect(costs.rowsToTake(like('c', 4000), 32, 20)).toBe(1);
  });
  test('a size whose first run paid for its memory has a second try at once', () => {
    const costs = book({ 1: 10 });
    expect(costs.rowsToTake(like('a'), 8, 0)).toBe(2);
    costs.observe(like('a'), 2, 21);
    expect(costs.rowsToTake(like('a'), 8, 1)).toBe(2);
    costs.observe(like('a'), 2, 12);
    expect(costs.rowsToTake(like('a'), 8, 2)).toBe(4);
  });
  test('where a batch gains by the clock but takes the CPU that its rows take one by one, none is made', () => {
    const costs = new CostBook({
      warm: new Map([
        [1, 3],
        [2, 4],
      ]),
      warmCpu: new Map([
        [1, 1],
        [2, 2],
      ]),
      rowElements: 4,
      maxRows: 32,
      capMs: () => 1000,
    });
    let largest = 0;
    for (let nowMs = 0; nowMs < 30_000; nowMs += 5) {
      const rows = costs.rowsToTake(like('a'), 32, nowMs);
      largest = Math.max(largest, rows);
      costs.observe(like('a'), rows, 2 + rows, rows);
    }
    expect(largest).toBe(2);
    expect(costs.usualRows(like('a'), 32, 30_000)).toBe(1);
    // The clock's costs are what forecasts are made of.
    expect(costs.costMs(like('a'), 1)).toBeCloseTo(3, 0);
  });
  test('the longest run is bounded by the clock, not by the CPU that it takes', () => {
    const costs = new CostBook({
      warm: new Map([
        [1, 10],
        [2, 20],
        [4, 40],
      ]),
      warmCpu: new Map([
        [1, 4],
        [2, 4.1],
        [4, 4.2],
      ]),
      rowElements: 4,
      maxRows: 32,
      capMs: () => 33,
    });
    expect(costs.usualRows(like('a'), 0, 0)).toBe(2);
  });

  describe('large rows of a model that gained up to 32 with the small rows of warm-up', () => {
    /** Runs what is taken while 32 wait; gives back the largest size of all and the last one. */
    const load = (perBatchMs: number, perRowMs: number, firstRunMs: number) => {
      const costs = book({ 1: 0.1, 2: 0.1, 4: 0.1, 8: 0.11, 16: 0.12, 32: 0.15 });
      const large = like('large', 27_648);
      const ran = new Set<number>();
      let nowMs = 0;
      let last = 0;
      for (let i = 0; i < 40; i += 1) {
        last = costs.rowsToTake(large, 32, nowMs);
        const ms = perBatchMs + perRowMs * last + (ran.has(last) ? 0 : firstRunMs);
        ran.add(last);
        nowMs += ms;
        costs.observe(large, last, ms);
      }
      return { largest: Math.max(...ran), last };
    };
    const ms = fc.double({ min: 0.1, max: 30, noNaN: true });
    test('are not joined where they gain nothing: onnxruntime keeps what its largest batch took', () => {
      fc.assert(
        fc.property(ms, fc.double({ min: 0, max: 0.4, noNaN: true }), (perRowMs, first) => {
          const { largest, last } = load(0.05 * perRowMs, perRowMs, first * perRowMs);
          expect([largest <= 2, last]).toEqual([true, 1]);
        }),
      );
    });
    test('are joined at once as far as they gain', () => {
      fc.assert(
        fc.property(ms, fc.double({ min: 0, max: 0.4, noNaN: true }), (perBatchMs, first) => {
          expect(load(perBatchMs, perBatchMs / 20, first * perBatchMs).last).toBe(32);
        }),
      );
    });
  });
  test('nothing is tried beyond a third of the promise', () => {
    expect(book({ 1: 30 }, () => 50).rowsToTake(like('a'), 3, 0)).toBe(1);
    // By what the second row added, four fit; by the rate of two they would not.
    expect(book({ 1: 20, 2: 22 }, () => 33).rowsToTake(like('a'), 4, 0)).toBe(4);
    expect(book({ 1: 20, 2: 22 }, () => 25).rowsToTake(like('a'), 4, 0)).toBe(2);
  });
  test('a third of the promise bounds no run where those that wait would fill two such runs', () => {
    // A core that is shared: by the wall clock a batch of 32 takes longer than the third of a promise of 100 ms.
    const costs = book({ 1: 11, 2: 11.5, 4: 13, 8: 17, 16: 35, 32: 50 }, () => 33);
    expect(costs.usualRows(like('a'), 8, 0)).toBe(8);
    expect(costs.usualRows(like('a'), 24, 0)).toBe(8);
    // 48 rows take 102 ms by eights.
    expect(costs.usualRows(like('a'), 48, 0)).toBe(32);
    expect(costs.rowsToTake(like('a'), 48, 0)).toBe(32);
  });
  test('a size that seems too slow to run is tried all the same when two of half its size would not be', () => {
    const costs = book({ 8: 9, 16: 13, 32: 45 }, () => 33);
    expect(costs.usualRows(like('a'), 40, 0)).toBe(16);
    expect(costs.rowsToTake(like('a'), 40, 0)).toBe(32);
    for (let i = 0; i < 100; i += 1) costs.observe(like('a'), 16, 13);
    costs.observe(like('a'), 32, 22);
    expect(costs.rowsToTake(like('a'), 40, 10)).toBe(32);
    expect(costs.usualRows(like('a'), 40, 10)).toBe(32);
  });
});
