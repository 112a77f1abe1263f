/** The truth tables of status, line by line: what is seen, and what is said. */
import { describe, expect, test } from '@jest/globals';
import { modelDeploymentSchema } from '../../../crds/schema.ts';
import { type ModelDeploymentStatus, statusSchema } from '../../../crds/status.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { Pod } from '../../../kube/objects.ts';
import { plan } from '../plan.ts';
import type { Why } from '../scaling/types.ts';
import type { Snapshot } from '../snapshot.ts';
import { emptyMemory } from '../snapshot.ts';
import {
  makeDeployment,
  makeMeasured,
  makePod,
  makeRefusedReplicaSet,
  makeSnapshot,
  noChildren,
  type SpecPart,
  sha,
  startMs,
} from '../testing/builders.ts';
import { World } from '../testing/world.ts';
import { statusDue } from './due.ts';
import { formatLatency, formatPercent, formatRate } from './rounding.ts';
import { slaMet, slaStatus } from './sla.ts';

const conditionIn = (status: ModelDeploymentStatus | undefined, type: string) => {
  const found = status?.conditions?.find((one) => one.type === type);
  return found === undefined ? undefined : `${found.status} ${found.reason}`;
};

/** A `wine` that runs with two ready pods, then changed by `change`; the status that is said next. */
function statusAfter(change: (snapshot: Snapshot) => Partial<Snapshot>, replicas = 2): ModelDeploymentStatus {
  const world = new World(replicas);
  world.settle();
  const settled = world.snapshot();
  const changed = { ...settled, ...change(settled) };
  return plan(changed).status ?? (changed.deployment.status as ModelDeploymentStatus);
}

const rewritten = ({ deployment }: Snapshot, spec: SpecPart): ModelDeployment => ({
  ...deployment,
  metadata: { ...deployment.metadata, generation: deployment.metadata.generation + 1 },
  spec: { ...deployment.spec, ...spec, scaling: { ...deployment.spec.scaling, ...spec.scaling } },
});
const unready = (pod: Pod, part: Parameters<typeof makePod>[1] = {}) =>
  makePod(pod.metadata.labels?.['ballast.dev/revision'] ?? '', { name: pod.metadata.name ?? '', ...part });

const crashed = {
  containers: [
    {
      name: 'serve',
      restartCount: 4,
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } },
      lastState: { terminated: { exitCode: 134, message: 'line before\nmodel hung for 60 s' } },
    },
  ],
};

