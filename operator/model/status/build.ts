/** The one builder of status. */
import type { ConditionType } from '../../../crds/reasons.ts';
import type { ModelDeploymentStatus, RevisionStatus, ScalingDecisionStatus } from '../../../crds/status.ts';
import type { ModelDeploymentSpec } from '../../../crds/types.ts';
import { concerns } from '../check.ts';
import { revisionData } from '../desired/controller-revision.ts';
import { selectorText, servingSelector } from '../labels.ts';
import { servicePort, serviceUrl } from '../names.ts';
import { isLiving, isReady } from '../pods.ts';
import type { ScalingReason } from '../scaling/types.ts';
import type { ScalingChange } from '../snapshot.ts';
import { type ConditionValue, mergeConditions } from './conditions.ts';
import { costStatus } from './cost.ts';
import { allFailures, failuresOf, type StatusFacts } from './facts.ts';
import { pendingStatus } from './pending.ts';
import { cutMessage, formatLatency, formatRate, formatShare, timestamp } from './rounding.ts';
import { available, phase, progress, ready, scalingLimited } from './serving.ts';
import { slaColumn, slaMet, slaStatus } from './sla.ts';
import { stallOf } from './stall.ts';
import { keptCondition } from './unheard.ts';

const maxFailures = 10;

const withoutPromise = ({ sla: _, ...spec }: ModelDeploymentSpec): ModelDeploymentSpec => spec;

function revisionStatus(facts: StatusFacts, revision: string): RevisionStatus {
  const known = facts.revisions.get(revision);
  const data = revisionData(known?.stored);
  const { measured } = facts.snapshot;
  const shares = measured === 'unknown' ? {} : measured.revisionShares;
  const status: RevisionStatus = {
    revision,
    version: data?.spec.model.version ?? revision,
    replicas: facts.rollout.replicas.get(revision) ?? 0,
    readyReplicas: known?.state.ready ?? 0,
  };
  if (known?.sha256 !== undefined) status.sha256 = known.sha256;
  // A rollout's other revision got none of the requests that came: that is 0 %, not unknown.
  if (Object.keys(shares).length > 0) status.observedWeight = formatShare(shares[revision] ?? 0);
  return status;
}

function scalingStatus(facts: StatusFacts): NonNullable<ModelDeploymentStatus['scaling']> {
  const { snapshot, needed, limits } = facts;
  const before = snapshot.deployment.status?.scaling?.lastDecision;
  const status: NonNullable<ModelDeploymentStatus['scaling']> = { desiredReplicas: needed, ...limits };
  const { scaling } = snapshot;
  if (scaling === 'unknown') {
    if (before !== undefined) status.lastDecision = before;
    return status;
  }
  const { lastChange, why, replicas } = scaling;
  const told = lastChange === undefined ? before : decisionStatus(lastChange);
  status.lastDecision =
    told !== undefined && stillExplains(told, why.reason)
      ? told
      : before?.reason === why.reason && before.replicas === replicas
        ? before
        : decisionStatus({ at: snapshot.nowMs, replicas, previousReplicas: replicas, why });
  return status;
}

/**
 * The decision that made the count stays until another one changes it: that is the question people ask, and after a
 * restart of the operator status still holds it. It ends when somebody else decides now (another mode); and a decision
 * that moved nothing, the very first as a rule, goes when its reason does.
 */
function stillExplains(told: ScalingDecisionStatus, reason: ScalingReason): boolean {
  if (told.replicas === told.previousReplicas) return told.reason === reason;
  return decidedByOthers(told.reason) === decidedByOthers(reason);
}

/** Who else than the autoscaler decided; '' when it did. */
const decidedByOthers = (reason: string): string =>
  reason === 'Fixed' || reason === 'External' || reason === 'Suspended' ? reason : '';

function decisionStatus({ at, replicas, previousReplicas, why }: ScalingChange): ScalingDecisionStatus {
  return {
    time: timestamp(at),
    replicas,
    previousReplicas,
    reason: why.reason,
    message: cutMessage(why.sentence),
    inputs: Object.fromEntries(
      Object.entries(why.inputs)
        .slice(0, 32)
        .map(([name, value]) => [
          name,
          typeof value === 'number' ? String(Number(value.toPrecision(4))) : value,
        ]),
    ),
  };
}

/** Everything that status says, from the facts; conditions carry on from the last status. */
export function buildStatus(facts: StatusFacts): ModelDeploymentStatus {
  const { snapshot, rollout } = facts;
  const { deployment, measured, nowMs } = snapshot;
  const { name, namespace, generation } = deployment.metadata;
  const stall = stallOf(facts);
  // A promise that does not parse is none; that it does not is what Stalled says.
  const promised = concerns(facts.problems, 'sla') ? withoutPromise(deployment.spec) : deployment.spec;
  const isReadyNow = ready(facts, stall);
  const { reconciling, stalled } = progress(facts, isReadyNow, stall);
  const values: Record<ConditionType, ConditionValue> = {
    Available: available(facts),
    Ready: isReadyNow,
    Reconciling: reconciling,
    Stalled: stalled,
    SLAMet: keptCondition(facts, 'SLAMet') ?? slaMet(promised, measured),
    ScalingLimited: keptCondition(facts, 'ScalingLimited') ?? scalingLimited(facts),
  };
  const readyReplicas = snapshot.pods.filter(isReady).length;
  const p95 = measured === 'unknown' ? 'unknown' : measured.latencyMs.p95;
  const rate = measured === 'unknown' ? 'unknown' : measured.requestRate;
  const failures = allFailures(facts);
  // What is known of a failed revision stays on show when its pods are gone.
  const shown = failures.length === 0 ? failuresOf(facts, rollout.record.failedRevision ?? '') : failures;
  const sla = slaStatus(promised, measured);
  const pending = pendingStatus(facts);
  const { number, startedAtMs, finishedAtMs, failedRevision, makesRoomSinceMs } = rollout.record;
  return {
    observedGeneration: generation,
    replicas: snapshot.pods.filter(isLiving).length,
    readyReplicas,
    selector: selectorText(servingSelector(name)),
    url: serviceUrl(name, namespace, servicePort),
    summary: {
      ready: `${readyReplicas}/${facts.needed}`,
      phase: phase(facts, values),
      ...(p95 === 'unknown' ? {} : { p95: formatLatency(p95) }),
      sla: slaColumn(values.SLAMet),
      ...(rate === 'unknown' ? {} : { requestRate: formatRate(rate) }),
      message: cutMessage(isReadyNow.message, 256),
    },
    conditions: mergeConditions(deployment.status?.conditions ?? [], values, generation, nowMs),
    ...(rollout.stable === undefined ? {} : { stable: revisionStatus(facts, rollout.stable) }),
    ...(rollout.candidate === undefined ? {} : { candidate: revisionStatus(facts, rollout.candidate) }),
    rollout: {
      number,
      ...(startedAtMs === undefined ? {} : { startedAt: timestamp(startedAtMs) }),
      ...(finishedAtMs === undefined ? {} : { finishedAt: timestamp(finishedAtMs) }),
      ...(failedRevision === undefined ? {} : { failedRevision }),
      ...(makesRoomSinceMs === undefined ? {} : { makesRoomSince: timestamp(makesRoomSinceMs) }),
    },
    scaling: scalingStatus(facts),
    ...(sla === undefined ? {} : { sla }),
    cost: costStatus(facts),
    ...(pending === undefined ? {} : { pending }),
    ...(shown.length === 0
      ? {}
      : { failures: shown.slice(0, maxFailures).map(({ hopeless: _, ...failure }) => failure) }),
  };
}
