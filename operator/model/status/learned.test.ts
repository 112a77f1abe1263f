/** What is kept of the scaler's memory in status: written along, never for its own sake, lost by no write. */
import { describe, expect, test } from '@jest/globals';
import { type LearnedStatus, statusSchema } from '../../../crds/status.ts';
import { decide, initialState } from '../scaling/decide.ts';
import { restoredState } from '../scaling/restore.ts';
import { input, observation, pods } from '../scaling/testing/build.ts';
import type { ScalingState, Why } from '../scaling/types.ts';
import type { ScalingReading } from '../snapshot.ts';
import { startMs } from '../testing/builders.ts';
import { rewritten, statusAfter } from '../testing/settled.ts';
import { statusDue } from './due.ts';
import { learnedStatus } from './learned.ts';

const atMs = 5_000_000;
const seen = decide(initialState, observation(pods(4, atMs, 100, { revision: 'abc' })), input(), atMs).next;
const step = {
  atMs: atMs - 90_000,
  perSecond: 412.34,
  serviceSeconds: 0.012_345,
  busyShare: 0.61,
  answers: 4_123.4,
};
const state: ScalingState = {
  ...seen,
  learned: {
    revision: 'abc',
    waits: { factor: 1.618_03, stretches: 12, stretch: undefined },
    capacity: { full: undefined, steps: [{ ...step, step: 7, replicas: 4 }] },
  },
};
const memory = { state, at: startMs, atMs };
const why: Why = {
  reason: 'Latency',
  sentence: '4 are needed',
  inputs: {},
  freshness: 'ok',
  needed: 4,
  limited: undefined,
};
const reading = (part: Partial<ScalingReading> = {}): ScalingReading => ({
  replicas: 2,
  why,
  lastChange: undefined,
  ...part,
});

describe('what is kept', () => {
  test('is of the revision, in texts of three digits, and short', () => {
    const learned = learnedStatus(undefined, memory);
    expect(learned).toEqual({
      at: '2026-01-01T12:00:00Z',
      revision: 'abc',
      service: { meanSeconds: '0.012', scv: '0.1' },
      waits: { factor: '1.62', stretches: 12 },
      full: [
        {
          at: '2026-01-01T11:58:30Z',
          replicas: 4,
          perSecond: '412',
          serviceSeconds: '0.0123',
          busyShare: '0.61',
          answers: 4_123,
        },
      ],
    });
    expect(JSON.stringify(learned).length).toBeLessThan(330);
  });

  test('is read back as it was, and read back again with no more age than it has', () => {
    const wallMs = startMs + 60_000;
    const again = restoredState(JSON.parse(JSON.stringify(learnedStatus(undefined, memory))), wallMs, 1_000);
    expect(again.learned.waits).toMatchObject({ factor: 1.62, stretches: 12 });
    const second = learnedStatus(learnedStatus(undefined, memory), { state: again, at: wallMs, atMs: 1_000 });
    expect(second).toEqual(learnedStatus(undefined, memory));
  });

  test('is nothing while nothing was learned', () => {
    expect(learnedStatus(undefined, { state: initialState, at: startMs, atMs })).toBeUndefined();
  });

  test('has a forecast’s margin once this process knows one, and until then the one of before', () => {
    const forecast = { bin: 1, level: 1, trend: 0, recent: [], pending: [], margin: 0.84 };
    const of = (errors: number, kept?: ScalingState['keptMargin']) =>
      learnedStatus(before, {
        ...memory,
        state: {
          ...state,
          forecast: { ...forecast, errors: new Array<number>(errors).fill(0.5) },
          keptMargin: kept,
        },
      })?.forecast;
    const before: LearnedStatus = {
      at: '2026-01-01T11:55:00Z',
      revision: 'abc',
      forecast: { at: '2026-01-01T11:50:00Z', margin: '2.5' },
    };
    expect(of(60)).toEqual({ at: '2026-01-01T12:00:00Z', margin: '0.84' });
    expect(of(59, { margin: 2.5, untilMs: atMs + 1 })).toEqual(before.forecast);
    expect(of(59)).toBeUndefined();
  });
});

describe('status', () => {
  test('has it as the CRD has it, and keeps it while this process has decided nothing', () => {
    const first = statusAfter(() => ({ scaling: reading({ memory }) }));
    expect(statusSchema.safeParse(first).error?.issues ?? []).toEqual([]);
    expect(first.scaling?.learned?.waits?.factor).toBe('1.62');
    const later = (scaling: 'unknown' | ScalingReading) =>
      statusAfter((settled) => {
        const deployment = rewritten(settled, { scaling: { maxReplicas: 7 } });
        return { deployment: { ...deployment, status: first }, scaling };
      });
    for (const scaling of ['unknown', reading()] as const) {
      const status = later(scaling);
      expect(status.observedGeneration).toBe((first.observedGeneration ?? 0) + 1);
      expect(status.scaling?.learned).toEqual(first.scaling?.learned);
    }
  });

  test.each([
    { what: 'nothing else is new', next: {} },
    { what: 'a figure moved', next: { summary: { message: 'other words' } } },
    { what: 'the count changed', next: { replicas: 3 } },
  ])('is written with it just when it would be without: $what', ({ next }) => {
    const before = { replicas: 2, scaling: { desiredReplicas: 2 } };
    const learned = learnedStatus(undefined, memory);
    const other = learnedStatus(undefined, { ...memory, at: startMs + 30_000 });
    const withLearned = <T extends typeof before>(status: T, is: LearnedStatus | undefined) => ({
      ...status,
      scaling: { ...status.scaling, ...(is === undefined ? {} : { learned: is }) },
    });
    for (const sinceMs of [0, 9_999, 10_000]) {
      const without = statusDue(before, { ...before, ...next }, 0, sinceMs, 10_000);
      for (const [old, fresh] of [
        [undefined, learned],
        [learned, other],
        [learned, undefined],
      ] as const)
        expect(
          statusDue(withLearned(before, old), withLearned({ ...before, ...next }, fresh), 0, sinceMs, 10_000),
        ).toEqual(without);
    }
  });
});
