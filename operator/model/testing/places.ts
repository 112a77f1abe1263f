/** A scheduler for the tiny cluster: so many pods have room, the oldest first; the others wait, as a real one says it. */
import type { Pod } from '../../../kube/objects.ts';

const rfc3339 = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
const scheduled = (pod: Pod) => pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');

/** The words of kube-scheduler 1.36 when two nodes lack CPU. */
export const noRoomMessage =
  '0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.';

/** Whether the pod has a node, or nobody counts places. */
export const isPlaced = (pod: Pod): boolean => scheduled(pod)?.status !== 'False';

/** Places pods while there is room for more; the rest is told that there is none. */
export function place(pods: readonly Pod[], room: number, nowMs: number): Pod[] {
  let free = room - pods.filter((pod) => scheduled(pod)?.status === 'True').length;
  return pods.map((pod) => {
    const before = scheduled(pod);
    if (before?.status === 'True') return pod;
    const fits = free > 0;
    if (fits) free -= 1;
    if (!fits && before !== undefined) return pod;
    const others = pod.status?.conditions?.filter((one) => one !== before) ?? [];
    const now = { type: 'PodScheduled', lastTransitionTime: rfc3339(nowMs) };
    return {
      ...pod,
      status: {
        ...pod.status,
        phase: fits ? 'Running' : 'Pending',
        conditions: [
          ...others,
          fits
            ? { ...now, status: 'True' }
            : { ...now, status: 'False', reason: 'Unschedulable', message: noRoomMessage },
        ],
      },
    };
  });
}

/** The pod's own word on its place, for the pod that it becomes. */
export const placeOf = (pod: Pod): NonNullable<NonNullable<Pod['status']>['conditions']> => {
  const own = scheduled(pod);
  return own === undefined ? [] : [own];
};
