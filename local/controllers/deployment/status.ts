/** Status of a Deployment: counts and the conditions Available, Progressing and ReplicaFailure. Pure. */
import type { Deployment, ReplicaSet } from '../../../kube/objects.ts';
import { timestamp } from '../access.ts';
import { conditionOf, withoutCondition } from '../conditions.ts';
import type { DeploymentCondition, DeploymentStatus, ReplicaSetStatus } from '../kinds.ts';
import { fence, replicasOf, wantedBy } from './scaling.ts';

/** Replaces a condition; the transition time moves with the status, the update time with any change. */
export function setCondition(
  conditions: readonly DeploymentCondition[] | undefined,
  next: { type: string; status: 'True' | 'False'; reason: string; message: string },
  now: string,
): DeploymentCondition[] {
  const old = conditionOf(conditions, next.type);
  if (old?.status === next.status && old.reason === next.reason) return [...(conditions ?? [])];
  const lastTransitionTime = old?.status === next.status ? (old.lastTransitionTime ?? now) : now;
  return [...withoutCondition(conditions, next.type), { ...next, lastUpdateTime: now, lastTransitionTime }];
}

const sum = (sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number | undefined): number =>
  sets.reduce((count, set) => count + (of(set) ?? 0), 0);

/** Counts over all ReplicaSets and the Available condition. */
export function countStatus(
  deployment: Deployment,
  newest: ReplicaSet | undefined,
  all: readonly ReplicaSet[],
  nowMs: number,
): DeploymentStatus {
  const old = deployment.status as DeploymentStatus | undefined;
  const availableReplicas = sum(all, (set) => set.status?.availableReplicas);
  const enough = availableReplicas >= replicasOf(deployment) - fence(deployment).unavailable;
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum(all, (set) => set.status?.replicas),
    updatedReplicas: newest?.status?.replicas ?? 0,
    readyReplicas: sum(all, (set) => set.status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum(all, wantedBy) - availableReplicas),
    terminatingReplicas: sum(all, (set) => (set.status as ReplicaSetStatus | undefined)?.terminatingReplicas),
    ...(old?.collisionCount === undefined ? {} : { collisionCount: old.collisionCount }),
    conditions: setCondition(
      old?.conditions,
      {
        type: 'Available',
        status: enough ? 'True' : 'False',
        reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
        message: enough
          ? 'Deployment has minimum availability.'
          : 'Deployment does not have minimum availability.',
      },
      timestamp(nowMs),
    ),
  };
}

/** Every wanted replica is of the newest template and available, and none of an older one is left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const replicas = replicasOf(deployment);
  return (
    status.updatedReplicas === replicas &&
    status.replicas === replicas &&
    status.availableReplicas === replicas
  );
}

function isProgressing(old: DeploymentStatus | undefined, next: DeploymentStatus): boolean {
  const n = (value: number | undefined) => value ?? 0;
  const older = (status: DeploymentStatus | undefined) => n(status?.replicas) - n(status?.updatedReplicas);
  return (
    n(next.updatedReplicas) > n(old?.updatedReplicas) ||
    older(next) < older(old) ||
    n(next.readyReplicas) > n(old?.readyReplicas) ||
    n(next.availableReplicas) > n(old?.availableReplicas)
  );
}

/** Milliseconds until the progress deadline passes; undefined when none runs. */
export function untilDeadlineMs(
  deployment: Deployment,
  status: DeploymentStatus,
  nowMs: number,
): number | undefined {
  const condition = conditionOf<DeploymentCondition>(status.conditions, 'Progressing');
  const seconds = deployment.spec.progressDeadlineSeconds;
  if (condition === undefined || seconds === undefined || deployment.spec.paused === true) return undefined;
  if (condition.reason === 'NewReplicaSetAvailable' || condition.reason === 'ProgressDeadlineExceeded')
    return undefined;
  return Date.parse(condition.lastUpdateTime ?? '') + seconds * 1000 - nowMs;
}

const hasDeadline = (deployment: Deployment): boolean =>
  deployment.spec.progressDeadlineSeconds !== undefined &&
  deployment.spec.progressDeadlineSeconds !== 2_147_483_647;

/** Status with the Progressing and ReplicaFailure conditions of a rollout. */
export function rolloutStatus(
  deployment: Deployment,
  newest: ReplicaSet | undefined,
  all: readonly ReplicaSet[],
  nowMs: number,
): DeploymentStatus {
  const now = timestamp(nowMs);
  const status = countStatus(deployment, newest, all, nowMs);
  const subject =
    newest === undefined
      ? `Deployment "${deployment.metadata.name ?? ''}"`
      : `ReplicaSet "${newest.metadata.name ?? ''}"`;
  let conditions: DeploymentCondition[] = status.conditions ?? [];
  const current = conditionOf(conditions, 'Progressing');
  if (!hasDeadline(deployment)) conditions = withoutCondition(conditions, 'Progressing');
  else if (!(status.replicas === status.updatedReplicas && current?.reason === 'NewReplicaSetAvailable')) {
    if (isComplete(deployment, status))
      conditions = setCondition(
        conditions,
        {
          type: 'Progressing',
          status: 'True',
          reason: 'NewReplicaSetAvailable',
          message: `${subject} has successfully progressed.`,
        },
        now,
      );
    else if (isProgressing(deployment.status, status))
      conditions = [
        ...withoutCondition(conditions, 'Progressing'),
        {
          type: 'Progressing',
          status: 'True',
          reason: 'ReplicaSetUpdated',
          message: `${subject} is progressing.`,
          lastUpdateTime: now,
          lastTransitionTime: current?.status === 'True' ? (current.lastTransitionTime ?? now) : now,
        },
      ];
    else if ((untilDeadlineMs(deployment, status, nowMs) ?? 1) <= 0)
      conditions = setCondition(
        conditions,
        {
          type: 'Progressing',
          status: 'False',
          reason: 'ProgressDeadlineExceeded',
          message: `${subject} has timed out progressing.`,
        },
        now,
      );
  }
  const failed = [newest, ...all]
    .map((set) => conditionOf(set?.status?.conditions, 'ReplicaFailure'))
    .find((condition) => condition !== undefined);
  conditions =
    failed === undefined
      ? withoutCondition(conditions, 'ReplicaFailure')
      : setCondition(
          conditions,
          {
            type: 'ReplicaFailure',
            status: failed.status === 'False' ? 'False' : 'True',
            reason: failed.reason ?? '',
            message: failed.message ?? '',
          },
          now,
        );
  return { ...status, conditions };
}
