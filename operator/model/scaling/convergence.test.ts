/** The decision in closed loop with simulated pods: steps and calm. */
import { describe, expect, test } from '@jest/globals';
import { input } from './testing/build.ts';
import type { Scenario } from './testing/simulate.ts';
import { countFlaps, simulate } from './testing/simulate.ts';

const base: Scenario = { input: input(), seconds: 300, rate: () => 40, peakRate: 120, serviceMs: 12 };
const changes = (replicas: readonly number[]) =>
  replicas.filter((count, second) => second > 0 && count !== replicas[second - 1]).length;

describe('a step to three times the rate', () => {
  const outcome = simulate({
    ...base,
    seconds: 360,
    rate: (second) => (second < 120 ? 40 : 120),
    initialReplicas: 2,
  });

  test('is answered within ten seconds by what it needs', () => {
    expect(outcome.replicas[130]).toBeGreaterThanOrEqual(3);
  });

  test('ends in few more than needed, and rests there', () => {
    const settled = outcome.replicas.slice(250);
    expect(Math.max(...outcome.replicas)).toBeLessThanOrEqual(6);
    expect(Math.max(...settled)).toBeLessThanOrEqual(4);
    expect(outcome.flaps).toBe(0);
  });

  test('breaks the promise only while pods start', () => {
    expect(outcome.lateShare(50, 0, 120)).toBeLessThan(0.05);
    expect(outcome.lateShare(50, 120, 135)).toBeLessThan(0.4);
    expect(outcome.lateShare(50, 135)).toBeLessThan(0.05);
  });
});

describe('calm traffic', () => {
  test.each([3, 40, 100, 250])('of %d req/s never makes the count go up, down and up', (rate) => {
    for (const seed of [1, 2]) {
      const seconds = rate > 100 ? 300 : 600;
      const outcome = simulate({ ...base, rate: () => rate, peakRate: rate, seconds, seed });
      expect(outcome.flaps).toBe(0);
      expect(changes(outcome.replicas.slice(60))).toBeLessThanOrEqual(6);
      expect(outcome.lateShare(50, 30)).toBeLessThan(0.05);
    }
  });

  test('a tighter promise gets more replicas, and is kept', () => {
    const spec = input({ latency: [{ percentile: 'p99', targetMs: 50 }] });
    const outcome = simulate({ ...base, input: spec, rate: () => 100, seconds: 300 });
    expect(outcome.lateShare(50, 30)).toBeLessThan(0.01);
    expect(outcome.replicas.at(-1)).toBeGreaterThan(3);
  });
});

test('a burst that ends leaves, in order and without hurry', () => {
  const outcome = simulate({
    ...base,
    rate: (second) => (second < 60 ? 5 : second < 150 ? 150 : 5),
    peakRate: 150,
    seconds: 420,
  });
  expect(Math.max(...outcome.replicas)).toBeGreaterThanOrEqual(4);
  expect(outcome.replicas.at(-1)).toBe(1);
  // The surplus of the burst's first seconds may go before; four carry the burst itself.
  const down = outcome.replicas.findIndex((count, second) => second > 150 && count < 4);
  expect(down).toBeGreaterThanOrEqual(200);
  expect(outcome.flaps).toBe(0);
});

test('countFlaps counts up-down-up inside two minutes and nothing else', () => {
  const held = (...counts: [number, number][]) =>
    counts.flatMap(([count, seconds]) => new Array<number>(seconds).fill(count));
  expect(countFlaps(held([1, 10], [2, 20], [1, 20], [2, 10]))).toBe(1);
  expect(countFlaps(held([1, 10], [2, 100], [1, 100], [2, 10]))).toBe(0);
  expect(countFlaps(held([1, 10], [2, 20], [3, 20], [2, 10], [1, 10]))).toBe(0);
});
