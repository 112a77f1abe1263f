import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { chance } from './chance.ts';
import type { DeploymentConfig } from './deployment-config.ts';
import { constant, lognormal, parseService, parseStartup } from './distributions.ts';
import { oracleOf } from './oracle.ts';
import { fixed } from './policies/fixed.ts';
import { countFlaps, replay } from './replay.ts';
import type { Trace } from './traffic/arrivals.ts';
import { Arrivals } from './traffic/arrivals.ts';

const steady = (rate: number, seconds = 600): Trace => ({
  name: 'steady',
  bucketSeconds: 1,
  counts: new Float64Array(seconds).fill(rate),
  exact: false,
});
const config = (changes: Partial<DeploymentConfig> = {}): DeploymentConfig => ({
  trace: steady(40),
  service: lognormal(0.1, 1),
  startup: constant(12),
  sloMs: 500,
  slots: 1,
  balancing: 'gateway',
  shedAt: 'Timeout',
  drainSeconds: 3,
  clusterPods: 100,
  initialReplicas: 5,
  seed: 1,
  ...changes,
});

describe('the simulated deployment', () => {
  test('waits as Erlang says: M/M/5 at 80 % busy waits 55 ms on average, so a p50 near 110 ms', () => {
    const exponential = {
      name: 'exponential',
      mean: 0.1,
      sample: (one: { exponential(): number }) => 0.1 * one.exponential(),
    };
    const outcome = replay(
      config({ trace: steady(40, 2_000), service: exponential, sloMs: 10_000 }),
      fixed(5),
    );
    // P(T > t) of M/M/5 with a = 4: C = 0.554, so 1.11 mean services in all; its median is 0.11 s.
    expect(outcome.p50Ms).toBeGreaterThan(100);
    expect(outcome.p50Ms).toBeLessThan(125);
    expect(outcome.replicaSeconds).toBe(10_000);
  });

  test('every request is answered, refused or timed out, once', () => {
    for (const balancing of ['gateway', 'random', 'round-robin', 'p2c'] as const)
      for (const shedAt of ['Timeout', 'SLA'] as const) {
        const outcome = replay(config({ balancing, shedAt, trace: steady(60, 120) }), fixed(5));
        expect(outcome.violations).toBeCloseTo(outcome.late + outcome.refused + outcome.expired, 9);
        expect(outcome.violations).toBeGreaterThan(0.05);
      }
  });

  test('late binding beats random balancing, and power of two choices lies between', () => {
    const p99 = (balancing: DeploymentConfig['balancing']) => replay(config({ balancing }), fixed(5)).p99Ms;
    expect(p99('gateway')).toBeLessThan(p99('p2c'));
    expect(p99('p2c')).toBeLessThan(p99('random'));
  });

  test('a queue bounded by the promise turns late answers into refusals', () => {
    const overloaded = { trace: steady(60, 120) };
    const bounded = replay(config({ ...overloaded, shedAt: 'SLA' }), fixed(5));
    const unbounded = replay(config(overloaded), fixed(5));
    expect(bounded.violations).toBeLessThan(0.6 * unbounded.violations);
    expect(bounded.refused).toBeGreaterThan(bounded.late);
  });

  test('a pod serves after its start-up, and holds its place until it is gone', () => {
    const grow = {
      name: 'grow',
      tick: ({ now }: { now: number }) => (now === 10 ? 7 : now === 100 ? 5 : undefined),
    };
    const outcome = replay(config({ trace: steady(10, 200) }), grow);
    expect(outcome.points[2]?.ready).toBeCloseTo(5 + (2 * 9) / 10, 5);
    // 200 s of 5, 90 s of 2 more, and 3 to 4 s of each that drains.
    expect(outcome.replicaSeconds).toBeGreaterThanOrEqual(1_000 + 180 + 2 * 3);
    expect(outcome.replicaSeconds).toBeLessThanOrEqual(1_000 + 180 + 2 * 5);
    expect(outcome.actions).toBe(2);
  });

  test('a cluster without room leaves pods pending', () => {
    const outcome = replay(config({ clusterPods: 6, trace: steady(10, 100) }), fixed(20));
    expect(outcome.peakReplicas).toBe(20);
    expect(Math.max(...outcome.points.map(({ ready }) => ready))).toBe(6);
  });

  test('batches: five times the rate with the fixed share of the cost paid once', () => {
    const alone = replay(config({ trace: steady(100, 120), shedAt: 'SLA' }), fixed(5));
    const batched = replay(
      config({ trace: steady(100, 120), shedAt: 'SLA', batch: { maxSize: 8, share: 0.1 } }),
      fixed(5),
    );
    expect(alone.violations).toBeGreaterThan(0.4);
    expect(batched.violations).toBeLessThan(0.05);
  });

  test('the same seed gives the same outcome, another one another', () => {
    const run = (seed: number) => replay(config({ seed, trace: steady(40, 60) }), fixed(5));
    expect(run(1)).toEqual(run(1));
    expect(run(1).requests).not.toBe(run(2).requests);
  });
});

test('arrivals keep the counts of an exact trace and their order', () => {
  const arrivals = new Arrivals(
    { name: 'exact', bucketSeconds: 1, counts: Float64Array.of(3, 0, 2), exact: true },
    chance(1),
  );
  const times = Array.from({ length: 6 }, () => arrivals.next());
  expect(times.map(Math.floor)).toEqual([0, 0, 0, 2, 2, Number.POSITIVE_INFINITY]);
  expect(times.toSorted((one, other) => one - other)).toEqual(times);
});

test('the oracle needs as many as keep the promise, no fewer and no more than the load plus some', () => {
  const oracle = oracleOf(steady(40), lognormal(0.1, 0.05), 1, 500, 1);
  const mean = oracle.replicaSeconds / 600;
  expect(mean).toBeGreaterThan(4);
  expect(mean).toBeLessThan(5.5);
  expect(oracle.violations / oracle.requests).toBeLessThan(0.01);
});

test('a flap is up, down and up again inside two minutes', () => {
  const at = (...changes: [second: number, replicas: number][]) =>
    Array.from({ length: 600 }, (_, second) => changes.findLast(([from]) => from <= second)?.[1] ?? 1);
  expect(countFlaps(at([10, 2], [40, 1], [70, 2]))).toBe(1);
  expect(countFlaps(at([10, 2], [40, 1], [300, 2]))).toBe(0);
  expect(countFlaps(at([10, 2], [20, 3], [40, 4]))).toBe(0);
});

test('a measured file is a service and a start-up; anything else is neither', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ballast-measured-'));
  const write = (name: string, content: unknown) => {
    const path = join(directory, name);
    writeFileSync(path, JSON.stringify(content));
    return path;
  };
  const service = parseService(
    write('wine.service.json', { version: 1, model: 'wine', rows: { 1: [0.01, 0.03] } }),
  );
  expect(service?.seconds.mean).toBeCloseTo(0.02, 9);
  expect([0.01, 0.03]).toContain(service?.seconds.sample(chance(1)));
  expect(
    parseStartup(write('wine.startup.json', { version: 1, model: 'wine', createToReady: [1.5] }))?.mean,
  ).toBe(1.5);
  expect(
    parseService(write('wrong.json', { version: 1, model: 'wine', rows: { 1: ['x'] } })),
  ).toBeUndefined();
  expect(parseStartup(join(directory, 'none.json'))).toBeUndefined();
  rmSync(directory, { recursive: true });
});
