/** ReplicaSets: keeps as many pods as asked for, and counts them. */
import type { Condition, Pod, ReplicaSet } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { failureReason, failureText, keyOf, refOf, timestamp } from './access.ts';
import { conditionOf, withCondition, withoutCondition } from './conditions.ts';
import { ControlLoop } from './control-loop.ts';
import { canonicalJson } from './deployment/template-hash.ts';
import type { ReplicaSetStatus } from './kinds.ts';
import type { ControllerParts } from './parts.ts';
import { compareForDeletion, isActive, isReady, isTerminating, untilAvailableMs } from './pod-state.ts';
import { selects } from './selector.ts';

const source = { component: 'replicaset-controller' };
/** Most pods made or removed in one look. */
const burst = 500;

/** Starts the controller; the returned loop is stopped by the caller. */
export function startReplicaSetController(parts: ControllerParts): ControlLoop {
  const controller = new ReplicaSetController(parts);
  const loop = new ControlLoop({
    name: 'replicaset',
    clock: parts.clock,
    log: parts.log,
    reconcile: (key) => controller.reconcile(key),
  });
  parts.cache.onChange<ReplicaSet>(resources.replicaSets, ({ key }) => loop.enqueue(key));
  parts.cache.onChange<Pod>(resources.pods, ({ object, previous }) => {
    for (const pod of [object, previous]) {
      const owner = pod?.metadata.ownerReferences?.find((reference) => reference.controller === true);
      if (owner?.kind === 'ReplicaSet') loop.enqueue(`${object.metadata.namespace}/${owner.name}`);
    }
    if (object.metadata.ownerReferences?.some((owner) => owner.controller === true) === true) return;
    for (const set of parts.cache.list<ReplicaSet>(resources.replicaSets, object.metadata.namespace))
      if (selects(set.spec.selector, object.metadata.labels)) loop.enqueue(keyOf(set));
  });
  return loop;
}

