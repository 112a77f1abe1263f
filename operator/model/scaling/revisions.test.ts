import { describe, expect, test } from '@jest/globals';
import { decide, initialState } from './decide.ts';
import type { Estimates } from './estimate.ts';
import { nothingLearned } from './learned.ts';
import { servingParts } from './revisions.ts';
import { input, observation, pod } from './testing/build.ts';
import { gateway, routedTo } from './testing/gateway.ts';
import type { GatewayObservation, Learned, PodObservation } from './types.ts';

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
const routed = (newShare: number): GatewayObservation => routedTo(gateway('a', at, { rate: 400 }), newShare);

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

describe('the model of each of two revisions', () => {
  const estimates = { service: { meanSeconds: 0.012, scv: 0.1 }, burstiness: 1, slots: 1 } as Estimates;
  const learned: Learned = {
    ...nothingLearned,
    revision: 'old',
    waits: { factor: 2.5, stretches: 20, stretch: undefined },
  };
  const batching = (one: PodObservation): PodObservation => {
    if (one.reading === 'unknown') return one;
    const report = { ...one.reading.report, batch: { requests: 8, oneMs: 40, fullMs: 80 } };
    return { ...one, reading: { ...one.reading, report } };
  };
  const partsOf = (young: PodObservation) =>
    servingParts([pod('old-0', at, { rate: 300, revision: 'old' }), young], [routed(0.25)], {
      estimates,
      input: spec('least-outstanding'),
      learned,
    });

  test('has the slots, the batches and what was learned of its own pods', () => {
    const young = pod('new-0', at, { rate: 100, serviceMs: 36, revision: 'new', parallelism: 4 });
    const [old, other] = partsOf(batching(young));
    expect(old?.model).toMatchObject({
      slots: 1,
      waitFactor: 2,
      service: { meanSeconds: expect.closeTo(0.012, 6) },
    });
    expect(old?.model.batch).toBeUndefined();
    expect(other?.model).toMatchObject({
      slots: 4,
      batch: { requests: 8, oneSeconds: 0.04, fullSeconds: 0.08 },
    });
    expect(other?.model.service.meanSeconds).toBeCloseTo(0.01, 6);
    expect(other?.model.waitFactor).toBeUndefined();
    // What was measured is told, whatever it is sized by.
    expect(other?.service.meanSeconds).toBeCloseTo(0.036, 6);
  });

  test.each([
    { served: 0, toldMs: 12 },
    // (10 × 36 + 30 × 12) / 40
    { served: 10, toldMs: 18 },
    { served: 30, toldMs: 36 },
  ])('is mostly the other’s while few requests are measured: $served', ({ served, toldMs }) => {
    const young = pod('new-0', at, { rate: served, uptimeSeconds: 1, serviceMs: 36, revision: 'new' });
    expect(partsOf(young)[1]?.service.meanSeconds).toBeCloseTo(toldMs / 1_000, 6);
  });

  test('is no faster than the other’s by a few requests', () => {
    const young = pod('new-0', at, { rate: 10, uptimeSeconds: 1, serviceMs: 2, revision: 'new' });
    expect(partsOf(young)[1]?.service.meanSeconds).toBe(0.012);
  });

  test('is what gateways saw of it where its pods tell of too few', () => {
    const young: PodObservation = { ...pod('new-0', at, { rate: 0, revision: 'new' }) };
    const told = routed(0.25);
    const [model] = told.report.models;
    if (model === undefined) throw new Error('one model');
    const revisions = model.revisions.map((one) =>
      one.revision === 'new'
        ? { ...one, serviceCount: 50, serviceSumSeconds: 2, serviceSumSquares: 0.088 }
        : one,
    );
    const parts = servingParts(
      [pod('old-0', at, { rate: 300, revision: 'old' }), young],
      [{ ...told, report: { ...told.report, models: [{ ...model, revisions }] } }],
      { estimates, input: spec('least-outstanding'), learned },
    );
    expect(parts[1]?.service).toEqual({ meanSeconds: 0.04, scv: expect.closeTo(0.1, 6) });
  });
});

describe('what was learned of the old revision', () => {
  const full = {
    step: 1,
    atMs: at,
    replicas: 8,
    perSecond: 500,
    serviceSeconds: 0.012,
    busyShare: 0.75,
    answers: 5_000,
  };
  const old = fleet(0.1).slice(0, 8);
  const state = () => {
    const { next } = decide(initialState, observation(old), spec('random'), at);
    const capacity = { full: undefined, steps: [full] };
    return {
      ...next,
      learned: { ...next.learned, waits: { ...next.learned.waits, factor: 2, stretches: 9 }, capacity },
    };
  };

  test('stays while a canary’s pod stands first in the list, and after it is rolled back', () => {
    const both = observation([...fleet(0.1)].reverse(), { rolloutInProgress: true });
    const { next } = decide(state(), both, spec('random'), at + 1_000);
    const back = decide(next, observation(old), spec('random'), at + 2_000).next;
    for (const { learned } of [next, back])
      expect(learned).toMatchObject({
        revision: 'old',
        waits: { factor: 2, stretches: 9 },
        capacity: { steps: [full] },
      });
  });

  test('is forgotten once none of its pods is ready, and sizes not even that decision', () => {
    const { next, why } = decide(state(), observation(fleet(1).slice(8)), spec('random'), at + 1_000);
    expect(next.learned).toMatchObject({
      revision: 'new',
      waits: { factor: 1, stretches: 0 },
      capacity: { steps: [] },
    });
    expect(why.sentence).not.toContain('as measured');
    expect(why.inputs.fullBusyShare).toBeUndefined();
  });

  test('stays while no pod at all is ready', () => {
    const gone = observation(old.map((one) => ({ ...one, ready: false })));
    expect(decide(state(), gone, spec('random'), at + 1_000).next.learned.waits.factor).toBe(2);
  });
});
