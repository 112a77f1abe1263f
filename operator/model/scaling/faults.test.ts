/** Missing, stale and wrong readings (reference/autoscaling.md §3.9), each against simulated pods: a fault never lowers the count. */
import { describe, expect, test } from '@jest/globals';
import type { LoadReport } from '../../../crds/wire.ts';
import { input } from './testing/build.ts';
import type { Scenario } from './testing/simulate.ts';
import { simulate } from './testing/simulate.ts';

const steady: Scenario = {
  input: input(),
  seconds: 240,
  rate: () => 118,
  peakRate: 118,
  serviceMs: 12,
  initialReplicas: 3,
};

/** Decreases of the count, with their seconds. */
const decreases = (replicas: readonly number[]) =>
  replicas.flatMap((count, second) => (count < (replicas[second - 1] ?? count) ? [second] : []));

const clean = simulate(steady);

test('without faults three or four replicas serve it, and the count rests', () => {
  expect(Math.max(...clean.replicas.slice(30))).toBeLessThanOrEqual(4);
  expect(decreases(clean.replicas)).toEqual([]);
  expect(clean.lateShare(50)).toBeLessThan(0.05);
});

describe.each([
  {
    fault: 'a fifth of the pulls is lost',
    pull: (report, _pod, _atMs, chance) => (chance() < 0.2 ? undefined : report),
  },
  {
    fault: 'one pod is never heard',
    pull: (report, pod) => (pod.name === 'pod-1' ? undefined : report),
  },
  {
    fault: 'more than half of the pods fall silent',
    pull: (report, pod, atMs) => (atMs > 100_000 && pod.name !== 'pod-1' ? undefined : report),
  },
  {
    fault: 'all figures are gone for 60 s',
    pull: (report, _pod, atMs) => (atMs > 100_000 && atMs < 160_000 ? undefined : report),
  },
  {
    fault: 'all figures are gone for good',
    pull: (report, _pod, atMs) => (atMs > 100_000 ? undefined : report),
  },
  {
    fault: 'a counter goes back within one process',
    pull: (report, pod, atMs) =>
      pod.name === 'pod-1' && atMs > 100_000 && atMs < 110_000
        ? { ...report, counters: { ...report.counters, arrivals: 0 } }
        : report,
  },
] satisfies { fault: string; pull: NonNullable<Scenario['pull']> }[])('$fault', ({ pull }) => {
  const outcome = simulate({ ...steady, pull });

  test('never lowers the count', () => {
    expect(decreases(outcome.replicas)).toEqual([]);
  });

  test('costs the promise nothing', () => {
    expect(outcome.lateShare(50)).toBeLessThanOrEqual(Math.max(0.05, clean.lateShare(50) * 1.2));
  });
});

/** The last second of a report with so many arrivals. */
const withJump = (report: LoadReport, arrivals: number): LoadReport => ({
  ...report,
  seconds: report.seconds.map((second, index) =>
    index === report.seconds.length - 1 ? { ...second, arrivals } : second,
  ),
});

describe('a jump to a hundredfold', () => {
  const jump = (from: number, to: number, which: (name: string) => boolean) =>
    simulate({
      ...steady,
      pull: (report, pod, atMs) =>
        which(pod.name) && atMs > from && atMs < to ? withJump(report, 100_000) : report,
    });

  test('of one pod alone, once, is not believed', () => {
    const outcome = jump(100_000, 103_000, (name) => name === 'pod-1');
    expect(Math.max(...outcome.replicas)).toBeLessThanOrEqual(4);
  });

  test('of one pod alone, again and again, is believed', () => {
    const outcome = jump(100_000, 140_000, (name) => name === 'pod-1');
    expect(Math.max(...outcome.replicas)).toBe(50);
  });

  test('of all pods is believed at once', () => {
    const outcome = jump(100_000, 103_000, () => true);
    expect(Math.max(...outcome.replicas)).toBe(50);
  });
});

test('all figures gone: what ran is kept and said, and a real fall of the load is not taken for granted', () => {
  const outcome = simulate({
    ...steady,
    rate: (second) => (second < 100 ? 118 : 1),
    pull: (report, _pod, atMs) => (atMs > 100_000 ? undefined : report),
  });
  expect(outcome.replicas.at(-1)).toBe(outcome.replicas[99]);
  expect(outcome.whys.at(-1)).toMatchObject({ reason: 'HoldUnknown', needed: 'unknown' });
});

test('containers that restart lose nothing: another instance is no fall to 0', () => {
  const outcome = simulate({
    ...steady,
    each: ({ second, pods }) => {
      if (second === 100) for (const pod of pods) pod.restart(100_000);
    },
  });
  expect(decreases(outcome.replicas)).toEqual([]);
});

test('an operator that starts anew keeps what runs and knows the rate from the pods’ own past', () => {
  const outcome = simulate({
    ...steady,
    each: ({ second, forget }) => {
      if (second === 120) forget();
    },
  });
  expect(decreases(outcome.replicas)).toEqual([]);
  const before = outcome.whys[119]?.inputs.arrivalRate60s;
  const after = outcome.whys[121]?.inputs.arrivalRate60s;
  if (typeof before !== 'number' || typeof after !== 'number') throw new Error('both are known');
  expect(Math.abs(after / before - 1)).toBeLessThan(0.1);
});

test('no traffic is not no data: idle pods are given back one by one', () => {
  const outcome = simulate({ ...steady, rate: (second) => (second < 60 ? 118 : 0) });
  expect(outcome.replicas.at(-1)).toBe(1);
  expect(outcome.whys.at(-1)?.inputs.arrivalRate60s).toBe(0);
});