/** The pod that a ReplicaSet makes. */
function podOf(set: ReplicaSet): Pod {
  const template = set.spec.template;
  if (template === undefined) throw new Error(`ReplicaSet ${set.metadata.name} has no template`);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${set.metadata.name}-`,
      ...(set.metadata.namespace === undefined ? {} : { namespace: set.metadata.namespace }),
      ...(template.metadata?.labels === undefined ? {} : { labels: template.metadata.labels }),
      ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
      ...(template.metadata?.finalizers === undefined ? {} : { finalizers: template.metadata.finalizers }),
      ownerReferences: [ownerReference(set)],
    },
    spec: template.spec,
  };
}

function ownerReference(set: ReplicaSet) {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: set.metadata.name ?? '',
    uid: set.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Counts of a ReplicaSet's status, and how long until another pod becomes available. Pure. */
function countPods(
  set: ReplicaSet,
  pods: readonly Pod[],
  nowMs: number,
): { counts: ReplicaSetStatus; againMs: number | undefined } {
  const labels = set.spec.template?.metadata?.labels ?? {};
  const minReadySeconds = set.spec.minReadySeconds ?? 0;
  const active = pods.filter(isActive);
  let readyReplicas = 0;
  let availableReplicas = 0;
  let fullyLabeledReplicas = 0;
  let againMs: number | undefined;
  for (const pod of active) {
    if (selects({ matchLabels: labels }, pod.metadata.labels)) fullyLabeledReplicas++;
    if (isReady(pod)) readyReplicas++;
    const untilMs = untilAvailableMs(pod, minReadySeconds, nowMs);
    if (untilMs === 0) availableReplicas++;
    else if (untilMs !== undefined) againMs = Math.min(againMs ?? untilMs, untilMs);
  }
  return {
    counts: {
      replicas: active.length,
      fullyLabeledReplicas,
      readyReplicas,
      availableReplicas,
      terminatingReplicas: pods.filter(isTerminating).length,
      observedGeneration: set.metadata.generation ?? 0,
    },
    againMs,
  };
}

class ReplicaSetController {
  readonly #parts: ControllerParts;
  constructor(parts: ControllerParts) {
    this.#parts = parts;
  }

  async reconcile(key: string): Promise<number | undefined> {
    const { cache, clock } = this.#parts;
    const set = cache.get<ReplicaSet>(resources.replicaSets, key);
    if (set === undefined) return undefined;
    const active = (await this.#claim(set)).filter(isActive);
    let failure: { reason: string; error: unknown } | undefined;
    if (set.metadata.deletionTimestamp === undefined) failure = await this.#manage(set, active);
    const { counts, againMs } = countPods(set, await this.#claim(set), clock.now());
    await this.#writeStatus(set, counts, failure);
    if (failure !== undefined) throw failure.error;
    return againMs;
  }

  /** Pods of this ReplicaSet; matching ones without an owner are adopted, those that no longer match let go. */
  async #claim(set: ReplicaSet): Promise<Pod[]> {
    const { cache } = this.#parts;
    const owned: Pod[] = [];
    for (const pod of cache.ownedBy<Pod>(resources.pods, set.metadata.uid ?? '')) {
      if (selects(set.spec.selector, pod.metadata.labels) || set.metadata.deletionTimestamp !== undefined)
        owned.push(pod);
      else if (pod.metadata.deletionTimestamp === undefined)
        await cache.patch(resources.pods, refOf(pod), {
          metadata: {
            ownerReferences:
              pod.metadata.ownerReferences?.filter(({ uid }) => uid !== set.metadata.uid) ?? [],
          },
        });
    }
    if (set.metadata.deletionTimestamp === undefined)
      for (const pod of cache.list<Pod>(resources.pods, set.metadata.namespace)) {
        const owners = pod.metadata.ownerReferences ?? [];
        if (owners.some((owner) => owner.controller === true) || !isActive(pod)) continue;
        if (!selects(set.spec.selector, pod.metadata.labels)) continue;
        owned.push(
          await cache.patch<Pod>(resources.pods, refOf(pod), {
            metadata: { ownerReferences: [...owners, ownerReference(set)] },
          }),
        );
      }
    return owned;
  }

  async #manage(set: ReplicaSet, active: Pod[]): Promise<{ reason: string; error: unknown } | undefined> {
    const { cache, events } = this.#parts;
    const wanted = set.spec.replicas ?? 1;
    const missing = Math.min(burst, wanted - active.length);
    for (let made = 0; made < missing; made++) {
      try {
        const pod = await cache.create(resources.pods, podOf(set));
        events.say(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`, source);
      } catch (error) {
        if (failureReason(error) === 'NotFound') throw error;
        // The set itself goes next: nothing to report.
        if (failureText(error).includes('because it is being terminated')) return undefined;
        events.say(set, 'Warning', 'FailedCreate', `Error creating: ${failureText(error)}`, source);
        return { reason: 'FailedCreate', error };
      }
    }
    const surplus = Math.min(burst, active.length - wanted);
    if (surplus <= 0) return undefined;
    for (const pod of [...active].sort(compareForDeletion).slice(0, surplus)) {
      try {
        await cache.delete(resources.pods, refOf(pod), { uid: pod.metadata.uid });
        events.say(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`, source);
      } catch (error) {
        if (failureReason(error) === 'NotFound') continue;
        events.say(set, 'Warning', 'FailedDelete', `Error deleting: ${failureText(error)}`, source);
        return { reason: 'FailedDelete', error };
      }
    }
    return undefined;
  }

  async #writeStatus(
    set: ReplicaSet,
    counts: ReplicaSetStatus,
    failure: { reason: string; error: unknown } | undefined,
  ): Promise<void> {
    const { cache, clock } = this.#parts;
    const latest = cache.get<ReplicaSet>(resources.replicaSets, keyOf(set));
    if (latest === undefined || latest.metadata.uid !== set.metadata.uid) return;
    let conditions: Condition[] = [...(latest.status?.conditions ?? [])];
    if (failure === undefined) conditions = withoutCondition(conditions, 'ReplicaFailure');
    // The message has the name of a pod that never was, another one each time: only the first is kept.
    else if (conditionOf(conditions, 'ReplicaFailure') === undefined)
      conditions = withCondition(
        conditions,
        {
          type: 'ReplicaFailure',
          status: 'True',
          reason: failure.reason,
          message: failureText(failure.error),
        },
        timestamp(clock.now()),
      );
    const { conditions: _old, ...old } = latest.status ?? {};
    const meaning = (status: object) =>
      canonicalJson(Object.fromEntries(Object.entries(status).filter(([, value]) => value !== 0)));
    if (
      meaning(old) === meaning(counts) &&
      canonicalJson(latest.status?.conditions ?? []) === canonicalJson(conditions)
    )
      return;
    await cache.patch(
      resources.replicaSets,
      refOf(set),
      { status: { ...counts, conditions: conditions.length === 0 ? null : conditions } },
      { subresource: 'status' },
    );
  }
}
