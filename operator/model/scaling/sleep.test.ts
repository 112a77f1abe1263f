/** Each row of the table of sleep.ts. */
import { describe, expect, test } from '@jest/globals';
import { makeDeployment, type SpecPart } from '../testing/builders.ts';
import { idleAfterMs, type SleepFacts, type SleepState, sleepOf } from './sleep.ts';

const spec = (part: SpecPart = { scaling: { scaleToZero: { idleAfter: '30s' } } }) =>
  makeDeployment(part).spec;
const quiet: SleepFacts = {
  asked: 1,
  rolloutInProgress: false,
  isHeld: true,
  requestRate: 0,
  readyPods: 1,
  freshPods: 1,
  inFlight: 0,
};
const long: SleepState = { phase: 'awake', idleSinceMs: 1_000 };
const step = (before: SleepState | undefined, facts: Partial<SleepFacts>, nowMs = 31_000, slept = false) =>
  sleepOf(before, spec(), { ...quiet, ...facts }, slept, nowMs);

describe('awake', () => {
  test('falls asleep when nobody asked for idleAfter, and not a moment before', () => {
    const first = step(undefined, {}, 1_000);
    expect(first.state).toEqual({ phase: 'awake', idleSinceMs: 1_000 });
    expect(step(first.state, {}, 30_999).state.phase).toBe('awake');
    const fallen = step(first.state, {});
    expect(fallen.state.phase).toBe('falling');
    expect(fallen.sentence).toContain('no request for scaleToZero.idleAfter (30s)');
  });
  test.each<[string, Partial<SleepFacts>]>([
    ['requests come', { requestRate: 0.1 }],
    ['a request runs', { inFlight: 1 }],
    ['the rate is not known', { requestRate: 'unknown' }],
    ['a ready pod was not heard', { readyPods: 2, freshPods: 1 }],
    ['no pod is ready', { readyPods: 0, freshPods: 0 }],
    ['a revision is being rolled out', { rolloutInProgress: true }],
    ['no gateway holds requests', { isHeld: false }],
  ])('stays, with its clock at nought, where %s', (_, facts) => {
    expect(step(long, facts)).toEqual({
      state: { phase: 'awake', idleSinceMs: undefined },
      sentence: undefined,
    });
  });
});

describe('falling and asleep', () => {
  const falling: SleepState = { phase: 'falling', idleSinceMs: 1_000, fallingSinceMs: 30_000 };
  const asleep: SleepState = { phase: 'asleep', idleSinceMs: 1_000 };
  test.each<[string, SleepState, Partial<SleepFacts>, SleepState['phase']]>([
    ['the Deployment is at 0', falling, { asked: 0, readyPods: 0, freshPods: 0 }, 'asleep'],
    ['nothing has happened yet', falling, {}, 'falling'],
    ['a request came at the last moment', falling, { requestRate: 1 }, 'awake'],
    [
      'it was lowered and raised again between two looks',
      falling,
      { readyPods: 0, zeroAtMs: 30_500 },
      'awake',
    ],
    ['it was lowered long ago, for another sleep', falling, { readyPods: 0, zeroAtMs: 20_000 }, 'falling'],
    ['nobody raised it', asleep, { asked: 0, readyPods: 0, requestRate: 'unknown' }, 'asleep'],
    ['the gateway raised it', asleep, { asked: 1, readyPods: 0, requestRate: 'unknown' }, 'awake'],
    ['a new revision is to be tried', asleep, { asked: 0, rolloutInProgress: true }, 'awake'],
    ['the last gateway went away', asleep, { asked: 0, isHeld: false }, 'awake'],
  ])('%s', (_, before, facts, phase) => {
    const { state, sentence } = step(before, facts);
    expect(state.phase).toBe(phase);
    expect(sentence === undefined).toBe(phase === 'awake');
  });
  test.each([
    ['0 was wanted and is', true, 0, 'asleep'],
    ['0 was wanted, and the gateway has raised it meanwhile', true, 1, 'awake'],
    ['a replica was wanted', false, 0, 'awake'],
  ])('an operator that starts anew finds: %s', (_, slept, asked, phase) => {
    expect(step(undefined, { asked }, 1_000, slept).state.phase).toBe(phase);
  });
});

test.each<[SpecPart, number | undefined]>([
  [{}, undefined],
  [{ scaling: { scaleToZero: {} } }, 600_000],
  [{ scaling: { scaleToZero: {}, mode: 'Fixed' } }, undefined],
  [{ scaling: { scaleToZero: {} }, suspend: true }, undefined],
])('%j has the idle time %s', (part, ms) => {
  expect(idleAfterMs(spec(part))).toBe(ms);
});
