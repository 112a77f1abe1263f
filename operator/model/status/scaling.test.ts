/** What status says of scaling: who owns the count, what is decided now, the last ten decisions, and fights. */
import { describe, expect, test } from '@jest/globals';
import { statusSchema } from '../../../crds/status.ts';
import type { FieldsOwner } from '../../../crds/types.ts';
import { plan } from '../plan.ts';
import type { Why } from '../scaling/types.ts';
import { childKey, type ScalingChange, type ScalingReading, type Snapshot } from '../snapshot.ts';
import { makeDeployment, makeSnapshot, type SpecPart, startMs } from '../testing/builders.ts';
import { conditionIn, statusAfter } from '../testing/settled.ts';
import { statusDue } from './due.ts';

const why: Why = {
  reason: 'Latency',
  sentence: '3 are needed',
  inputs: { plannedRate: 118.4, busyReplicas: 1.42, readyPods: 3, startupSeconds: 'unknown' },
  freshness: 'ok',
  needed: 3,
  limited: undefined,
};
const elastic: SpecPart = {
  sla: { latency: { p95: '50ms' }, window: '5m' },
  scaling: { maxReplicas: 20 },
};
const statusOf = (scaling: ScalingReading, spec = elastic, before?: Snapshot['deployment']['status']) =>
  plan(makeSnapshot({ deployment: makeDeployment(spec, { ...(before ? { status: before } : {}) }), scaling }))
    .status;
const change = (second: number, replicas: number): ScalingChange => ({
  at: startMs + second * 1_000,
  replicas,
  previousReplicas: replicas - 1,
  why: { ...why, sentence: `${replicas} are needed` },
});

describe('what is decided at present', () => {
  test('in numbers with units; what is unknown is left out', () => {
    const status = statusOf({ replicas: 3, why, lastChange: undefined, startupSeconds: 9.04 });
    expect(statusSchema.safeParse(status).error?.issues ?? []).toEqual([]);
    expect(status?.scaling).toMatchObject({
      owner: 'Ballast',
      current: {
        reason: 'Latency',
        message: '3 are needed',
        neededReplicas: 3,
        arrivalRate: '120/s',
        utilisation: '47%',
        startupTime: '9.04s',
      },
    });
    expect(status?.scaling?.current).not.toHaveProperty('forecastRate');
    expect(status?.scaling?.current).not.toHaveProperty('limitedBy');
  });

  test('moving with the load is no reason to write at once; a new limit is', () => {
    const first = statusOf({ replicas: 3, why, lastChange: undefined });
    const moved = statusOf({
      replicas: 3,
      why: { ...why, inputs: { plannedRate: 99 } },
      lastChange: undefined,
    });
    const limited = statusOf({
      replicas: 3,
      why: { ...why, limited: { reason: 'NoRoom', sentence: 'no room' } },
      lastChange: undefined,
    });
    if (first === undefined || moved === undefined || limited === undefined) throw new Error('no status');
    expect(statusDue(first, moved, 0, 1, 30_000).write).toBe(false);
    expect(statusDue(first, limited, 0, 1, 30_000).write).toBe(true);
  });
});

describe('the last ten decisions', () => {
  const reading = (...changes: ScalingChange[]): ScalingReading => ({
    replicas: changes[0]?.replicas ?? 1,
    why,
    lastChange: changes[0],
    recentChanges: changes,
  });
  const told = (status: ReturnType<typeof statusOf>) =>
    status?.scaling?.recentDecisions?.map(({ replicas }) => replicas);

  test('are kept, the newest first, over writes and restarts of the operator', () => {
    const first = statusOf(reading(change(2, 4), change(1, 3)));
    expect(told(first)).toEqual([4, 3]);
    // The same process decides on: what status has of its own is not told twice.
    const second = statusOf(reading(change(3, 5), change(2, 4), change(1, 3)), elastic, first);
    expect(told(second)).toEqual([5, 4, 3]);
    // A new process knows nothing but what status has.
    expect(told(statusOf(reading(change(9, 6)), elastic, second))).toEqual([6, 5, 4, 3]);
    // Nothing is new: the status in the cluster stands.
    expect(statusOf({ replicas: 5, why, lastChange: undefined }, elastic, second)).toBeUndefined();
  });

  test('are ten at most, and stay while nothing is decided yet', () => {
    const many = statusOf(
      reading(...Array.from({ length: 12 }, (_, index) => change(20 - index, 14 - index))),
    );
    expect(told(many)).toEqual([14, 13, 12, 11, 10, 9, 8, 7, 6, 5]);
    // Nothing of it has to be written again.
    const unknown = plan(
      makeSnapshot({ deployment: makeDeployment(elastic, { status: many ?? {} }), scaling: 'unknown' }),
    );
    expect(unknown.status).toBeUndefined();
  });
});

