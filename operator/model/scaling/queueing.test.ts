import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { QueueModel } from './queueing.ts';
import { erlangC, latencySeconds, lateShare, lateShareWhenIdle, overheadSeconds } from './queueing.ts';
import { SimulatedPod } from './testing/pod.ts';
import { seededRandom } from './testing/random.ts';

const model = (changes: Partial<QueueModel> = {}, scv = 0.5, meanSeconds = 0.012): QueueModel => ({
  service: { meanSeconds, scv },
  slots: 1,
  burstiness: 1,
  balancing: 'random',
  ...changes,
});

describe('erlangC', () => {
  test.each([
    // One server: the chance to wait is the utilisation. Others from tables of Erlang's C formula.
    [1, 0.5, 0.5],
    [2, 1, 1 / 3],
    [5, 4, 0.5541],
    [10, 8, 0.4092],
    [100, 90, 0.2168],
  ])('with %d servers and %d Erlang is %d', (servers, load, expected) => {
    expect(erlangC(servers, load)).toBeCloseTo(expected, 3);
  });

  test('is 1 when overloaded, and neither overflows nor underflows', () => {
    expect(erlangC(2, 3)).toBe(1);
    expect(erlangC(1_000, 950)).toBeGreaterThan(0);
    expect(erlangC(1_000, 1)).toBeGreaterThanOrEqual(0);
    expect(erlangC(1_000, 999.9)).toBeLessThan(1);
  });
});

describe('the model against simulated pods with a queue of their own', () => {
  test.each([
    { scv: 0.05, slots: 1, busy: 0.5 },
    { scv: 0.05, slots: 1, busy: 0.8 },
    { scv: 0.5, slots: 1, busy: 0.7 },
    { scv: 1, slots: 1, busy: 0.5 },
    { scv: 0.5, slots: 4, busy: 0.7 },
    { scv: 1, slots: 4, busy: 0.8 },
  ])('scv $scv, $slots slots, $busy busy: p90, p95 and p99 within 15 %', ({ scv, slots, busy }) => {
    const rate = (busy * slots) / 0.012;
    const random = seededRandom(7);
    const pod = new SimulatedPod('pod', 0, 0, slots, 'r1');
    const latencies: number[] = [];
    for (let atMs = 0; latencies.length < 60_000; ) {
      atMs += random.exponential(1_000 / rate);
      latencies.push((pod.offer(atMs, random.lognormal(12, scv)) - atMs) / 1_000 + overheadSeconds);
    }
    latencies.sort((one, other) => one - other);
    for (const percentile of [0.9, 0.95, 0.99]) {
      const simulated = latencies[Math.floor(percentile * latencies.length)] ?? 0;
      const predicted = latencySeconds(model({ slots }, scv), rate, 1, percentile);
      expect(Math.abs(predicted / simulated - 1)).toBeLessThan(0.16);
    }
  });
});

describe('lateShare', () => {
  test('of an idle pod is the share of service times beyond the target', () => {
    expect(lateShareWhenIdle(model({}, 0), 0.012)).toBe(1);
    expect(lateShareWhenIdle(model({}, 0), 0.013)).toBe(0);
    expect(lateShareWhenIdle(model({}, 1), 0.0102)).toBeGreaterThan(0.3);
  });

  test('one shared queue needs far less than queues of their own', () => {
    const random = lateShare(model(), 300, 5, 0.05);
    const shared = lateShare(model({ balancing: 'least-outstanding' }), 300, 5, 0.05);
    expect(shared).toBeLessThan(random / 3);
  });

  test('an overloaded replica is late with everything, and its latency has no end', () => {
    expect(lateShare(model(), 100, 1, 0.05)).toBe(1);
    expect(latencySeconds(model(), 100, 1, 0.5)).toBe(Number.POSITIVE_INFINITY);
  });

  const cases = fc.record({
    mean: fc.double({ min: 0.0001, max: 2, noNaN: true }),
    scv: fc.double({ min: 0, max: 16, noNaN: true }),
    slots: fc.integer({ min: 1, max: 8 }),
    burstiness: fc.double({ min: 0.7, max: 30, noNaN: true }),
    balancing: fc.constantFrom('random' as const, 'least-outstanding' as const),
    rate: fc.double({ min: 0, max: 5_000, noNaN: true }),
    replicas: fc.integer({ min: 1, max: 50 }),
    target: fc.double({ min: 0.001, max: 10, noNaN: true }),
  });

  test('is a share, falls with replicas and rises with the rate', () => {
    fc.assert(
      fc.property(cases, ({ mean, scv, slots, burstiness, balancing, rate, replicas, target }) => {
        const queue = model({ slots, burstiness, balancing }, scv, mean);
        const late = lateShare(queue, rate, replicas, target);
        expect(late).toBeGreaterThanOrEqual(0);
        expect(late).toBeLessThanOrEqual(1);
        expect(lateShare(queue, rate, replicas + 1, target)).toBeLessThanOrEqual(late + 1e-9);
        expect(lateShare(queue, rate * 1.1, replicas, target)).toBeGreaterThanOrEqual(late - 1e-9);
      }),
      { numRuns: 500 },
    );
  });
});
