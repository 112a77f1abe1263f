/** Reconcile of one ModelDeployment: gather, plan, execute. */
import { fieldManagers, groupVersion, kind, modelDeployments } from '../../crds/constants.ts';
import type { Reason } from '../../crds/reasons.ts';
import type { ModelDeploymentStatus } from '../../crds/status.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import type { KubeApi } from '../../kube/api.ts';
import type { ConsistencyTracker } from '../../kube/consistency.ts';
import type { ReconcileContext, ReconcileResult } from '../../kube/controller.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { messageOf } from '../../kube/log.ts';
import type { Observer } from '../../kube/metrics.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { missingRule, ruleRemedy, ruleText } from '../../kube/rbac.ts';
import type { ObjectKey } from '../../kube/resource.ts';
import { type Plan, plan } from '../model/plan.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { ConflictWatches } from './conflict-watches.ts';
import { executeChildren } from './execute.ts';
import { type GatherSources, gather } from './gather.ts';

export interface ReconcileTools extends GatherSources {
  readonly api: KubeApi;
  readonly observer: Observer;
  readonly consistency: ConsistencyTracker;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly conflicts: Pick<ConflictWatches, 'set'>;
}

/** Makes the reconcile function. It throws what a later try may heal; what a person must heal is in status. */
export const reconcileModelDeployment =
  (tools: ReconcileTools) =>
  async (key: ObjectKey, { signal }: ReconcileContext): Promise<ReconcileResult | undefined> => {
    const { memories, consistency, recorder } = tools;
    const snapshot = gather(key, tools);
    if (snapshot === undefined) {
      consistency.forget(key);
      tools.conflicts.set(key, '', []);
      return undefined;
    }
    const { deployment } = snapshot;
    const { uid } = deployment.metadata;
    let decided = planOrSay(snapshot, tools);
    const outcome = await executeChildren(deployment, decided, {
      api: tools.api,
      observer: tools.observer,
      nowMs: tools.nowMs,
      signal,
      wrote: (type, object) => consistency.wrote(key, type, object),
      deleted: (type, object) => consistency.deleted(key, type, object),
    });
    // A refusal, a conflict or a fault that lasts belongs into the status of this very pass; a passing fault does not.
    if (memories.record(uid, outcome, tools.nowMs()))
      decided = plan({ ...snapshot, memory: memories.of(uid) });
    tools.conflicts.set(
      key,
      uid,
      memories.of(uid).conflicts.map(({ child }) => child),
    );
    const { refusal, fault } = memories.of(uid);
    if (outcome.error !== undefined && refusal === undefined && fault === undefined) throw outcome.error;
    if (decided.status !== undefined) {
      await writeStatus(key, deployment, decided.status, signal, tools);
      memories.statusWritten(uid, tools.nowMs());
    }
    for (const event of decided.events)
      recorder.record({ ...deployment, apiVersion: groupVersion, kind }, event);
    memories.waitTold(uid, decided.waitTold);
    if (outcome.error !== undefined) throw outcome.error;
    return decided.requeueAfterMs === undefined ? undefined : { requeueAfterMs: decided.requeueAfterMs };
  };

/** A fault of ours in planning hurts this object alone: its children stay as they are, and an event tells people. */
function planOrSay(snapshot: Snapshot, { recorder, observer }: ReconcileTools): Plan {
  try {
    return plan(snapshot);
  } catch (error) {
    observer.count('plan_errors_total');
    recorder.record(
      { ...snapshot.deployment, apiVersion: groupVersion, kind },
      {
        type: 'Warning',
        reason: 'InternalError',
        message: `the operator cannot plan for this spec, nothing is changed: ${messageOf(error)}; please report it`,
      },
    );
    throw error;
  }
}

/** The one write of status: applied whole, so that what is not said any more goes away. */
async function writeStatus(
  key: ObjectKey,
  deployment: ModelDeployment,
  status: ModelDeploymentStatus,
  signal: AbortSignal,
  { api, consistency, observer, recorder }: ReconcileTools,
): Promise<void> {
  const { name, namespace, uid } = deployment.metadata;
  const object: KubeObject & { status: ModelDeploymentStatus } = {
    apiVersion: groupVersion,
    kind,
    // The uid keeps the status of a deleted object off its namesake.
    metadata: { name, namespace, uid },
    status,
  };
  try {
    const written = await api.apply(modelDeployments, object, {
      fieldManager: fieldManagers.status,
      subresource: 'status',
      force: true,
      signal,
    });
    observer.count('writes_total', { kind, verb: 'apply status' });
    consistency.wrote(key, modelDeployments, written);
  } catch (error) {
    const rule = missingRule(error);
    // Status cannot say it, so an Event does, beside /readyz and the log.
    if (rule !== undefined)
      recorder.record(
        { ...deployment, apiVersion: groupVersion, kind },
        {
          type: 'Warning',
          reason: 'Forbidden' satisfies Reason,
          message: `status cannot be written: the operator may not ${ruleText(rule)}: ${ruleRemedy(rule)}`,
        },
      );
    if (!isNotFound(error)) throw error;
  }
}