describe('conditions', () => {
  type Row = [
    name: string,
    change: (snapshot: Snapshot) => Partial<Snapshot>,
    want: { Available: string; Ready: string; Reconciling: string; Stalled: string; phase: string },
  ];
  const rows: Row[] = [
    [
      'all pods ready',
      () => ({}),
      {
        Available: 'True Serving',
        Ready: 'True UpToDate',
        Reconciling: 'False UpToDate',
        Stalled: 'False UpToDate',
        phase: 'Ready',
      },
    ],
    [
      'one of two pods crashes',
      ({ pods }) => ({ pods: pods.map((pod, index) => (index === 0 ? unready(pod, crashed) : pod)) }),
      {
        Available: 'True Serving',
        Ready: 'False ScalingUp',
        Reconciling: 'True ScalingUp',
        Stalled: 'False ScalingUp',
        phase: 'Degraded',
      },
    ],
    [
      'no pod is left, nothing failed',
      () => ({ pods: [] }),
      {
        Available: 'False NoReadyPods',
        Ready: 'False ScalingUp',
        Reconciling: 'True ScalingUp',
        Stalled: 'False ScalingUp',
        phase: 'Scaling',
      },
    ],
    [
      'more replicas were asked for',
      (snapshot) => ({ deployment: rewritten(snapshot, { scaling: { replicas: 5 } }) }),
      {
        Available: 'True Serving',
        Ready: 'False ScalingUp',
        Reconciling: 'True ScalingUp',
        Stalled: 'False ScalingUp',
        phase: 'Scaling',
      },
    ],
    [
      'a new revision',
      (snapshot) => ({ deployment: rewritten(snapshot, { runtime: { threads: 4 } }) }),
      {
        Available: 'True Serving',
        Ready: 'False RollingOut',
        Reconciling: 'True RollingOut',
        Stalled: 'False RollingOut',
        phase: 'RollingOut',
      },
    ],
    [
      'restartedAt with old pods left',
      (snapshot) => ({ deployment: rewritten(snapshot, { rollout: { restartedAt: 'now' } }) }),
      {
        Available: 'True Serving',
        Ready: 'False RollingOut',
        Reconciling: 'True RollingOut',
        Stalled: 'False RollingOut',
        phase: 'RollingOut',
      },
    ],
    [
      'suspended with pods left',
      (snapshot) => ({ deployment: rewritten(snapshot, { suspend: true }) }),
      {
        Available: 'True Serving',
        Ready: 'False Suspended',
        Reconciling: 'True Suspended',
        Stalled: 'False Suspended',
        phase: 'Suspended',
      },
    ],
    [
      'suspended, all gone',
      (snapshot) => ({ deployment: rewritten(snapshot, { suspend: true }), pods: [] }),
      {
        Available: 'False Suspended',
        Ready: 'False Suspended',
        Reconciling: 'False Suspended',
        Stalled: 'False Suspended',
        phase: 'Suspended',
      },
    ],
    [
      'a spec that cannot be served',
      (snapshot) => ({ deployment: rewritten(snapshot, { model: { uri: 'file:///etc/passwd' } }) }),
      {
        Available: 'True Serving',
        Ready: 'False SpecInvalid',
        Reconciling: 'False SpecInvalid',
        Stalled: 'True SpecInvalid',
        phase: 'Degraded',
      },
    ],
    [
      'a request of the operator was refused',
      () => ({
        memory: {
          ...emptyMemory,
          refusal: {
            kind: 'Forbidden',
            verb: 'patch',
            resource: 'networkpolicies.networking.k8s.io',
            child: 'networkPolicies/wine',
            message: 'no',
          },
        },
      }),
      {
        Available: 'True Serving',
        Ready: 'False Forbidden',
        Reconciling: 'False Forbidden',
        Stalled: 'True Forbidden',
        phase: 'Degraded',
      },
    ],
    [
      'a name belongs to somebody else',
      ({ children }) => ({
        children: {
          ...children,
          services: children.services.map((service) =>
            service.metadata.name === 'wine'
              ? { ...service, metadata: { ...service.metadata, ownerReferences: [], labels: {} } }
              : service,
          ),
        },
      }),
      {
        Available: 'True Serving',
        Ready: 'False ChildConflict',
        Reconciling: 'False ChildConflict',
        Stalled: 'True ChildConflict',
        phase: 'Degraded',
      },
    ],
    [
      'being deleted',
      ({ deployment }) => ({
        deployment: {
          ...deployment,
          metadata: { ...deployment.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
        },
      }),
      {
        Available: 'True Serving',
        Ready: 'False Deleting',
        Reconciling: 'True Deleting',
        Stalled: 'False Deleting',
        phase: 'Deleting',
      },
    ],
  ];
  test.each(rows)('%s', (_, change, want) => {
    const status = statusAfter(change);
    expect({
      Available: conditionIn(status, 'Available'),
      Ready: conditionIn(status, 'Ready'),
      Reconciling: conditionIn(status, 'Reconciling'),
      Stalled: conditionIn(status, 'Stalled'),
      phase: status.summary?.phase,
    }).toEqual(want);
    expect(statusSchema.safeParse(status).error?.issues ?? []).toEqual([]);
  });

  test('nothing exists yet', () => {
    const { status } = plan(makeSnapshot());
    expect(conditionIn(status, 'Available')).toBe('False NoReadyPods');
    expect(conditionIn(status, 'Ready')).toBe('False RollingOut');
    expect(status?.summary).toMatchObject({ ready: '0/1', phase: 'Pending', sla: '-' });
  });

  test('a first spec that cannot be served makes nothing and says Failed', () => {
    const decided = plan(
      makeSnapshot({ deployment: makeDeployment({ model: { uri: 'file:///x/model.onnx' } }) }),
    );
    expect(decided.apply).toEqual([]);
    expect(decided.status?.summary?.phase).toBe('Failed');
    expect(conditionIn(decided.status, 'Stalled')).toBe('True SpecInvalid');
  });

  test('a stable revision short of pods for the whole deadline is stalled, with pod, container, exit code and last words', () => {
    const world = new World(2);
    world.settle();
    world.pods = world.pods.map((pod, index) => (index === 0 ? unready(pod, crashed) : pod));
    world.operator();
    expect(conditionIn(world.deployment.status, 'Stalled')).toBe('False ScalingUp');
    const waits = plan(world.snapshot()).requeueAfterMs ?? Number.NaN;
    expect(waits).toBeGreaterThan(590_000);
    world.nowMs += 600_000;
    world.operator();
    const stalled = world.deployment.status?.conditions?.find((one) => one.type === 'Stalled');
    expect(stalled).toMatchObject({ status: 'True', reason: 'PodCrashing' });
    expect(stalled?.message).toMatch(
      /^1 of 2 pods are ready; pod \S+, container serve, exit code 134: line before\nmodel hung for 60 s$/,
    );
    expect(world.deployment.status?.failures).toEqual([
      {
        pod: world.pods[0]?.metadata.name,
        container: 'serve',
        revision: world.deployment.status?.stable?.revision,
        reason: 'PodCrashing',
        exitCode: 134,
        restarts: 4,
        message: 'line before\nmodel hung for 60 s',
      },
    ]);
  });

  test('lastTransitionTime moves only with the status', () => {
    const world = new World(1);
    world.settle();
    const before = world.deployment.status?.conditions?.find((one) => one.type === 'Available');
    world.nowMs += 60_000;
    world.write({ scaling: { replicas: 2 } });
    world.operator();
    const after = world.deployment.status?.conditions;
    expect(after?.find((one) => one.type === 'Available')?.lastTransitionTime).toBe(
      before?.lastTransitionTime,
    );
    expect(after?.find((one) => one.type === 'Ready')?.lastTransitionTime).not.toBe(
      before?.lastTransitionTime,
    );
  });
});

describe('failures', () => {
  const reasonOf = (part: Parameters<typeof makePod>[1]) => {
    const status = statusAfter(({ pods }) => ({ pods: pods.map((pod) => unready(pod, part)) }), 1);
    return status.failures?.map(({ reason, exitCode, message }) => [reason, exitCode, message]);
  };
  const fetchEnded = (exitCode: number, message: string) => ({
    initContainers: [{ name: 'fetch', restartCount: 1, lastState: { terminated: { exitCode, message } } }],
    containers: [],
  });
  test.each<[string, Parameters<typeof makePod>[1], unknown]>([
    ['starting is no failure', {}, undefined],
    [
      'the image cannot be pulled',
      { containers: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }] },
      [['ImagePullFailed', undefined, 'no such image']],
    ],
    [
      'no node has room',
      {
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' },
        ],
      },
      [['Unschedulable', undefined, '0/3 nodes']],
    ],
    [
      'the kernel ended it',
      {
        containers: [{ restartCount: 1, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }],
      },
      [['OutOfMemory', 137, 'OOMKilled']],
    ],
    [
      'the model is not there',
      fetchEnded(3, '{"reason":"ModelNotFound","message":"404"}'),
      [['ModelUnavailable', 3, '404']],
    ],
    [
      'the model is another file',
      fetchEnded(4, 'log line\n{"reason":"DigestMismatch","message":"got b, wanted a"}'),
      [['DigestMismatch', 4, 'got b, wanted a']],
    ],
    [
      'a reason that is none of ours stays text',
      fetchEnded(1, '{"reason":"__proto__","message":"x"}'),
      [['PodCrashing', 1, '{"reason":"__proto__","message":"x"}']],
    ],
    [
      'a Secret is missing',
      {
        containers: [
          { state: { waiting: { reason: 'CreateContainerConfigError', message: 'secret "s" not found' } } },
        ],
      },
      [['NoReadyPods', undefined, 'CreateContainerConfigError: secret "s" not found']],
    ],
    [
      'a restart long ago of a container that is well',
      {
        ready: true,
        containers: [{ ready: true, restartCount: 3, lastState: { terminated: { exitCode: 1 } } }],
      },
      undefined,
    ],
  ])('%s', (_, part, want) => {
    expect(reasonOf(part)).toEqual(want);
  });

  test('pods that the quota refuses are shown by their ReplicaSet', () => {
    const status = statusAfter(({ pods, deployment }) => {
      const revision = deployment.status?.stable?.revision ?? '';
      return {
        pods: pods.slice(1),
        replicaSets: [makeRefusedReplicaSet(revision, 'pods "x" is forbidden: exceeded quota: compute')],
      };
    });
    expect(status.failures?.[0]).toMatchObject({
      reason: 'QuotaExceeded',
      message: /exceeded quota: compute/,
    });
  });

  test('a later pod that fetched another file is told apart', () => {
    const status = statusAfter(({ pods, deployment }) => {
      const revision = deployment.status?.stable?.revision ?? '';
      return {
        pods: pods.map((pod, index) =>
          makePod(revision, {
            name: pod.metadata.name ?? '',
            ready: true,
            sha256: sha(index === 0 ? 'a' : 'b'),
            createdAtMs: startMs + index,
          }),
        ),
      };
    });
    expect(status.stable?.sha256).toBe(sha('a'));
    expect(status.failures?.[0]?.reason).toBe('DigestMoved');
  });

  test('at most ten are shown, the newest revision first', () => {
    const world = new World(12, { scaling: { replicas: 12 } });
    world.settle();
    const old = world.deployment.status?.stable?.revision ?? '';
    const next = world.write({ runtime: { threads: 8 } }, 'crashes');
    world.operator();
    world.pods = [
      ...world.pods.map((pod) => unready(pod, crashed)),
      makePod(next, { name: 'a-new-one', ...crashed }),
    ];
    world.operator();
    expect(world.deployment.status?.failures).toHaveLength(10);
    expect(world.deployment.status?.failures?.map(({ revision }) => revision)).toEqual([
      next,
      ...Array.from({ length: 9 }, () => old),
    ]);
  });
});

