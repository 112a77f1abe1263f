/** How many pods each ReplicaSet of a Deployment shall have: pure, as upstream's deployment controller decides it. */
import type { Deployment, ReplicaSet } from '../../../kube/objects.ts';
import type { Fence } from './int-or-percent.ts';
import { fenceOf } from './int-or-percent.ts';

export interface Resize {
  readonly replicaSet: ReplicaSet;
  readonly to: number;
}

/** Pods that a ReplicaSet asks for. */
export const wantedBy = (replicaSet: ReplicaSet): number => replicaSet.spec.replicas ?? 1;
const availableIn = (replicaSet: ReplicaSet): number => replicaSet.status?.availableReplicas ?? 0;
const total = (sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number): number =>
  sets.reduce((sum, set) => sum + count(set), 0);

const createdMs = (set: ReplicaSet): number => Date.parse(set.metadata.creationTimestamp ?? '') || 0;
/** Oldest first; the name decides within one second. */
export const byAge = (a: ReplicaSet, b: ReplicaSet): number =>
  createdMs(a) - createdMs(b) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1);

/** Pods that a Deployment asks for. */
export const replicasOf = (deployment: Deployment): number => deployment.spec.replicas ?? 1;
/** Whether it replaces its pods a few at a time, and not all at once. */
export const isRolling = (deployment: Deployment): boolean =>
  (deployment.spec.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate';

/** Surge and unavailability that the Deployment allows now; Recreate allows neither. */
export function fence(deployment: Deployment): Fence {
  const replicas = replicasOf(deployment);
  if (!isRolling(deployment)) return { surge: 0, unavailable: 0 };
  const bounds = fenceOf(deployment.spec.strategy?.rollingUpdate, replicas);
  return replicas === 0 ? { ...bounds, unavailable: 0 } : bounds;
}

/** Size of the newest ReplicaSet: as far up as the surge allows, down to the wanted count at once. */
export function newReplicaSetSize(
  deployment: Deployment,
  newest: ReplicaSet | undefined,
  all: readonly ReplicaSet[],
): number {
  const replicas = replicasOf(deployment);
  const current = newest === undefined ? 0 : wantedBy(newest);
  if (!isRolling(deployment) || current >= replicas) return replicas;
  const room = replicas + fence(deployment).surge - total(all, wantedBy);
  if (room <= 0) return current;
  return current + Math.min(room, replicas - current);
}

/** Old ReplicaSets to shrink in a rolling update: what is not available first, then as far as availability allows. */
export function shrinkOld(deployment: Deployment, newest: ReplicaSet, old: readonly ReplicaSet[]): Resize[] {
  if (total(old, wantedBy) === 0) return [];
  const minAvailable = replicasOf(deployment) - fence(deployment).unavailable;
  const newUnavailable = wantedBy(newest) - availableIn(newest);
  const maxScaledDown = total(old, wantedBy) + wantedBy(newest) - minAvailable - newUnavailable;
  if (maxScaledDown <= 0) return [];

  const sizes = new Map(old.map((set) => [set, wantedBy(set)]));
  const oldest = [...old].sort(byAge);
  let given = 0;
  for (const set of oldest) {
    if (given >= maxScaledDown) break;
    const size = wantedBy(set);
    const unhealthy = Math.min(maxScaledDown - given, size - availableIn(set));
    if (size === 0 || unhealthy <= 0) continue;
    sizes.set(set, size - unhealthy);
    given += unhealthy;
  }
  let spare = total(old, availableIn) + availableIn(newest) - minAvailable;
  for (const set of oldest) {
    if (spare <= 0) break;
    const size = sizes.get(set) ?? 0;
    const down = Math.min(size, spare);
    sizes.set(set, size - down);
    spare -= down;
  }
  return [...sizes]
    .filter(([set, to]) => to !== wantedBy(set))
    .map(([replicaSet, to]) => ({ replicaSet, to }));
}

/** Annotations by which a ReplicaSet remembers the size of its Deployment, for proportional scaling. */
export const sizeAnnotations = {
  desired: 'deployment.kubernetes.io/desired-replicas',
  max: 'deployment.kubernetes.io/max-replicas',
} as const;

const annotated = (set: ReplicaSet, name: string): number | undefined => {
  const value = Number(set.metadata.annotations?.[name] ?? Number.NaN);
  return Number.isInteger(value) ? value : undefined;
};

/** True when the wanted count changed since the ReplicaSets were last sized. */
export function isScalingEvent(deployment: Deployment, all: readonly ReplicaSet[]): boolean {
  return all.some(
    (set) =>
      wantedBy(set) > 0 &&
      (annotated(set, sizeAnnotations.desired) ?? replicasOf(deployment)) !== replicasOf(deployment),
  );
}

/** Sizes after a change of spec.replicas, or while paused: shares in proportion when a rollout is under way. */
export function proportionalSizes(
  deployment: Deployment,
  newest: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): Resize[] {
  const replicas = replicasOf(deployment);
  const all = [...old, ...(newest === undefined ? [] : [newest])];
  const active = all.filter((set) => wantedBy(set) > 0);
  const single = active.length === 0 ? (newest ?? [...old].sort(byAge).at(-1)) : active[0];
  if (active.length <= 1)
    return single === undefined || wantedBy(single) === replicas
      ? []
      : [{ replicaSet: single, to: replicas }];
  if (newest !== undefined && isSaturated(deployment, newest))
    return old.filter((set) => wantedBy(set) > 0).map((replicaSet) => ({ replicaSet, to: 0 }));
  if (!isRolling(deployment)) return [];

  const allowed = replicas > 0 ? replicas + fence(deployment).surge : 0;
  const toAdd = allowed - total(active, wantedBy);
  const ordered = [...active].sort(
    (a, b) => wantedBy(b) - wantedBy(a) || (toAdd > 0 ? byAge(b, a) : byAge(a, b)),
  );
  let added = 0;
  const sizes = ordered.map((set) => {
    const share = toAdd === 0 ? 0 : shareOf(deployment, set, toAdd, added);
    added += share;
    return { replicaSet: set, to: wantedBy(set) + share };
  });
  const first = sizes[0];
  if (toAdd !== 0 && first !== undefined) first.to = Math.max(0, first.to + toAdd - added);
  return sizes.filter(({ replicaSet, to }) => to !== wantedBy(replicaSet));
}

function isSaturated(deployment: Deployment, newest: ReplicaSet): boolean {
  const replicas = replicasOf(deployment);
  return (
    wantedBy(newest) === replicas &&
    annotated(newest, sizeAnnotations.desired) === replicas &&
    availableIn(newest) === replicas
  );
}

function shareOf(deployment: Deployment, set: ReplicaSet, toAdd: number, added: number): number {
  if (wantedBy(set) === 0 || toAdd - added === 0) return 0;
  const before = annotated(set, sizeAnnotations.max) ?? deployment.status?.replicas ?? 0;
  const replicas = replicasOf(deployment);
  const maxNow = replicas === 0 ? 0 : replicas + fence(deployment).surge;
  const share =
    replicas === 0 || before === 0
      ? replicas === 0
        ? -wantedBy(set)
        : 0
      : Math.round((wantedBy(set) * maxNow) / before) - wantedBy(set);
  const left = toAdd - added;
  return toAdd > 0 ? Math.min(share, left) : Math.max(share, left);
}
