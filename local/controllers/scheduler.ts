/** The scheduler: binds each pod to the one node, or says why it cannot. */
import type { Pod } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { keyOf, refOf, timestamp } from './access.ts';
import { conditionOf, withCondition } from './conditions.ts';
import { ControlLoop } from './control-loop.ts';
import { whyUnfit } from './fit.ts';
import type { Node, PersistentVolumeClaim } from './kinds.ts';
import type { ControllerParts } from './parts.ts';
import { isFinished } from './pod-state.ts';

const source = { component: 'default-scheduler' };
const schedulerName = 'default-scheduler';

const isWaiting = (pod: Pod): boolean =>
  (pod.spec.nodeName ?? '') === '' && pod.metadata.deletionTimestamp === undefined && !isFinished(pod);

/** Starts the scheduler; the returned loop is stopped by the caller. */
export function startScheduler(parts: ControllerParts & { readonly nodeName: string }): ControlLoop {
  const { cache, events, clock } = parts;
  const loop = new ControlLoop({
    name: 'scheduler',
    clock,
    log: parts.log,
    async reconcile(key) {
      const pod = cache.get<Pod>(resources.pods, key);
      if (pod === undefined || !isWaiting(pod)) return undefined;
      const asked = (pod.spec as { schedulerName?: string }).schedulerName ?? schedulerName;
      const node = cache.get<Node>(resources.nodes, parts.nodeName);
      if (asked !== schedulerName || node === undefined) return undefined;
      const placed = cache.list<Pod>(resources.pods).filter((other) => (other.spec.nodeName ?? '') !== '');
      const why = missingClaim(parts, pod) ?? whyUnfit(pod, node, placed);
      if (why === undefined) {
        await cache.bind(refOf(pod), parts.nodeName);
        events.say(pod, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${parts.nodeName}`, source);
        return undefined;
      }
      const old = conditionOf(pod.status?.conditions, 'PodScheduled');
      if (old?.status === 'False' && old.message === why) return undefined;
      const conditions = withCondition(
        pod.status?.conditions,
        { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: why },
        timestamp(clock.now()),
      );
      await cache.patch(
        resources.pods,
        refOf(pod),
        { status: { phase: 'Pending', conditions } },
        { subresource: 'status', fieldManager: 'kube-scheduler' },
      );
      events.say(pod, 'Warning', 'FailedScheduling', why, source);
      return undefined;
    },
  });
  const retryAll = () => {
    for (const pod of cache.list<Pod>(resources.pods)) if (isWaiting(pod)) loop.enqueue(keyOf(pod));
  };
  cache.onChange<Pod>(resources.pods, ({ key, object, deleted }) => {
    if (deleted || isFinished(object)) retryAll();
    else if (isWaiting(object)) loop.enqueue(key);
  });
  cache.onChange(resources.nodes, retryAll);
  cache.onChange(resources.persistentVolumeClaims, retryAll);
  return loop;
}

function missingClaim(parts: ControllerParts, pod: Pod): string | undefined {
  for (const volume of pod.spec.volumes ?? []) {
    const name = volume.persistentVolumeClaim?.claimName;
    if (name === undefined) continue;
    const claim = parts.cache.get<PersistentVolumeClaim>(
      resources.persistentVolumeClaims,
      `${pod.metadata.namespace}/${name}`,
    );
    if (claim === undefined) return `0/1 nodes are available: persistentvolumeclaim "${name}" not found.`;
    if (claim.status?.phase !== 'Bound')
      return '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.';
  }
  return undefined;
}
