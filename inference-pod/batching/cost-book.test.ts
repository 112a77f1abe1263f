import { expect, test } from '@jest/globals';
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
