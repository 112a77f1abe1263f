/** Pods that have not begun to run: what each waits for, since when, and in whose words. */
import { podContainers } from '../../crds/constants.ts';
import type { PendingCauseStatus } from '../../crds/status.ts';
import type { Pod } from '../../kube/objects.ts';
import { shortOf } from './shortage.ts';

export type PendingReason = PendingCauseStatus['reason'];

export interface PendingPod {
  readonly pod: string;
  readonly reason: PendingReason;
  /** Of Unschedulable: what no node has enough of. */
  readonly short: string | undefined;
  readonly sinceMs: number;
  readonly message: string;
}

const timeOf = (text: string | undefined): number | undefined => {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? undefined : ms;
};

const conditionOf = (pod: Pod, type: string) => pod.status?.conditions?.find((one) => one.type === type);

/** When the pod got its node, and how long it had waited for it; undefined while it has none. */
export function placementOf(pod: Pod): { readonly atMs: number; readonly waitedMs: number } | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  const atMs = timeOf(scheduled?.lastTransitionTime);
  if (scheduled?.status !== 'True' || atMs === undefined) return undefined;
  return { atMs, waitedMs: Math.max(0, atMs - (timeOf(pod.metadata.creationTimestamp) ?? atMs)) };
}

/**
 * What a pod in phase Pending waits for; undefined for one that runs, that ends, or that failed (`podFailures` tells that).
 *
 * | PodScheduled              | containers                 | reason        |
 * | False, Unschedulable      | –                          | Unschedulable |
 * | False, SchedulingGated    | –                          | Gated         |
 * | absent, False otherwise   | –                          | Scheduling    |
 * | True                      | fetch runs                 | Fetching      |
 * | True                      | none yet, sandbox is ready | Pulling       |
 * | True                      | none yet                   | Creating      |
 */
export function pendingOf(pod: Pod): PendingPod | undefined {
  const { metadata, status } = pod;
  const scheduled = conditionOf(pod, 'PodScheduled');
  const begun = status?.phase !== undefined && status.phase !== 'Pending' && scheduled?.status !== 'False';
  if (metadata.deletionTimestamp !== undefined || begun) return undefined;
  const createdMs = timeOf(metadata.creationTimestamp) ?? 0;
  const wait = (
    reason: PendingReason,
    sinceMs: number | undefined,
    message: string,
    short: string | undefined = undefined,
  ): PendingPod => ({ pod: metadata.name ?? '', reason, short, sinceMs: sinceMs ?? createdMs, message });
  const scheduledMs = timeOf(scheduled?.lastTransitionTime);
  if (scheduled?.status !== 'True') {
    const message = scheduled?.message ?? '';
    if (scheduled?.reason === 'Unschedulable')
      return wait('Unschedulable', scheduledMs, message, shortOf(message));
    if (scheduled?.reason === 'SchedulingGated')
      return wait('Gated', scheduledMs, message === '' ? 'a scheduling gate holds the pod back' : message);
    return wait('Scheduling', createdMs, message === '' ? 'no scheduler has looked at the pod yet' : message);
  }
  const fetch = status?.initContainerStatuses?.find(({ name }) => name === podContainers.fetch)?.state;
  if (fetch?.running !== undefined)
    return wait(
      'Fetching',
      timeOf(fetch.running.startedAt) ?? scheduledMs,
      'the model file is being fetched',
    );
  if (conditionOf(pod, 'PodReadyToStartContainers')?.status === 'True' && fetch?.terminated === undefined)
    return wait('Pulling', scheduledMs, 'the container image is being pulled');
  return wait(
    'Creating',
    scheduledMs,
    'the node mounts volumes, sets up the network or pulls the image: kubectl describe pod tells which',
  );
}
