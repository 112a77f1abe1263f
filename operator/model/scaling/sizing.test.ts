import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { QueueModel } from './queueing.ts';
import { latencySeconds, lateShare } from './queueing.ts';
import type { Demand } from './sizing.ts';
import { mostReplicas, sizeFor } from './sizing.ts';
import type { LatencyTarget } from './types.ts';

const model = (meanMs = 12, scv = 0.1): QueueModel => ({
  service: { meanSeconds: meanMs / 1_000, scv },
  slots: 1,
  burstiness: 1,
  balancing: 'random',
});

const demand = (ratePerSecond: number, changes: Partial<Demand> = {}): Demand => ({
  ratePerSecond,
  floorRate: ratePerSecond,
  model: model(),
  latency: [{ percentile: 'p95', targetMs: 50 }],
  requestsPerSecondPerReplica: undefined,
  strictness: 1,
  ...changes,
});

describe('sizeFor', () => {
  test.each([
    { name: 'nothing to do', of: demand(0), replicas: 1, reason: 'Minimum' },
    { name: 'one pod is enough', of: demand(20), replicas: 1, reason: 'Minimum' },
    { name: 'the latency promise decides', of: demand(118), replicas: 3, reason: 'Latency' },
    {
      name: 'the tightest of several promises decides',
      of: demand(118, {
        latency: [
          { percentile: 'p50', targetMs: 40 },
          { percentile: 'p99', targetMs: 55 },
        ],
      }),
      replicas: 4,
      reason: 'Latency',
    },
    {
      name: 'requests per second per replica decide',
      of: demand(118, { requestsPerSecondPerReplica: 20 }),
      replicas: 6,
      reason: 'RequestRate',
    },
    {
      name: 'with no promise, pods may be 80 % busy',
      of: demand(100, { latency: [] }),
      replicas: 2,
      reason: 'Utilisation',
    },
    {
      name: 'with no service time known, only the request rate decides',
      of: demand(100, { model: 'unknown', requestsPerSecondPerReplica: 30 }),
      replicas: 4,
      reason: 'RequestRate',
    },
    {
      name: 'with nothing known, one',
      of: demand(100, { model: 'unknown' }),
      replicas: 1,
      reason: 'Minimum',
    },
  ])('$name: $replicas', ({ of, replicas, reason }) => {
    expect(sizeFor(of)).toMatchObject({ replicas, reason });
  });

  test('the count found keeps the promise and one less does not', () => {
    for (const rate of [50, 118, 300, 2_000]) {
      const { replicas } = sizeFor(demand(rate));
      expect(lateShare(model(), rate, replicas, 0.05)).toBeLessThanOrEqual(0.05);
      expect(replicas === 1 || lateShare(model(), rate, replicas - 1, 0.05) > 0.05).toBe(true);
    }
  });

  test('a promise below the service time is named and not chased: what is bounded is the wait', () => {
    const tight: LatencyTarget = { percentile: 'p95', targetMs: 5 };
    const need = sizeFor(demand(200, { latency: [tight, { percentile: 'p99', targetMs: 500 }] }));
    expect(need.infeasible).toEqual([tight]);
    expect(need).toMatchObject({ replicas: 4, reason: 'Latency' });
  });

  test('a promise a little below what the service alone takes is no cliff: no fewer than half of what one above it needs', () => {
    const slow = { ...model(48, 0.5), balancing: 'least-outstanding' as const };
    const alone = 1_000 * latencySeconds(slow, 0, 1, 0.99);
    const at = (targetMs: number) =>
      sizeFor(demand(40, { model: slow, latency: [{ percentile: 'p99', targetMs }] })).replicas;
    expect(at(0.99 * alone)).toBeGreaterThanOrEqual(at(1.2 * alone) / 2);
    expect(at(0.99 * alone)).toBeGreaterThan(2);
  });

  test('a promise a hair above what the service alone takes asks for no crowd that could not keep it better', () => {
    const uneven = { ...model(17.7, 0.3), balancing: 'least-outstanding' as const };
    const alone = 1_000 * latencySeconds(uneven, 0, 1, 0.99);
    const at = (targetMs: number) =>
      sizeFor(demand(13.8, { model: uneven, latency: [{ percentile: 'p99', targetMs }] })).replicas;
    // A quarter of one replica is busy: two more for the tail is what a promise with room asks for too.
    for (const share of [1.0001, 1.001, 1.01, 1.05]) expect(at(share * alone)).toBeLessThanOrEqual(3);
    expect(at(1.0001 * alone)).toBeGreaterThanOrEqual(at(1.2 * alone));
  });

  test('a promise that is far too short asks for no more than one just too short', () => {
    const at = (targetMs: number) =>
      sizeFor(demand(200, { latency: [{ percentile: 'p95', targetMs }] })).replicas;
    expect(at(0.1)).toBe(at(5));
  });

  test('one shared queue needs fewer than a queue per pod', () => {
    const shared = { ...model(), balancing: 'least-outstanding' as const };
    const tight = { latency: [{ percentile: 'p99' as const, targetMs: 40 }] };
    const random = sizeFor(demand(500, tight)).replicas;
    expect(sizeFor(demand(500, { ...tight, model: shared })).replicas).toBeLessThan(random / 2);
  });

  test('stops at the largest count there is', () => {
    expect(sizeFor(demand(1e9)).replicas).toBe(mostReplicas);
  });

  const anyDemand = fc.record({
    mean: fc.double({ min: 0.05, max: 3_000, noNaN: true }),
    scv: fc.double({ min: 0, max: 16, noNaN: true }),
    target: fc.integer({ min: 1, max: 10_000 }),
    percentile: fc.constantFrom('p50' as const, 'p90' as const, 'p95' as const, 'p99' as const),
    perReplica: fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined }),
    rate: fc.double({ min: 0, max: 20_000, noNaN: true }),
    more: fc.double({ min: 1, max: 10, noNaN: true }),
  });

  test('needs no fewer at a higher rate or with more strictness, and is always a whole number in bounds', () => {
    fc.assert(
      fc.property(anyDemand, ({ mean, scv, target, percentile, perReplica, rate, more }) => {
        const of = (ratePerSecond: number, strictness: number) =>
          sizeFor({
            ratePerSecond,
            floorRate: ratePerSecond,
            model: model(mean, scv),
            latency: [{ percentile, targetMs: target }],
            requestsPerSecondPerReplica: perReplica,
            strictness,
          }).replicas;
        const replicas = of(rate, 1);
        expect(Number.isInteger(replicas) && replicas >= 1 && replicas <= mostReplicas).toBe(true);
        expect(of(rate * more, 1)).toBeGreaterThanOrEqual(replicas);
        expect(of(rate, 0.5)).toBeGreaterThanOrEqual(replicas);
      }),
      { numRuns: 300 },
    );
  });
});