describe('promise and measurement', () => {
  const promised = makeDeployment({ sla: { latency: { p95: '50ms' }, errorRate: '1%', window: '5m' } }).spec;
  const late = (share: number, p95 = 40) =>
    makeMeasured({ latencyMs: { p50: 5, p90: 20, p95, p99: 80 }, lateShare: { p95: share } });
  test.each<[string, Parameters<typeof slaMet>, string]>([
    ['nothing is promised', [makeDeployment().spec, makeMeasured()], 'Unknown NotPromised'],
    ['no loop has run', [promised, 'unknown'], 'Unknown MetricsUnknown'],
    ['pods are silent', [promised, makeMeasured({ readyPods: 2, freshPods: 0 })], 'Unknown MetricsUnknown'],
    ['no request came', [promised, makeMeasured({ requests: 0 })], 'Unknown NoTraffic'],
    ['every promise is kept', [promised, late(0.04)], 'True Met'],
    ['too many are late', [promised, late(0.06, 61)], 'False Violated'],
    ['too many fail', [promised, { ...late(0.01), errorRate: 0.02 }], 'False Violated'],
  ])('%s', (_, args, want) => {
    const { status, reason } = slaMet(...args);
    expect(`${status} ${reason}`).toBe(want);
  });

  test('the message has promised and measured, and the budget what is left', () => {
    const measured = { ...late(0.02, 41), errorRate: 0.0002 };
    expect(slaMet(promised, measured).message).toBe(
      'promised p95 50ms, measured 41ms; promised error rate 1%, measured 0.02% over the last 5m',
    );
    // 2 % late of 5 % allowed: 60 % is left, less than of the error rate's.
    expect(slaStatus(promised, measured)).toEqual({
      window: '5m',
      requests: 100,
      p50: '5ms',
      p90: '20ms',
      p95: '41ms',
      p99: '80ms',
      errorRate: '0.02%',
      budgetLeft: '60%',
    });
  });

  test('a broken budget is 0 %, never negative, and an unkeepable one too', () => {
    expect(slaStatus(promised, late(0.5, 900))?.budgetLeft).toBe('0%');
    const none = makeDeployment({ sla: { errorRate: '0%', window: '5m' } }).spec;
    expect(slaMet(none, makeMeasured({ errorRate: 0 })).status).toBe('True');
    expect(slaStatus(none, makeMeasured({ errorRate: 0.001 }))?.budgetLeft).toBe('0%');
  });

  test.each([
    [formatLatency(0.04), '<0.1ms'],
    [formatLatency(4.237), '4.2ms'],
    [formatLatency(41.4), '41ms'],
    [formatLatency(123.4), '123ms'],
    [formatLatency(1234), '1.23s'],
    [formatLatency(Number.POSITIVE_INFINITY), 'failed'],
    [formatRate(0), '0/s'],
    [formatRate(0.444), '0.44/s'],
    [formatRate(1234), '1200/s'],
    [formatPercent(0.00021), '0.021%'],
    [formatPercent(1), '100%'],
  ])('%s is %s', (got, want) => {
    expect(got).toBe(want);
  });
});

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
  test('the decision that changed the count stays in status, with its inputs in numbers', () => {
    const decision = why({});
    const { status } = elastic({
      replicas: 3,
      why: why({ reason: 'HoldDown' }),
      lastChange: { at: startMs, replicas: 3, previousReplicas: 1, why: decision },
    });
    expect(status?.scaling).toEqual({
      desiredReplicas: 3,
      minReplicas: 1,
      maxReplicas: 4,
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
    expect(statusDue(previous, next, 0, nowMs)).toEqual(want);
  });

  test('what is written fits the schema of the CRD', () => {
    expect(modelDeploymentSchema.safeParse(world.deployment).error?.issues ?? []).toEqual([]);
  });

  test('every child of nobody is left alone', () => {
    expect(plan(makeSnapshot({ children: noChildren })).delete).toEqual([]);
  });
});
