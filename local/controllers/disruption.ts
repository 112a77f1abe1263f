/** PodDisruptionBudgets: how many pods may be taken away now. The count is pure. */
import type { Condition, Deployment, Pod, PodDisruptionBudget, ReplicaSet } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { keyOf, refOf, timestamp } from './access.ts';
import type { ClusterCache } from './cache.ts';
import { withCondition } from './conditions.ts';
import { ControlLoop } from './control-loop.ts';
import { countOf } from './deployment/int-or-percent.ts';
import { canonicalJson } from './deployment/template-hash.ts';
import type { ControllerParts } from './parts.ts';
import { isActive, isReady } from './pod-state.ts';
import { selects } from './selector.ts';

export interface DisruptionCounts {
  readonly currentHealthy: number;
  readonly desiredHealthy: number;
  readonly expectedPods: number;
  readonly disruptionsAllowed: number;
}

/** Counts of a budget over its active pods; `scale` is the wanted size of the workloads that own them. */
export function countDisruptions(
  spec: PodDisruptionBudget['spec'],
  pods: readonly Pod[],
  scale: number,
): DisruptionCounts {
  const currentHealthy = pods.filter(isReady).length;
  let expectedPods = pods.length;
  let desiredHealthy = 0;
  if (spec.maxUnavailable !== undefined) {
    expectedPods = scale;
    desiredHealthy = Math.max(0, expectedPods - countOf(spec.maxUnavailable, expectedPods, 'up'));
  } else if (typeof spec.minAvailable === 'string') {
    expectedPods = scale;
    desiredHealthy = countOf(spec.minAvailable, expectedPods, 'up');
  } else desiredHealthy = spec.minAvailable ?? 0;
  return {
    currentHealthy,
    desiredHealthy,
    expectedPods,
    disruptionsAllowed: expectedPods === 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy),
  };
}

/** Wanted size of the workloads that own the pods; a pod on its own counts as one. */
function scaleOf(cache: ClusterCache, pods: readonly Pod[]): number {
  const sizes = new Map<string, number>();
  let alone = 0;
  for (const pod of pods) {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true);
    const set = cache.get<ReplicaSet>(resources.replicaSets, `${pod.metadata.namespace}/${owner?.name}`);
    if (owner?.kind !== 'ReplicaSet' || set === undefined) {
      alone++;
      continue;
    }
    const above = set.metadata.ownerReferences?.find(({ controller }) => controller === true);
    const deployment = cache.get<Deployment>(
      resources.deployments,
      `${pod.metadata.namespace}/${above?.name}`,
    );
    if (deployment === undefined) sizes.set(owner.uid, set.spec.replicas ?? 1);
    else sizes.set(above?.uid ?? '', deployment.spec.replicas ?? 1);
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, alone);
}

/** Starts the controller; the returned loop is stopped by the caller. */
export function startDisruptionController(parts: ControllerParts): ControlLoop {
  const { cache, clock } = parts;
  const loop = new ControlLoop({
    name: 'disruption',
    clock,
    log: parts.log,
    async reconcile(key) {
      const budget = cache.get<PodDisruptionBudget>(resources.podDisruptionBudgets, key);
      if (budget === undefined) return undefined;
      const pods = cache
        .list<Pod>(resources.pods, budget.metadata.namespace)
        .filter((pod) => isActive(pod) && selects(budget.spec.selector, pod.metadata.labels));
      const counts = countDisruptions(budget.spec, pods, scaleOf(cache, pods));
      const allowed = counts.disruptionsAllowed > 0;
      const old = budget.status as { conditions?: Condition[] } | undefined;
      const conditions = withCondition(
        old?.conditions,
        {
          type: 'DisruptionAllowed',
          status: allowed ? 'True' : 'False',
          reason: allowed ? 'SufficientPods' : 'InsufficientPods',
          message: '',
          observedGeneration: budget.metadata.generation ?? 0,
        },
        timestamp(clock.now()),
      );
      const status = { ...counts, observedGeneration: budget.metadata.generation ?? 0, conditions };
      if (canonicalJson({ ...old, ...status }) === canonicalJson(old ?? {})) return undefined;
      await cache.patch(resources.podDisruptionBudgets, refOf(budget), { status }, { subresource: 'status' });
      return undefined;
    },
  });
  const enqueueMatching = (namespace: string | undefined, labels: Record<string, string> | undefined) => {
    for (const budget of cache.list<PodDisruptionBudget>(resources.podDisruptionBudgets, namespace))
      if (selects(budget.spec.selector, labels)) loop.enqueue(keyOf(budget));
  };
  cache.onChange(resources.podDisruptionBudgets, ({ key }) => loop.enqueue(key));
  cache.onChange<Pod>(resources.pods, ({ object }) =>
    enqueueMatching(object.metadata.namespace, object.metadata.labels),
  );
  cache.onChange<Deployment>(resources.deployments, ({ object }) =>
    enqueueMatching(object.metadata.namespace, object.spec.template?.metadata?.labels),
  );
  return loop;
}
