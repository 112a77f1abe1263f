/** What a pod's status says: ready since when, and what went wrong. */
import { annotations, exitCodes, labels, podContainers } from '../../crds/constants.ts';
import type { Reason } from '../../crds/reasons.ts';
import type { FailureStatus } from '../../crds/status.ts';
import type { FetchManifest, TerminationMessage } from '../../crds/wire.ts';
import type { ContainerStatus, ControllerRevision, Pod, ReplicaSet } from '../../kube/objects.ts';

/** A failure as status shows it, and whether trying again can heal it. */
export interface Failure extends FailureStatus {
  readonly reason: Reason;
  readonly hopeless: boolean;
}

/** A pod that is not about to end. */
export const isLiving = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  pod.status?.phase !== 'Failed' &&
  pod.status?.phase !== 'Succeeded';

const readyCondition = (pod: Pod) => pod.status?.conditions?.find((condition) => condition.type === 'Ready');

/** Ready and not about to end: callers' requests reach it. */
export const isReady = (pod: Pod): boolean => isLiving(pod) && readyCondition(pod)?.status === 'True';

/** When the pod became ready, wall clock; undefined when it is not, or the time does not parse. */
export function readySinceMs(pod: Pod): number | undefined {
  if (!isReady(pod)) return undefined;
  const at = Date.parse(readyCondition(pod)?.lastTransitionTime ?? '');
  return Number.isNaN(at) ? undefined : at;
}

/** Revision that the pod belongs to. */
export const podRevision = (pod: Pod): string => pod.metadata.labels?.[labels.revision] ?? '';

const reasonOfMessage: Record<TerminationMessage['reason'], Reason> = {
  ModelNotFound: 'ModelUnavailable',
  ModelForbidden: 'ModelUnavailable',
  ModelTooLarge: 'ModelUnavailable',
  ModelInvalid: 'ModelUnavailable',
  ModelUnsupported: 'ModelUnavailable',
  FetchFailed: 'ModelUnavailable',
  LoadFailed: 'ModelUnavailable',
  DigestMismatch: 'DigestMismatch',
  DigestMoved: 'DigestMoved',
  WarmUpFailed: 'PodCrashing',
  RunHung: 'PodCrashing',
  ConfigInvalid: 'PodCrashing',
  ContractInvalid: 'SpecInvalid',
  MemoryExceeded: 'OutOfMemory',
};

const hopelessCodes: readonly number[] = [
  exitCodes.config,
  exitCodes.modelUnavailable,
  exitCodes.digest,
  exitCodes.loadFailed,
  exitCodes.contract,
];

const cut = (text: string, length = 900) => {
  const tidy = text.trim();
  return tidy.length <= length ? tidy : `…${tidy.slice(tidy.length - length)}`;
};

/** The one line of JSON in which a container says why it ended; undefined where it said nothing of the kind. */
function terminationMessage(text: string): TerminationMessage | undefined {
  try {
    const value: unknown = JSON.parse(text.trim().split('\n').at(-1) ?? '');
    if (typeof value !== 'object' || value === null || !('reason' in value) || !('message' in value))
      return undefined;
    return Object.hasOwn(reasonOfMessage, String(value.reason)) ? (value as TerminationMessage) : undefined;
  } catch {
    return undefined;
  }
}

const pullReasons = ['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull'];
/** What every container passes through, and no failure. */
const passingReasons = ['ContainerCreating', 'PodInitializing'];

