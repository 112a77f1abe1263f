/** What a request costs, from the CPU of busy stretches alone. */
import { expect, test } from '@jest/globals';
import { HopCost } from './hop-cost.ts';

test('is the CPU of busy stretches over their requests', () => {
  let cpu = 5;
  const cost = new HopCost(() => cpu);
  cost.look(0, 0);
  cpu += 1;
  cost.look(1_000, 19_999);
  expect(cost.meanSeconds).toBeUndefined();
  cpu += 1;
  cost.look(2_000, 20_000);
  expect(cost.meanSeconds).toBeCloseTo(100e-6, 9);
  // The next counts for a quarter.
  cpu += 4;
  cost.look(3_000, 40_000);
  expect(cost.meanSeconds).toBeCloseTo(125e-6, 9);
});

test('counts nothing of a time with few requests', () => {
  let cpu = 0;
  const cost = new HopCost(() => cpu);
  for (let second = 0; second <= 300; second += 1) {
    cost.look(1_000 * second, second);
    cpu += 0.01;
  }
  expect(cost.meanSeconds).toBeUndefined();
  cost.look(301_000, 20_301);
  expect(cost.meanSeconds).toBeLessThan(1e-3);
});

test('begins anew where the count goes back', () => {
  const cost = new HopCost(() => 1);
  cost.look(0, 9_000);
  cost.look(1_000, 100);
  cost.look(2_000, 8_500);
  expect(cost.meanSeconds).toBeUndefined();
});
