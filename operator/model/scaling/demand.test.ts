import { expect, test } from '@jest/globals';
import { initialState } from './decide.ts';
import { demandOf } from './demand.ts';
import { input, observation } from './testing/build.ts';
import type { Decision, Known } from './types.ts';

const standing = { key: 'a', pool: '', weight: 1, cost: 1, asks: {}, releaseSeconds: 5 };
const decision = (replicas: number, needed: Known<number>): Decision => ({
  replicas,
  why: {
    reason: 'HoldBlocked',
    sentence: '',
    inputs: { slotsPerReplica: 2, startupSeconds: 30, arrivalRate10s: 7 },
    freshness: 'ok',
    needed,
    limited: undefined,
  },
  next: { ...initialState, service: { meanSeconds: 0.1, scv: 1 } },
});
const of = (one: Decision, changes: Parameters<typeof input>[0] = {}) =>
  demandOf(one, observation([]), input({ maxReplicas: 9, ...changes }), standing);

test('what is needed counts, not what a hold left of it: up to maxReplicas and to what the money pays', () => {
  expect(of(decision(3, 20))).toMatchObject({ wanted: 9, least: 1, aheadMs: 35_000, ratePerSecond: 7 });
  expect(of(decision(3, 20), { costCap: { replicas: 5, sentence: '' } }).wanted).toBe(5);
  expect(of(decision(3, 'unknown')).wanted).toBe(3);
  // A decrease that waits is not hurried.
  expect(of(decision(3, 1)).wanted).toBe(3);
});

test('minReplicas and the floor of a schedule are guaranteed', () => {
  expect(of(decision(6, 6), { minReplicas: 2 }).least).toBe(2);
  expect(of(decision(6, 6), { scheduled: { replicas: 4, window: 'noon' } }).least).toBe(4);
});

test('what another chooses is all guaranteed, and of unknown worth', () => {
  expect(of(decision(6, 6), { mode: 'External' })).toMatchObject({ wanted: 6, least: 6, model: 'unknown' });
});
