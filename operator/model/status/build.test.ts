/** The scaling decision in status, and when status is written. */
import { describe, expect, test } from '@jest/globals';
import { modelDeploymentSchema } from '../../../crds/schema.ts';
import type { ModelDeploymentStatus } from '../../../crds/status.ts';
import { plan } from '../plan.ts';
import type { Why } from '../scaling/types.ts';
import type { Snapshot } from '../snapshot.ts';
import { makeDeployment, makeSnapshot, noChildren, startMs } from '../testing/builders.ts';
import { conditionIn } from '../testing/settled.ts';
import { World } from '../testing/world.ts';
import { figuresEveryMs, statusDue } from './due.ts';

describe('scaling', () => {
  const why = (part: Partial<Why>): Why => ({
    reason: 'Latency',
    sentence: '3 are needed',
    inputs: { arrivalRate: 12.345678, queueLength: 'unknown' },
    freshness: 'ok',
    needed: 3,
    limited: undefined,
    ...part,
  });
  const elastic = (scaling: Snapshot['scaling']) =>
    plan(
      makeSnapshot({
        deployment: makeDeployment({
          sla: { latency: { p95: '50ms' }, window: '5m' },
          scaling: { maxReplicas: 4 },
        }),
        scaling,
      }),
    );
  test('a suspended deployment is within no limits that its own count contradicts', () => {
    const deployment = makeDeployment({ suspend: true, scaling: { minReplicas: 1, maxReplicas: 4 } });
    const scaling = { replicas: 1, why: why({}), lastChange: undefined };
    const { status } = plan(makeSnapshot({ deployment, scaling }));
    expect(status?.conditions?.find(({ type }) => type === 'ScalingLimited')).toMatchObject({
      status: 'False',
      message: 'spec.suspend is true: no pod is wanted',
    });
  });

  test('a decision that moved nothing goes when its reason does; one of another mode goes with the mode', () => {
    const decided = (reason: Why['reason'], previousReplicas: number) => ({
      time: '2026-01-01T11:00:00Z',
      replicas: 3,
      previousReplicas,
      reason,
      message: 'before',
      inputs: {},
    });
    const reasonAfter = (before: ReturnType<typeof decided>, reason: Why['reason']) => {
      const deployment = makeDeployment({
        sla: { latency: { p95: '50ms' }, window: '5m' },
        scaling: { maxReplicas: 4 },
      });
      const scaling = { replicas: 3, why: why({ reason }), lastChange: undefined };
      const status = { ...deployment.status, scaling: { lastDecision: before } };
      return plan(makeSnapshot({ deployment: { ...deployment, status }, scaling })).status?.scaling
        ?.lastDecision?.reason;
    };
    expect(reasonAfter(decided('HoldUnknown', 3), 'Latency')).toBe('Latency');
    expect(reasonAfter(decided('External', 3), 'Latency')).toBe('Latency');
    expect(reasonAfter(decided('Fixed', 1), 'Latency')).toBe('Latency');
    expect(reasonAfter(decided('Latency', 1), 'HoldDown')).toBe('Latency');
  });

  test('the decision that changed the count stays in status, with its inputs in numbers', () => {
    const decision = why({});
    const { status } = elastic({
      replicas: 3,
      why: why({ reason: 'HoldDown' }),
      lastChange: { at: startMs, replicas: 3, previousReplicas: 1, why: decision },
    });
    expect(status?.scaling).toMatchObject({ desiredReplicas: 3, minReplicas: 1, maxReplicas: 4 });
    expect(status?.scaling).toMatchObject({
      lastDecision: {
        time: '2026-01-01T12:00:00Z',
        replicas: 3,
        previousReplicas: 1,
        reason: 'Latency',
        message: '3 are needed',
        inputs: { arrivalRate: '12.35', queueLength: 'unknown' },
      },
    });
  });
  test.each<[string, Snapshot['scaling'], number, string]>([
    ['unknown keeps what runs, at least the minimum', 'unknown', 1, 'Unknown MetricsUnknown'],
    ['a decision is taken', { replicas: 3, why: why({}), lastChange: undefined }, 3, 'False WithinLimits'],
    [
      'a decision of yesterday’s limits is bounded by today’s',
      { replicas: 9, why: why({}), lastChange: undefined },
      4,
      'False WithinLimits',
    ],
    [
      'the limit is said',
      {
        replicas: 4,
        why: why({ limited: { reason: 'AtMaximum', sentence: '7 needed' } }),
        lastChange: undefined,
      },
      4,
      'True AtMaximum',
    ],
  ])('%s', (_, scaling, replicas, condition) => {
    const { status } = elastic(scaling);
    expect(status?.scaling?.desiredReplicas).toBe(replicas);
    expect(conditionIn(status, 'ScalingLimited')).toBe(condition);
  });
});

describe('writing status', () => {
  const world = new World(1);
  world.settle();
  const status = world.deployment.status as ModelDeploymentStatus;
  const moved = { ...status, summary: { ...status.summary, p95: '99ms', requestRate: '7/s' } };
  const turned = { ...status, summary: { ...status.summary, phase: 'Degraded' } };
  test.each<[string, ModelDeploymentStatus | undefined, ModelDeploymentStatus, number, unknown]>([
    ['a first status at once', undefined, status, 0, { write: true }],
    ['an equal one never', status, status, 99_000, { write: false, againAtMs: undefined }],
    ['a transition at once', status, turned, 1, { write: true }],
    ['figures not within half a minute', status, moved, 29_999, { write: false, againAtMs: 30_000 }],
    ['figures after half a minute', status, moved, 30_000, { write: true }],
  ])('%s', (_, previous, next, nowMs, want) => {
    expect(statusDue(previous, next, 0, nowMs, figuresEveryMs(100))).toEqual(want);
  });

  test.each([
    [1, 10_000],
    [20, 10_000],
    [21, 30_000],
    [300, 30_000],
    [5_000, 500_000],
  ])('a fleet of %i writes figures each %i ms', (size, everyMs) => {
    expect(figuresEveryMs(size)).toBe(everyMs);
  });

  test('what is written fits the schema of the CRD', () => {
    expect(modelDeploymentSchema.safeParse(world.deployment).error?.issues ?? []).toEqual([]);
  });

  test('every child of nobody is left alone', () => {
    expect(plan(makeSnapshot({ children: noChildren })).delete).toEqual([]);
  });
});
