/** The truth tables of the conditions, line by line: what is seen, and what is said. */
import { describe, expect, test } from '@jest/globals';
import { statusSchema } from '../../../crds/status.ts';
import { plan } from '../plan.ts';
import { emptyMemory, type Snapshot } from '../snapshot.ts';
import { makeDeployment, makeSnapshot } from '../testing/builders.ts';
import { conditionIn, crashed, rewritten, statusAfter, unready } from '../testing/settled.ts';
import { World } from '../testing/world.ts';

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
      /^1 of 2 pods of revision \S+ are ready; pod \S+, container serve, exit code 134: line before\nmodel hung for 60 s$/,
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

  test('a candidate that crashes again and again is stalled after a minute, and tried on until its deadline', () => {
    const world = new World(1);
    world.settle();
    const stable = world.deployment.status?.stable?.revision;
    world.write({ runtime: { threads: 2 } }, 'never-ready');
    world.operator();
    world.deploymentController();
    const candidates = () =>
      world.pods.filter(({ metadata }) => metadata.labels?.['ballast.dev/revision'] !== stable);
    expect(candidates()).toHaveLength(1);
    world.pods = world.pods.map((pod) => (candidates().includes(pod) ? unready(pod, crashed) : pod));
    world.operator();
    expect(conditionIn(world.deployment.status, 'Stalled')).toBe('False RollingOut');
    const started = Date.parse(world.deployment.status?.rollout?.startedAt ?? '');
    world.nowMs = started + 60_000;
    world.operator();
    expect(
      ['Available', 'Ready', 'Reconciling', 'Stalled'].map((type) =>
        conditionIn(world.deployment.status, type),
      ),
    ).toEqual(['True Serving', 'False PodCrashing', 'False PodCrashing', 'True PodCrashing']);
    expect(world.deployment.status?.rollout?.failedRevision).toBeUndefined();
    const stalled = world.deployment.status?.conditions?.find((one) => one.type === 'Stalled');
    expect(stalled?.message).toContain(`revision ${stable} keeps serving`);
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
