/** Deployment and ReplicaSet controllers over the in-memory fake, with pods that tests move: for rollout tests. */
import { HeldClock } from '../../../kube/clock.ts';
import type { Deployment, Pod, ReplicaSet } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resource.ts';
import { ClusterCache } from '../cache.ts';
import { startDeploymentController } from '../deployment/controller.ts';
import { EventLog } from '../events.ts';
import { isActive, isReady } from '../pod-state.ts';
import { startReplicaSetController } from '../replicaset.ts';
import { InMemoryAccess } from './in-memory-access.ts';

/** mulberry32: small, seeded, good enough to shuffle. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export type WorkloadsRig = ReturnType<typeof workloadsRig>;

/** Both controllers on a held clock; pods are bound as they are made and become ready when told. */
export function workloadsRig() {
  const clock = new HeldClock();
  const access = new InMemoryAccess(() => clock.now());
  const logged: string[] = [];
  const log = (line: string) => void logged.push(line);
  const cache = new ClusterCache(access, [resources.pods, resources.deployments, resources.replicaSets]);
  const parts = { cache, clock, log, events: new EventLog(access, clock, log) };
  const loops = [startDeploymentController(parts), startReplicaSetController(parts)];
  cache.onChange<Pod>(resources.pods, ({ object, deleted }) => {
    if (!deleted && object.spec.nodeName === undefined)
      void access.bind({ name: object.metadata.name ?? '', namespace: 'ns' }, 'node').catch(() => undefined);
  });

  const settle = async () => {
    for (let quiet = 0; quiet < 3; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const loop of loops) await loop.idle();
    }
  };
  const setReady = (pod: Pod, ready: boolean) =>
    access.patch<Pod>(
      resources.pods,
      { name: pod.metadata.name ?? '', namespace: 'ns' },
      {
        status: {
          phase: 'Running',
          conditions: [
            {
              type: 'Ready',
              status: ready ? 'True' : 'False',
              lastTransitionTime: new Date(clock.now()).toISOString(),
            },
          ],
        },
      },
      { subresource: 'status' },
    );
  return {
    clock,
    access,
    cache,
    logged,
    settle,
    setReady,
    deployment: (name = 'd') => cache.get<Deployment>(resources.deployments, `ns/${name}`),
    sets: () => cache.list<ReplicaSet>(resources.replicaSets),
    pods: () => cache.list<Pod>(resources.pods),
    active: () => cache.list<Pod>(resources.pods).filter(isActive),
    available: () => cache.list<Pod>(resources.pods).filter((pod) => isActive(pod) && isReady(pod)).length,
    /** The kubelet's last word on a pod that is being deleted. */
    finish: (pod: Pod) =>
      access.delete(
        resources.pods,
        { name: pod.metadata.name ?? '', namespace: 'ns' },
        { gracePeriodSeconds: 0 },
      ),
    create: (spec: Partial<Deployment['spec']> & { image?: string }) => {
      const { image = 'v1', ...rest } = spec;
      return access.create<Deployment>(resources.deployments, {
        kind: 'Deployment',
        apiVersion: 'apps/v1',
        metadata: { name: 'd', namespace: 'ns' },
        spec: {
          replicas: 1,
          selector: { matchLabels: { app: 'd' } },
          progressDeadlineSeconds: 600,
          ...rest,
          template: { metadata: { labels: { app: 'd' } }, spec: { containers: [{ name: 'c', image }] } },
        },
      });
    },
    change: (spec: object) =>
      access.patch<Deployment>(resources.deployments, { name: 'd', namespace: 'ns' }, { spec }),
    setImage: (image: string) =>
      access.patch<Deployment>(
        resources.deployments,
        { name: 'd', namespace: 'ns' },
        { spec: { template: { spec: { containers: [{ name: 'c', image }] } } } },
      ),
    /** Every pod becomes ready and every deleted one goes, until nothing changes. */
    async finishRollout() {
      for (let turn = 0; turn < 100; turn++) {
        await settle();
        const waiting = cache.list<Pod>(resources.pods).filter((pod) => isActive(pod) && !isReady(pod));
        const leaving = cache
          .list<Pod>(resources.pods)
          .filter((pod) => pod.metadata.deletionTimestamp !== undefined);
        if (waiting.length === 0 && leaving.length === 0) return;
        for (const pod of waiting) await setReady(pod, true);
        for (const pod of leaving)
          await access.delete(
            resources.pods,
            { name: pod.metadata.name ?? '', namespace: 'ns' },
            { gracePeriodSeconds: 0 },
          );
      }
      throw new Error('the rollout does not end');
    },
    async stop() {
      for (const loop of loops) await loop.stop();
      cache.close();
    },
  };
}
