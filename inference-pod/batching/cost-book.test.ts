import { describe, expect, test } from '@jest/globals';
import { CostBook } from './cost-book.ts';

/** 10 ms for one row, 24 ms for eight, as warm-up measured. */
const book = (maxRows: number) =>
  new CostBook({
    warm: new Map([
      [1, 10],
      [2, 12],
      [4, 16],
      [8, 24],
    ]),
    rowElements: 4,
    maxRows,
    capMs: () => 100,
  });

test('what the usual batch takes is told beside one request alone', () => {
  const costs = book(8).batchCosts(0, 1);
  expect(costs).toMatchObject({ requests: 8 });
  expect(costs?.oneMs).toBeCloseTo(10, 0);
  expect(costs?.fullMs).toBeCloseTo(24, 0);
  expect(book(8).batchCosts(0, 4)).toMatchObject({ requests: 2 });
});

test('without batches there is nothing to tell: one row at most, or requests as large as a batch', () => {
  expect(book(1).batchCosts(0, 1)).toBeUndefined();
  expect(book(8).batchCosts(0, 8)).toBeUndefined();
});

describe('a pod that was warmed up in a bad moment', () => {
  const realMs = new Map([
    [1, 10],
    [2, 11],
    [4, 12.5],
    [8, 15],
    [16, 19],
    [32, 28],
  ]);
  const like = { groupKey: 'a', rows: 1, rowElements: 4 };
  /** Milliseconds of load until a batch of all that wait has run, and the batches until then. */
  const untilFull = (costs: CostBook, fromMs: number) => {
    let nowMs = fromMs;
    for (let batches = 1; batches <= 10_000; batches += 1) {
      const rows = costs.rowsToTake(like, 32, nowMs);
      const ms = realMs.get(rows) ?? Number.NaN;
      nowMs += ms;
      costs.observe(like, rows, ms);
      if (rows === 32) return { ms: nowMs - fromMs, batches };
    }
    return undefined;
  };
  const slow = (factor: number) =>
    new CostBook({
      warm: new Map([...realMs].map(([rows, ms]) => [rows, ms * factor])),
      rowElements: 4,
      maxRows: 32,
      capMs: () => 33,
    });

  test.each([0, 200])('batches at once when many come, after %i requests that came one by one', (alone) => {
    for (const factor of [1.5, 3, 4]) {
      const costs = slow(factor);
      for (let i = 0; i < alone; i += 1) costs.observe(like, 1, 10);
      const seen = untilFull(costs, 10_000);
      expect([factor, seen?.ms]).toEqual([factor, expect.any(Number)]);
      expect(seen?.ms).toBeLessThan(500);
    }
  });

  test('tries a size that does not gain once in three seconds, however often it is asked', () => {
    const costs = new CostBook({
      warm: new Map([
        [1, 10],
        [2, 40],
      ]),
      rowElements: 4,
      maxRows: 2,
      capMs: () => 100,
    });
    let tries = 0;
    let nowMs = 0;
    while (nowMs < 30_000) {
      const rows = costs.rowsToTake(like, 32, nowMs);
      const ms = rows === 1 ? 10 : 21;
      if (rows === 2) tries += 1;
      costs.observe(like, rows, ms);
      nowMs += ms;
    }
    expect(tries).toBeGreaterThan(8);
    expect(tries).toBeLessThan(13);
  });
});
