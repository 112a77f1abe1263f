/** The one builder of status. */
import type { ConditionType } from '../../../crds/reasons.ts';
import type { ModelDeploymentStatus, RevisionStatus } from '../../../crds/status.ts';
import type { ModelDeploymentSpec } from '../../../crds/types.ts';
import { concerns } from '../check.ts';
import { revisionData } from '../desired/controller-revision.ts';
import { pathSinceMs } from '../gateway/path.ts';
import { selectorText, servingSelector } from '../labels.ts';
import { servicePort, serviceUrl } from '../names.ts';
import { isLiving, isReady, recentFailures } from '../pods.ts';
import { type ConditionValue, mergeConditions } from './conditions.ts';
import { costStatus } from './cost.ts';
import { allFailures, failuresOf, type StatusFacts } from './facts.ts';
import { pendingStatus } from './pending.ts';
import { cutMessage, formatLatency, formatRate, formatShare, timestamp } from './rounding.ts';
import { scalingLimited, scalingStatus } from './scaling.ts';
import { available, phase, progress, ready } from './serving.ts';
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
  const lasting = failures.length === 0 ? failuresOf(facts, rollout.record.failedRevision ?? '') : failures;
  const told = new Set(lasting.map(({ pod, container }) => `${pod}/${container}`));
  const recent = snapshot.pods
    .flatMap((pod) => recentFailures(pod, nowMs))
    .filter(({ pod, container }) => !told.has(`${pod}/${container}`));
  const shown = [...lasting, ...recent];
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
    traffic: {
      path: facts.traffic.path,
      since: timestamp(pathSinceMs(deployment, facts.traffic.path, nowMs)),
      reason: facts.traffic.reason,
      message: cutMessage(facts.traffic.message, 512),
      ...(facts.choice === undefined ? {} : { choice: facts.choice }),
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