/** Memory limit of a container; undefined where it has none, or the cache did not keep it. */
const memoryLimitOf = (pod: Pod, container: string): string | undefined =>
  [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
    .find(({ name }) => name === container)
    ?.resources?.limits?.memory?.toString();

/** The kernel ends a container without a word: the limit that it passed is what helps. */
const outOfMemoryText = (limit: string | undefined) =>
  `it passed its memory limit${limit === undefined ? '' : ` of ${limit}`} and was killed: raise spec.runtime.resources.limits.memory`;

type Terminated = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>;
type ContainerFailure = Pick<Failure, 'reason' | 'message' | 'hopeless' | 'exitCode'>;

/** Why a container's end was none that was wished for. */
function badEnd(ended: Terminated, memoryLimit: string | undefined): ContainerFailure | undefined {
  const oom = ended.reason === 'OOMKilled';
  if (ended.exitCode === 0 && !oom) return undefined;
  const said = terminationMessage(ended.message ?? '');
  return {
    reason: oom ? 'OutOfMemory' : said === undefined ? 'PodCrashing' : reasonOfMessage[said.reason],
    message: cut(
      said?.message ??
        (oom
          ? outOfMemoryText(memoryLimit)
          : ended.message === undefined || ended.message.trim() === ''
            ? (ended.reason ?? 'no last words')
            : ended.message),
    ),
    hopeless: hopelessCodes.includes(ended.exitCode),
    exitCode: ended.exitCode,
  };
}

function containerFailure(
  status: ContainerStatus,
  memoryLimit: string | undefined,
): ContainerFailure | undefined {
  const { waiting } = status.state ?? {};
  const ended = status.state?.terminated ?? (status.ready ? undefined : status.lastState?.terminated);
  if (waiting?.reason !== undefined && pullReasons.includes(waiting.reason))
    return {
      reason: 'ImagePullFailed',
      message: cut(waiting.message ?? waiting.reason),
      hopeless: false,
    };
  const end = ended === undefined ? undefined : badEnd(ended, memoryLimit);
  if (end !== undefined) return end;
  if (waiting?.reason !== undefined && !passingReasons.includes(waiting.reason))
    return {
      reason: waiting.reason === 'CrashLoopBackOff' ? 'PodCrashing' : 'NoReadyPods',
      message: cut(`${waiting.reason}: ${waiting.message ?? 'no message'}`),
      hopeless: false,
    };
  return undefined;
}

/** What failed in one pod, container by container; empty for a pod that is well, just starting, or waiting for a node. */
export function podFailures(pod: Pod, digests: Readonly<Record<string, string>>): Failure[] {
  if (pod.metadata.deletionTimestamp !== undefined) return [];
  const name = pod.metadata.name ?? '';
  const revision = podRevision(pod);
  const failures: Failure[] = [];
  if (pod.status?.phase === 'Failed')
    failures.push({
      pod: name,
      revision,
      reason: 'PodCrashing',
      message: cut(`${pod.status.reason ?? 'Failed'}: ${pod.status.message ?? 'the pod ended'}`),
      hopeless: false,
    });
  for (const status of [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ]) {
    const failure = containerFailure(status, memoryLimitOf(pod, status.name));
    if (failure !== undefined)
      failures.push({
        pod: name,
        container: status.name,
        revision,
        ...(status.restartCount > 0 ? { restarts: status.restartCount } : {}),
        ...failure,
      });
  }
  const fetched = fetchedDigest(pod);
  const expected = digests[revision];
  if (fetched !== undefined && expected !== undefined && fetched !== expected && failures.length === 0)
    failures.push({
      pod: name,
      container: podContainers.fetch,
      revision,
      reason: 'DigestMoved',
      message: `fetched sha256 ${fetched}, but the revision's first pod fetched ${expected}: the file behind model.uri changed`,
      hopeless: false,
    });
  return failures;
}

/** So long is told how a container ended that is ready again: it comes back within a second, which nobody sees. */
const recentMs = 5 * 60_000;

/** How containers that are ready again ended within the last five minutes. No pod counts as failed for it. */
export function recentFailures(pod: Pod, nowMs: number): Failure[] {
  if (pod.metadata.deletionTimestamp !== undefined) return [];
  return (pod.status?.containerStatuses ?? []).flatMap((status) => {
    const ended = status.lastState?.terminated;
    const endedMs = Date.parse(String(ended?.finishedAt ?? ''));
    if (!status.ready || ended === undefined || !(nowMs - endedMs < recentMs)) return [];
    const end = badEnd(ended, memoryLimitOf(pod, status.name));
    return end === undefined
      ? []
      : [
          {
            pod: pod.metadata.name ?? '',
            container: status.name,
            revision: podRevision(pod),
            restarts: status.restartCount,
            ...end,
          },
        ];
  });
}

/** What the LimitRanger admission of Kubernetes says: `maximum cpu usage per Container is 1, but limit is 2`. */
const limitRangeWords =
  /(?:maximum|minimum) \S+ usage per (?:Container|Pod)\b|max limit to request ratio per /i;

/** What its ResourceQuota admission says; names of objects may hold the word too. */
export const quotaWords = /(?:exceeded|failed|insufficient|unknown for) quota/i;

/** Reason and words for pods that were refused; a LimitRange is told apart, as more quota does not help against it. */
function refusedPods(message: string): Pick<Failure, 'reason' | 'message'> {
  if (quotaWords.test(message)) return { reason: 'QuotaExceeded', message: cut(message) };
  if (!limitRangeWords.test(message)) return { reason: 'Forbidden', message: cut(message) };
  return {
    reason: 'QuotaExceeded',
    message: `a LimitRange of the namespace refuses the pods: bring spec.runtime.resources within its limits, or have it changed (kubectl describe limitrange). The API server said: ${cut(message, 700)}`,
  };
}

/** Pods that a ReplicaSet was not allowed to create: quota, limit range, pod security. */
export function replicaSetFailures(set: ReplicaSet): Failure[] {
  const refused = set.status?.conditions?.find(
    (condition) => condition.type === 'ReplicaFailure' && condition.status === 'True',
  );
  if (refused === undefined || set.metadata.deletionTimestamp !== undefined || set.spec.replicas === 0)
    return [];
  return [
    {
      pod: set.metadata.name ?? '',
      revision: set.metadata.labels?.[labels.revision] ?? '',
      ...refusedPods(refused.message ?? refused.reason ?? 'pods were refused'),
      hopeless: false,
    },
  ];
}

/** Digest that the pod's fetch container reported; undefined until it ended well. */
export function fetchedDigest(pod: Pod): string | undefined {
  const ended = pod.status?.initContainerStatuses?.find((status) => status.name === podContainers.fetch)
    ?.state?.terminated;
  if (ended?.exitCode !== 0 || ended.message === undefined) return undefined;
  try {
    const manifest = JSON.parse(ended.message) as Partial<FetchManifest>;
    return typeof manifest.sha256 === 'string' && /^[a-f0-9]{64}$/.test(manifest.sha256)
      ? manifest.sha256
      : undefined;
  } catch {
    return undefined;
  }
}

/** Digest recorded on a revision. */
export const recordedDigest = (revision: ControllerRevision | undefined): string | undefined =>
  revision?.metadata.annotations?.[annotations.modelSha256];
