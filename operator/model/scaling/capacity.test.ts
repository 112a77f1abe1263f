import { describe, expect, test } from '@jest/globals';
import { noCapacity, noGainOf, slowdownOf } from './capacity.ts';
import { input } from './testing/build.ts';
import { behindGateway, tell } from './testing/tell.ts';
import type { CapacityLearned, FullStep } from './types.ts';

const step = (replicas: number, perSecond: number, more: Partial<FullStep> = {}): FullStep => ({
  step: replicas,
  atMs: 0,
  replicas,
  perSecond,
  serviceSeconds: 0.1,
  busyShare: 1,
  answers: 10 * perSecond,
  ...more,
});
const learned = (...steps: FullStep[]): CapacityLearned => ({ full: undefined, steps });

describe('what a request takes beyond its service time', () => {
  test.each([
    ['nothing was full yet', learned(), 1],
    ['full replicas were busy all the time', learned(step(4, 40)), 1],
    ['nearly all the time', learned(step(4, 40, { busyShare: 0.92 })), 1],
    ['three quarters of it', learned(step(4, 30, { busyShare: 0.75 })), 1 / (1.1 * 0.75)],
    ['once all of it', learned(step(4, 30, { busyShare: 0.5 }), step(5, 50)), 1],
    ['hardly at all', learned(step(4, 4, { busyShare: 0.1 })), 2],
  ])('%s', (_name, what, slowdown) => {
    expect(slowdownOf(what)).toBeCloseTo(slowdown);
  });
});

describe('more replicas that served no more', () => {
  test.each([
    ['half as many again served half as much again', learned(step(4, 400), step(6, 600)), undefined],
    ['on a slower machine', learned(step(4, 400), step(8, 600)), undefined],
    ['nothing more', learned(step(4, 400), step(8, 404)), 5],
    ['less', learned(step(4, 400), step(8, 300)), 5],
    ['one more says nothing', learned(step(8, 800), step(9, 800)), undefined],
    ['too few answers to tell', learned(step(4, 4), step(8, 4.1)), undefined],
  ])('%s', (_name, what, replicas) => {
    expect(noGainOf(what, 1, 60_000)?.replicas).toBe(replicas);
  });

  test('is believed for ten minutes', () => {
    expect(noGainOf(learned(step(4, 400), step(8, 404)), 1, 599_000)?.replicas).toBe(5);
    expect(noGainOf(learned(step(4, 400), step(8, 404)), 1, 601_000)).toBeUndefined();
  });

  test('says what it is where no request took longer', () => {
    expect(noGainOf(learned(step(4, 400), step(8, 404)), 1, 0)?.sentence).toContain(
      'something else than the replicas',
    );
  });
});

describe('decide', () => {
  /** Four pods at most, full for two minutes, that serve `share` of what their service time says. */
  const overloaded = (share: number) =>
    tell(
      300,
      (second, ready, nowMs) =>
        behindGateway(
          (end) => (end < 20 || end >= 140 ? 200 : 600),
          () => ({
            queueLength: second >= 20 && second < 140 ? 100 : 0,
            served: (end) => (end < 120 || end >= 240 ? 200 : (share * ready) / 0.012),
          }),
        )(second, ready, nowMs),
      input({ balancing: 'least-outstanding', maxReplicas: 4, minReplicas: 2 }),
    );

  test('sizes by what full replicas served, and says so', () => {
    const { last, decisions } = overloaded(0.6);
    expect(decisions[19]?.why.inputs.fullBusyShare).toBeUndefined();
    expect(last.why.inputs.fullBusyShare).toBeCloseTo(0.6);
    expect(last.why.inputs.busyReplicas).toBeGreaterThan(1.4 * (200 * 0.012));
    expect(last.why.sentence).toContain('× 1.52 (as full replicas showed)');
  });

  test('is as it was where they served what was expected', () => {
    const { last } = overloaded(1);
    expect(last.why.inputs.fullBusyShare).toBeCloseTo(1);
    expect(last.why.sentence).not.toContain('showed');
  });
});

test('nothing is learned while nothing waits', () => {
  const { last } = tell(
    100,
    behindGateway(() => 300),
  );
  expect(last.next.learned.capacity).toBe(noCapacity);
});
