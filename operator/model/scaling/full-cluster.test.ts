/** A load that outgrows the nodes: what is needed is asked for, so that a node autoscaler sees it, and no more on top while it waits. */
import { describe, expect, test } from '@jest/globals';
import { input } from './testing/build.ts';
import { type Outcome, type Scenario, simulate } from './testing/simulate.ts';

/** 60 requests a second, from second 60 on 400. Two nodes with room for 4 pods in all. */
const growing: Scenario = {
  input: input({ maxReplicas: 60 }),
  seconds: 420,
  rate: (second) => (second < 60 ? 60 : 400),
  peakRate: 400,
  serviceMs: 12,
  initialReplicas: 3,
};
const most = (counts: readonly number[]) => Math.max(...counts);
/** Seconds in which more was asked for though pods waited already. */
const grownWhileWaiting = ({ replicas, waiting }: Outcome) =>
  replicas.flatMap((count, second) =>
    (waiting[second - 1] ?? 0) > 0 && count > (replicas[second - 1] ?? count) ? [second] : [],
  );
const boundless = simulate(growing);

describe('a cluster that is full', () => {
  test('and stays so: the wait is asked for once, and its pods never become more', () => {
    const { replicas, waiting, whys } = simulate({ ...growing, places: () => 4 });
    const began = waiting.findIndex((count) => count > 0);
    expect(began).toBeGreaterThan(59);
    // One that waits is enough for the autoscaler to be seen; what it is asked for never grows while it waits.
    const asked = replicas[began] ?? 0;
    expect(most(replicas.slice(began))).toBe(asked);
    expect(asked).toBeLessThanOrEqual(most(boundless.replicas));
    expect(whys.at(-1)?.reason).toBe('HoldBlocked');
    expect(whys.at(-1)?.limited?.reason).toBe('NoRoom');
    expect(whys.at(-1)?.sentence).toMatch(/the cluster has no room for \d+ pods?: \d+ kept/);
  });

  test.each([30, 90])('and gets a node after %i s: the promise is kept again soon after', (delay) => {
    let nodeAt = Number.POSITIVE_INFINITY;
    let waits = false;
    const outcome = simulate({
      ...growing,
      each: ({ second, pods }) => {
        waits ||= second > 60 && pods.length === 4;
        if (waits && nodeAt === Number.POSITIVE_INFINITY) nodeAt = second + delay;
      },
      // A node autoscaler brings a node with room for 16 pods, as late as real ones do, for whatever waits.
      places: (second) => (second < nodeAt ? 4 : 20),
    });
    expect(nodeAt).toBeLessThan(160);
    expect(grownWhileWaiting(outcome)).toEqual([]);
    expect(outcome.waiting.at(-1)).toBe(0);
    expect(outcome.whys.every(({ reason }) => reason !== 'HoldCrashing')).toBe(true);
    expect(outcome.lateShare(50, nodeAt + 60)).toBeLessThan(0.05);
    // The backlog of the wait is worked off with more pods, which go again.
    expect(outcome.replicas.at(-1)).toBeLessThanOrEqual(most(boundless.replicas) + 2);
  });

  test('and the load ends: what waits is given back', () => {
    const outcome = simulate({
      ...growing,
      rate: (second) => (second < 60 || second > 150 ? 20 : 400),
      places: () => 4,
    });
    expect(most(outcome.waiting)).toBeGreaterThan(0);
    expect(outcome.waiting.at(-1)).toBe(0);
  });
});
