import { describe, expect, test } from '@jest/globals';
import { decide, initialState } from './decide.ts';
import { input, observation, pod } from './testing/build.ts';
import { gateway } from './testing/gateway.ts';
import type { GatewayObservation } from './types.ts';

const at = 1_000_000;
const spec = (balancing: 'random' | 'least-outstanding') => input({ balancing, maxReplicas: 100 });

/** The old one at 12 ms on eight pods, the new one at 36 ms on one; together 400 requests a second. */
const fleet = (newShare: number, newServiceMs = 36) => [
  ...Array.from({ length: 8 }, (_, index) =>
    pod(`old-${index}`, at, { rate: (400 * (1 - newShare)) / 8, revision: 'old' }),
  ),
  pod('new-0', at, { rate: 400 * newShare, serviceMs: newServiceMs, revision: 'new' }),
];

/** What a gateway tells whose route gives the new revision this share. */
function routed(newShare: number): GatewayObservation {
  const told = gateway('a', at, { rate: 400 });
  const [model] = told.report.models;
  if (model === undefined) throw new Error('one model');
  const revision = (name: string, weight: number) => ({
    revision: name,
    weight,
    succeeded: 0,
    clientErrors: 0,
    rejected: 0,
    failed: 0,
    serviceCount: 0,
    serviceSumSeconds: 0,
    serviceSumSquares: 0,
    bound: 0,
    inFlight: 0,
    readyPods: 1,
    asidePods: 0,
    slots: 1,
    slotsPerPod: 1,
  });
  const revisions = [revision('old', 10_000 * (1 - newShare)), revision('new', 10_000 * newShare)];
  return { ...told, report: { ...told.report, models: [{ ...model, revisions }] } };
}

const decided = (newShare: number, newServiceMs?: number) =>
  decide(
    initialState,
    observation(fleet(newShare, newServiceMs), { gateways: [routed(newShare)], expectedGateways: 1 }),
    spec('least-outstanding'),
    at,
  );

describe('two revisions behind one gateway', () => {
  test('each is sized by its own share and its own service time, and the words have both', () => {
    const { why, replicas } = decided(0.25);
    expect(why.revisions).toMatchObject([
      { revision: 'old', share: 0.75, serviceMs: expect.closeTo(12, 3) },
      { revision: 'new', share: 0.25, serviceMs: expect.closeTo(36, 3) },
    ]);
    const [old, young] = why.revisions ?? [];
    // 300/s × 12 ms = 3.6 busy, 100/s × 36 ms = 3.6 busy.
    expect(old?.replicas).toBeGreaterThanOrEqual(4);
    expect(young?.replicas).toBeGreaterThanOrEqual(4);
    expect(replicas).toBe((old?.replicas ?? 0) + (young?.replicas ?? 0));
    expect(why.sentence).toContain('revision new: 25% of the requests at 36ms need');
  });

  test('alike ones need no less apart than as one', () => {
    const { why, replicas } = decided(0.5, 12);
    const one = decide(
      initialState,
      observation(
        fleet(0.5, 12).map((each) => ({ ...each, revision: 'old' })),
        { gateways: [routed(0.5)], expectedGateways: 1 },
      ),
      spec('least-outstanding'),
      at,
    );
    expect(one.why.revisions).toBeUndefined();
    expect(replicas).toBeGreaterThanOrEqual(one.replicas);
    expect(replicas).toBeLessThanOrEqual(one.replicas + 3);
    expect(why.revisions).toHaveLength(2);
  });

  test('one that gets nothing yet changes nothing', () => {
    const { why } = decided(0);
    expect(why.revisions).toBeUndefined();
  });
});

test('without a gateway pods of both stand in one line: alike ones are sized as one', () => {
  const direct = (newServiceMs: number) =>
    decide(initialState, observation(fleet(1 / 9, newServiceMs)), spec('random'), at);
  expect(direct(12).why.sentence).not.toContain('together');
  expect(direct(36).why.revisions?.map(({ revision }) => revision)).toEqual(['old', 'new']);
  expect(direct(36).replicas).toBeGreaterThan(direct(12).replicas);
});
