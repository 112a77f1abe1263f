/** What controllers ask about a pod. */
import type { Pod } from '../../kube/objects.ts';
import { conditionOf } from './conditions.ts';

/** Neither finished nor being deleted: it counts towards its ReplicaSet. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** Being deleted, its containers not yet ended. */
export function isTerminating(pod: Pod): boolean {
  return !isFinished(pod) && pod.metadata.deletionTimestamp !== undefined;
}

/** Its containers ended for good. */
export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** The Ready condition is True. */
export function isReady(pod: Pod): boolean {
  return conditionOf(pod.status?.conditions, 'Ready')?.status === 'True';
}

/** Since when the pod is ready, wall milliseconds; undefined when it is not. */
function readySinceMs(pod: Pod): number | undefined {
  const ready = conditionOf(pod.status?.conditions, 'Ready');
  if (ready?.status !== 'True') return undefined;
  const sinceMs = Date.parse(ready.lastTransitionTime ?? '');
  return Number.isNaN(sinceMs) ? undefined : sinceMs;
}

/** Milliseconds until the pod has been ready for minReadySeconds; 0 when it has, undefined when it is not ready. */
export function untilAvailableMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  if (!isReady(pod)) return undefined;
  if (minReadySeconds === 0) return 0;
  const sinceMs = readySinceMs(pod);
  return sinceMs === undefined ? undefined : Math.max(0, sinceMs + minReadySeconds * 1000 - nowMs);
}

const phaseRank = { Pending: 0, Unknown: 1, Running: 2, Succeeded: 3, Failed: 3 } as const;

const deletionCost = (pod: Pod): number => {
  const cost = Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0);
  return Number.isInteger(cost) ? cost : 0;
};
const restarts = (pod: Pod): number =>
  (pod.status?.containerStatuses ?? []).reduce((most, status) => Math.max(most, status.restartCount), 0);
const createdMs = (pod: Pod): number => Date.parse(pod.metadata.creationTimestamp ?? '') || 0;

/** Order in which a ReplicaSet gives pods up, the first to go first; as upstream ranks active pods on one node. */
export function compareForDeletion(a: Pod, b: Pod): number {
  const unassigned = (pod: Pod) => ((pod.spec.nodeName ?? '') === '' ? 0 : 1);
  return (
    unassigned(a) - unassigned(b) ||
    phaseRank[a.status?.phase ?? 'Pending'] - phaseRank[b.status?.phase ?? 'Pending'] ||
    Number(isReady(a)) - Number(isReady(b)) ||
    deletionCost(a) - deletionCost(b) ||
    (readySinceMs(b) ?? 0) - (readySinceMs(a) ?? 0) ||
    restarts(b) - restarts(a) ||
    createdMs(b) - createdMs(a) ||
    // Same second: the name decides, so that the choice is stable.
    ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1)
  );
}