describe('one owner of the count', () => {
  const entry = (manager: string): FieldsOwner => ({
    manager,
    subresource: 'scale',
    operation: 'Update',
    time: '2026-01-01T11:59:00Z',
    fieldsV1: { 'f:spec': { 'f:scaling': { 'f:replicas': {} } } },
  });
  const inMode = (mode: 'SLA' | 'Fixed' | 'External', manager?: string) => {
    const deployment = makeDeployment({ scaling: { mode, replicas: 3 } });
    return plan(
      makeSnapshot({
        deployment: {
          ...deployment,
          metadata: {
            ...deployment.metadata,
            ...(manager === undefined ? {} : { managedFields: [entry(manager)] }),
          },
        },
        scaling: {
          replicas: 3,
          why: { ...why, reason: mode === 'SLA' ? 'Latency' : mode },
          lastChange: undefined,
        },
      }),
    ).status;
  };

  test.each<['SLA' | 'Fixed' | 'External', string | undefined, string, string]>([
    ['External', 'kube-controller-manager', 'kube-controller-manager', 'False WithinLimits'],
    ['External', undefined, 'nobody', 'False WithinLimits'],
    ['Fixed', 'kubectl', 'spec', 'False WithinLimits'],
    ['Fixed', 'kube-controller-manager', 'spec', 'True ReplicasContested'],
    ['SLA', 'kube-controller-manager', 'Ballast', 'False WithinLimits'],
  ])('mode %s, written by %s: %s owns it', (mode, manager, owner, condition) => {
    const status = inMode(mode, manager);
    expect(status?.scaling?.owner).toBe(owner);
    expect(conditionIn(status, 'ScalingLimited')).toBe(condition);
  });

  test('External says who decides, or how to have somebody do it; a fight names the way out', () => {
    const message = (status: ReturnType<typeof inMode>) =>
      status?.conditions?.find(({ type }) => type === 'ScalingLimited')?.message;
    expect(message(inMode('External', 'kube-controller-manager'))).toContain(
      'kube-controller-manager decides',
    );
    expect(message(inMode('External'))).toContain('ScaledObject');
    expect(message(inMode('Fixed', 'keda'))).toContain('set scaling.mode: External');
  });

  test('an autoscaler on a child Deployment is named', () => {
    const fight = (fields: string[], manager?: string) =>
      statusAfter(({ children, memory }) => {
        const [child] = children.deployments;
        if (child === undefined) throw new Error('no Deployment');
        const hash = child.metadata.annotations?.['ballast.dev/applied-hash'] ?? '';
        const fieldsV1 = { 'f:spec': { 'f:replicas': {} } };
        const managedFields = manager === undefined ? [] : [{ manager, fieldsV1 }];
        const live = {
          ...child,
          metadata: { ...child.metadata, managedFields },
          spec: { ...child.spec, replicas: 9 },
        };
        return {
          children: { ...children, deployments: [live] },
          memory: {
            ...memory,
            contested: new Map([[childKey('deployments', child), { hash, fields }]]),
          },
        };
      });
    const said = (manager?: string) => {
      const status = fight(['spec.replicas'], manager);
      expect(conditionIn(status, 'Stalled')).toBe('True ReplicasContested');
      return status.conditions?.find(({ type }) => type === 'Stalled')?.message;
    };
    expect(said()).toMatch(
      /^something else changes the replicas of deployments\/.*, a HorizontalPodAutoscaler/,
    );
    const ofAutoscaler = said('kube-controller-manager');
    expect(ofAutoscaler).toContain(
      'kube-controller-manager (a HorizontalPodAutoscaler) changes the replicas',
    );
    expect(ofAutoscaler).toContain('point the autoscaler at this ModelDeployment');
    expect(said('keda')).toMatch(/^keda changes .* point the autoscaler/);
    const ofTool = said('argocd-controller');
    expect(ofTool).toMatch(/^argocd-controller changes /);
    expect(ofTool).not.toContain('autoscaler');
    expect(conditionIn(fight(['spec.paused']), 'Stalled')).toBe('True ChildMutated');
  });
});
