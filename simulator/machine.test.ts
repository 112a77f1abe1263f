/** One machine of few cores beneath pods that serve, pods that start, and all else. */
import { expect, test } from '@jest/globals';
import type { DeploymentConfig } from './deployment-config.ts';
import { constant } from './distributions.ts';
import { type MachineConfig, slowdownBesideRest } from './machine.ts';
import { fixed } from './policies/fixed.ts';
import { replay } from './replay.ts';

const quiet: MachineConfig = {
  cores: 2,
  coresPerBusySlot: 1,
  coresPerStart: 0,
  rest: { stepSeconds: 0.05, cores: [0] },
};

/** One request in each bucket, of 100 ms each. */
const config = (rates: readonly number[], changes: Partial<DeploymentConfig> = {}): DeploymentConfig => ({
  trace: { name: 'made up', bucketSeconds: 1, counts: Float64Array.from(rates), exact: true },
  service: constant(0.1),
  startup: constant(2),
  sloMs: 10_000,
  slots: 1,
  balancing: 'gateway',
  shedAt: 'Timeout',
  drainSeconds: 1,
  clusterPods: 100,
  initialReplicas: 1,
  seed: 1,
  ...changes,
});
const onceASecond = new Array<number>(60).fill(1);

test('a machine with cores enough changes nothing', () => {
  const rates = new Array<number>(60).fill(7);
  const own = replay(config(rates), fixed(1));
  const shared = replay(config(rates, { machine: quiet }), fixed(1));
  expect({ ...shared, replicaSeconds: 0 }).toEqual({ ...own, replicaSeconds: 0 });
});

test('three pods serve no more than the two cores beneath them', () => {
  // 27 requests of 100 ms are 2.7 cores: with cores of their own all are answered in time, on two cores they pile up.
  const rates = new Array<number>(60).fill(27);
  const late = { sloMs: 2_000, timeoutMs: 100_000, initialReplicas: 3 };
  expect(replay(config(rates, late), fixed(3)).violations).toBe(0);
  expect(replay(config(rates, { ...late, machine: quiet }), fixed(3)).violations).toBeGreaterThan(0.5);
});

test('what all else takes slows a request down while it takes it', () => {
  const half = { ...quiet, rest: { stepSeconds: 30, cores: [0, 3] } };
  const outcome = replay(config(onceASecond, { machine: half }), fixed(1));
  // Half of them have a core of their own and take 100 ms; the others have half a core: four are asked for of two.
  expect(outcome.p50Ms).toBeLessThan(105);
  expect(outcome.p90Ms).toBeGreaterThan(195);
  expect(outcome.p90Ms).toBeLessThan(205);
});

test('a pod that starts takes its part from those that serve, and starts the slower for them', () => {
  const grow = { name: 'grow', tick: ({ now }: { now: number }) => (now === 10 ? 2 : undefined) };
  // A request each 125 ms of 100 ms of one core, beside a start of three cores: each gets half of what it asks for.
  const rates = new Array<number>(60).fill(8);
  const machine = { ...quiet, coresPerStart: 3 };
  const outcome = replay(config(rates, { machine, sloMs: 150 }), grow);
  expect(outcome.late).toBeGreaterThan(20 / outcome.requests);
  const readyAfter = (points: typeof outcome.points) => points[1]?.ready ?? 0;
  const alone = replay(config(rates, { sloMs: 150 }), grow);
  expect(readyAfter(outcome.points)).toBeLessThan(readyAfter(alone.points));
});

test("a new pod's first requests are slow, those of pods that are there from the beginning are not", () => {
  const grow = { name: 'grow', tick: ({ now }: { now: number }) => (now === 10 ? 2 : undefined) };
  const slow = { firstRequests: [5, 3], sloMs: 150 };
  expect(replay(config(onceASecond, slow), fixed(1)).late).toBe(0);
  const outcome = replay(config(onceASecond, slow), grow);
  expect(outcome.late * outcome.requests).toBeCloseTo(2, 9);
});

test('what was measured beside the rest is told from the work in it', () => {
  expect(slowdownBesideRest(quiet, 1)).toBe(1);
  const half = { ...quiet, rest: { stepSeconds: 1, cores: [0, 3] } };
  // In one half of the time at full speed, in the other at half of it: three quarters on average.
  expect(slowdownBesideRest(half, 1)).toBeCloseTo(4 / 3);
});

test('two threads of one core are no two cores: both busy, each is slower', () => {
  const threads = { ...quiet, speedWhenFull: 0.5 };
  expect(slowdownBesideRest(threads, 1)).toBe(1);
  expect(slowdownBesideRest(threads, 1.5)).toBeCloseTo(1 / 0.75);
  expect(slowdownBesideRest(threads, 2)).toBeCloseTo(2);
  expect(slowdownBesideRest(threads, 4)).toBeCloseTo(4);
});
