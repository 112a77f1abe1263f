/** The decision in closed loop with simulated pods: steps, calm, and the failure modes of reference/autoscaling.md §3.11. */
import { describe, expect, test } from '@jest/globals';
import { decide, initialState } from './decide.ts';
import { input, observation, pod, pods } from './testing/build.ts';
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

describe('failure modes', () => {
  test('2: noise at a low rate is no need', () => {
    for (const seed of [1, 2, 3, 4]) {
      const outcome = simulate({
        ...base,
        rate: () => 0.5,
        peakRate: 0.5,
        serviceMs: 100,
        seed,
        input: input({ latency: [{ percentile: 'p95', targetMs: 500 }] }),
      });
      expect(Math.max(...outcome.replicas)).toBe(1);
    }
  });

  test('3: a backlog is worked off once and is no permanent demand', () => {
    const outcome = simulate({
      ...base,
      rate: (second) => (second < 60 ? 20 : 160),
      peakRate: 160,
      startMs: [8_000, 12_000],
      seconds: 300,
    });
    const needed = outcome.replicas.at(-1) ?? 0;
    expect(needed).toBeGreaterThanOrEqual(4);
    expect(Math.max(...outcome.replicas)).toBeLessThanOrEqual(3 * needed);
    expect(outcome.lateShare(50, 120)).toBeLessThan(0.05);
  });

  test('6: a sick pod among five raises the count, and not without bound', () => {
    const at = 1_000_000;
    const four = Array.from({ length: 4 }, (_, index) => pod(`pod-${index}`, at, { rate: 30 }));
    const { replicas } = decide(
      initialState,
      observation([...four, pod('sick', at, { rate: 30, serviceMs: 36 })]),
      input(),
      at,
    );
    expect(replicas).toBeGreaterThanOrEqual(5);
    expect(replicas).toBeLessThanOrEqual(20);
  });

  test('8: pods that take long to start are asked for once', () => {
    const outcome = simulate({
      ...base,
      rate: (second) => (second < 30 ? 10 : 40),
      startMs: [60_000, 60_000],
      seconds: 80,
    });
    expect(Math.max(...outcome.replicas)).toBeLessThanOrEqual(6);
  });

  test('11: the clock is data: the same past at another time gives the same decision', () => {
    const early = decide(initialState, observation(pods(2, 200_000, 118)), input(), 200_000);
    const late = decide(initialState, observation(pods(2, 9e12, 118)), input(), 9e12);
    expect(late.replicas).toBe(early.replicas);
    expect(late.why).toEqual(early.why);
  });

  test('14: nothing is taken away during a rolling update', () => {
    const at = 1_000_000;
    const state = { ...initialState, replicas: 6, freshSinceMs: 0 };
    const seen = observation(pods(6, at, 6), { rolloutInProgress: true });
    expect(decide(state, seen, input(), at)).toMatchObject({ replicas: 6, why: { reason: 'HoldDown' } });
  });

  test('15: a promise below the service time is not chased', () => {
    const spec = input({ latency: [{ percentile: 'p99', targetMs: 10 }] });
    const outcome = simulate({ ...base, input: spec, rate: () => 100 });
    expect(Math.max(...outcome.replicas)).toBeLessThanOrEqual(3);
    expect(outcome.whys.at(-1)?.limited?.reason).toBe('SLAInfeasible');
  });

  test('20: traffic that ends costs no more than three minutes of what it had', () => {
    const outcome = simulate({
      ...base,
      rate: (second) => (second < 100 ? 200 : 0),
      peakRate: 200,
      seconds: 300,
    });
    expect(outcome.replicas.at(-1)).toBe(1);
  });
});
