/** Rollouts of the real controllers over moving pods: tables of steps, and random orders with invariants. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Deployment, Pod } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resource.ts';
import { FakeFailure } from '../testing/in-memory-access.ts';
import { seededRandom, type WorkloadsRig, workloadsRig } from '../testing/workloads-rig.ts';
import { fenceOf } from './int-or-percent.ts';

let rig: WorkloadsRig;
afterEach(async () => {
  await rig.stop();
});

const condition = (type: string) =>
  rig.deployment()?.status?.conditions?.find((candidate) => candidate.type === type);
const sizes = () =>
  Object.fromEntries(
    rig.sets().map((set) => [set.spec.template?.spec.containers[0]?.image ?? '', set.spec.replicas]),
  );

describe('a new Deployment', () => {
  test('gets one ReplicaSet with the hash label, revision 1, and its pods', async () => {
    rig = workloadsRig();
    await rig.create({ replicas: 3 });
    await rig.settle();
    const [set] = rig.sets();
    const hash = set?.metadata.labels?.['pod-template-hash'];
    expect(set?.metadata.name).toBe(`d-${hash}`);
    expect(set?.spec.selector.matchLabels).toEqual({ app: 'd', 'pod-template-hash': hash });
    expect(set?.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1');
    expect(rig.deployment()?.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1');
    expect(rig.pods().map((pod) => pod.metadata.labels)).toEqual(
      Array(3).fill({ app: 'd', 'pod-template-hash': hash }),
    );
    expect(condition('Progressing')).toMatchObject({ status: 'True', reason: 'ReplicaSetUpdated' });
    expect(condition('Available')).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' });
    await rig.finishRollout();
    expect(condition('Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
    expect(condition('Available')?.status).toBe('True');
    expect(rig.deployment()?.status).toMatchObject({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
    });
  });

  test('counts a pod as available only after minReadySeconds', async () => {
    rig = workloadsRig();
    await rig.create({ replicas: 1, minReadySeconds: 5 });
    await rig.finishRollout();
    expect(rig.deployment()?.status).toMatchObject({ readyReplicas: 1 });
    expect(rig.deployment()?.status?.availableReplicas ?? 0).toBe(0);
    await rig.clock.run(4_000);
    expect(rig.deployment()?.status?.availableReplicas ?? 0).toBe(0);
    await rig.clock.run(2_000);
    await rig.settle();
    expect(rig.deployment()?.status?.availableReplicas).toBe(1);
  });

  test('that makes no progress passes its deadline, and recovers', async () => {
    rig = workloadsRig();
    await rig.create({ replicas: 1, progressDeadlineSeconds: 30 });
    await rig.settle();
    await rig.clock.run(25_000);
    expect(condition('Progressing')?.status).toBe('True');
    await rig.clock.run(10_000);
    await rig.settle();
    expect(condition('Progressing')).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' });
    await rig.finishRollout();
    expect(condition('Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
  });

  test('whose pods a quota refuses says ReplicaFailure until they are let in', async () => {
    rig = workloadsRig();
    rig.access.refuseCreate = (type) =>
      type.plural === 'pods'
        ? new FakeFailure(403, 'Forbidden', 'pods "d-x" is forbidden: exceeded quota: small')
        : undefined;
    await rig.create({ replicas: 1 });
    await rig.settle();
    expect(condition('ReplicaFailure')).toMatchObject({ status: 'True', reason: 'FailedCreate' });
    expect(condition('ReplicaFailure')?.message).toContain('exceeded quota: small');
    rig.access.refuseCreate = undefined;
    await rig.clock.run(60_000);
    await rig.finishRollout();
    expect(condition('ReplicaFailure')).toBeUndefined();
    expect(rig.deployment()?.status?.availableReplicas).toBe(1);
  });
});

describe('a change', () => {
  test('of the template rolls; the old set stays in the history; back again raises the revision', async () => {
    rig = workloadsRig();
    await rig.create({ replicas: 2 });
    await rig.finishRollout();
    await rig.setImage('v2');
    await rig.finishRollout();
    expect(sizes()).toEqual({ v1: 0, v2: 2 });
    await rig.setImage('v1');
    await rig.finishRollout();
    expect(sizes()).toEqual({ v1: 2, v2: 0 });
    expect(rig.deployment()?.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3');
  });

  test('keeps only revisionHistoryLimit old sets', async () => {
    rig = workloadsRig();
    await rig.create({ replicas: 1, revisionHistoryLimit: 1 });
    for (const image of ['v1', 'v2', 'v3', 'v4']) {
      await rig.setImage(image);
      await rig.finishRollout();
    }
    expect(sizes()).toEqual({ v3: 0, v4: 1 });
  });

  test('with Recreate starts nothing new before the last old pod is gone', async () => {
    rig = workloadsRig();
    await rig.create({ replicas: 2, strategy: { type: 'Recreate' } });
    await rig.finishRollout();
    await rig.setImage('v2');
    await rig.settle();
    expect(sizes()).toEqual({ v1: 0 });
    const [first, second] = rig.pods();
    await rig.finish(first as Pod);
    await rig.settle();
    expect(sizes()).toEqual({ v1: 0 });
    await rig.finish(second as Pod);
    await rig.settle();
    expect(sizes()).toEqual({ v1: 0, v2: 2 });
  });

  test('while paused waits, but scaling does not', async () => {
    rig = workloadsRig();
    await rig.create({ replicas: 1 });
    await rig.finishRollout();
    await rig.change({ paused: true });
    await rig.setImage('v2');
    await rig.change({ replicas: 3 });
    await rig.finishRollout();
    expect(sizes()).toEqual({ v1: 3 });
    expect(condition('Progressing')).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused' });
    await rig.change({ paused: null });
    await rig.finishRollout();
    expect(sizes()).toEqual({ v1: 0, v2: 3 });
  });

  test('of the count during a rollout is shared out in proportion', async () => {
    rig = workloadsRig();
    await rig.create({ replicas: 10, strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } });
    await rig.finishRollout();
    await rig.setImage('v2');
    await rig.settle();
    expect(sizes()).toEqual({ v1: 8, v2: 5 });
    await rig.change({ replicas: 30 });
    await rig.settle();
    // Upstream's documentation has the same example for 15: the sum is replicas + maxSurge.
    const now = sizes();
    expect((now.v1 ?? 0) + (now.v2 ?? 0)).toBe(33);
    expect(now.v1).toBe(20);
    await rig.finishRollout();
    expect(sizes()).toEqual({ v1: 0, v2: 30 });
  });

  test('takes broken new pods away first when it is taken back', async () => {
    rig = workloadsRig();
    await rig.create({ replicas: 4, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } });
    await rig.finishRollout();
    await rig.setImage('broken');
    await rig.settle();
    expect(rig.available()).toBe(4);
    expect(sizes()).toEqual({ v1: 4, broken: 1 });
    await rig.setImage('v1');
    await rig.finishRollout();
    expect(sizes()).toEqual({ v1: 4, broken: 0 });
  });
});

test('orphaned ReplicaSets and pods that match are adopted', async () => {
  rig = workloadsRig();
  await rig.create({ replicas: 2 });
  await rig.finishRollout();
  const [set] = rig.sets();
  await rig.access.patch(
    resources.replicaSets,
    { name: set?.metadata.name ?? '', namespace: 'ns' },
    { metadata: { ownerReferences: null } },
  );
  await rig.settle();
  expect(rig.sets().map(({ metadata }) => metadata.ownerReferences?.[0]?.kind)).toEqual(['Deployment']);
  const [pod] = rig.pods();
  await rig.access.patch(
    resources.pods,
    { name: pod?.metadata.name ?? '', namespace: 'ns' },
    { metadata: { ownerReferences: null } },
  );
  await rig.settle();
  expect(rig.pods().length).toBe(2);
  expect(rig.pods().every(({ metadata }) => metadata.ownerReferences?.[0]?.kind === 'ReplicaSet')).toBe(true);
});

describe.each(Array.from({ length: 25 }, (_, index) => 1000 + index))('random order, seed %i', (seed) => {
  test('never fewer available than allowed, never more pods than allowed, and it ends', async () => {
    rig = workloadsRig();
    const random = seededRandom(seed);
    const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
    const replicas = 1 + Math.floor(random() * 9);
    const rollingUpdate = {
      maxSurge: pick([0, 1, 2, '25%', '50%', '100%']) ?? 1,
      maxUnavailable: pick([0, 1, 2, '25%', '50%']) ?? 0,
    };
    const bounds = fenceOf(rollingUpdate, replicas);
    await rig.create({ replicas, strategy: { type: 'RollingUpdate', rollingUpdate } });
    await rig.finishRollout();
    let images = 1;
    for (let step = 0; step < 80; step++) {
      const roll = random();
      const unready = rig.active().filter((pod) => pod.status?.conditions?.[0]?.status !== 'True');
      const leaving = rig.pods().filter((pod) => pod.metadata.deletionTimestamp !== undefined);
      if (roll < 0.08 && images < 5) await rig.setImage(`v${++images}`);
      else if (roll < 0.55 && unready.length > 0) await rig.setReady(pick(unready) as Pod, true);
      else if (leaving.length > 0) await rig.finish(pick(leaving) as Pod);
      await rig.settle();
      const wanted = rig.sets().reduce((sum, set) => sum + (set.spec.replicas ?? 0), 0);
      expect(rig.available()).toBeGreaterThanOrEqual(replicas - bounds.unavailable);
      expect(rig.active().length).toBeLessThanOrEqual(replicas + bounds.surge);
      expect(wanted).toBeLessThanOrEqual(replicas + bounds.surge);
    }
    await rig.finishRollout();
    const deployment = rig.deployment() as Deployment;
    expect(deployment.status).toMatchObject({
      replicas,
      updatedReplicas: replicas,
      availableReplicas: replicas,
    });
    expect(rig.logged).toEqual([]);
  });
});

test('pods that are ending are counted apart', async () => {
  rig = workloadsRig();
  await rig.create({ replicas: 3 });
  await rig.finishRollout();
  await rig.change({ replicas: 1 });
  await rig.settle();
  expect(rig.deployment()?.status).toMatchObject({
    replicas: 1,
    availableReplicas: 1,
    terminatingReplicas: 2,
  });
  await rig.finishRollout();
  expect(rig.deployment()?.status).toMatchObject({ replicas: 1, terminatingReplicas: 0 });
});
