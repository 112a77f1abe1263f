/** What the cluster's own objects say about a deployment's replicas: asked for, starting, crashing, without a place. */
import { labels } from '../../../crds/constants.ts';
import type { Observation } from './types.ts';

/** The parts of a Deployment that are read here. */
export interface DeploymentLike {
  readonly spec: { readonly replicas?: number };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
    }[];
  };
}

/** The parts of a Pod that are read here. */
export interface PodLike {
  readonly metadata: {
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
    }[];
    readonly initContainerStatuses?: readonly ContainerLike[];
    readonly containerStatuses?: readonly ContainerLike[];
  };
}

interface ContainerLike {
  readonly restartCount: number;
  readonly ready?: boolean;
  readonly state?: { readonly waiting?: { readonly reason?: string } };
}

export type ReplicaFacts = Omit<Observation, 'pods'>;

/** A container that is waited for with one of these does not come by waiting. */
const failingReasons =
  /^(CrashLoopBackOff|ImagePullBackOff|ErrImagePull|InvalidImageName|CreateContainerConfigError)$/;

const isReady = (pod: PodLike) =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

function isCrashing(pod: PodLike): boolean {
  if (isReady(pod)) return false;
  const containers = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return containers.some(
    ({ state, restartCount, ready }) =>
      failingReasons.test(state?.waiting?.reason ?? '') || (restartCount >= 2 && ready !== true),
  );
}

const isUnschedulable = (pod: PodLike) =>
  pod.status?.conditions?.some(
    ({ type, status, reason }) => type === 'PodScheduled' && status === 'False' && reason === 'Unschedulable',
  ) === true;

const revisionOf = (pod: PodLike) => pod.metadata.labels?.[labels.revision];

/** A bad candidate's crashes say nothing about more pods of the revision that serves: they count only while none serves. */
function crashingOf(living: readonly PodLike[]): number {
  const serving = new Set(living.filter(isReady).map(revisionOf));
  return living.filter((pod) => isCrashing(pod) && (serving.size === 0 || serving.has(revisionOf(pod))))
    .length;
}

/** Counts the replicas of one ModelDeployment over the Deployments and pods of all its revisions. */
export function replicaFactsOf(
  deployments: readonly DeploymentLike[],
  pods: readonly PodLike[],
  rolloutInProgress: boolean,
): ReplicaFacts {
  const replicas = deployments.reduce((sum, { spec }) => sum + (spec.replicas ?? 1), 0);
  const living = pods.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined && status?.phase !== 'Failed' && status?.phase !== 'Succeeded',
  );
  const crashing = crashingOf(living);
  const failing = living.filter(isCrashing).length;
  const unschedulable = living.filter(isUnschedulable).length;
  const refused = deployments.some(({ status }) =>
    status?.conditions?.some(({ type, status: is }) => type === 'ReplicaFailure' && is === 'True'),
  );
  const missing = Math.max(0, replicas - living.length);
  const blocked = unschedulable + (refused ? missing : 0);
  const ready = living.filter(isReady).length;
  return {
    replicas,
    startingReplicas: Math.max(0, Math.max(replicas, living.length) - ready - failing - blocked),
    crashingReplicas: crashing,
    blockedReplicas: blocked,
    rolloutInProgress,
  };
}
