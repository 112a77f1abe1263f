/** `status.scaling` and the condition ScalingLimited: why this many replicas, and what keeps more from running. */
import type { PastDecisionStatus, ScalingDecisionStatus, ScalingStatus } from '../../../crds/status.ts';
import { type ScaleOwner, scaleOwnerOf } from '../scale-owner.ts';
import type { Known, ScalingReason, Why } from '../scaling/types.ts';
import type { ScalingChange, ScalingReading } from '../snapshot.ts';
import { type ConditionValue, no, unknown, yes } from './conditions.ts';
import type { StatusFacts } from './facts.ts';
import { headroomStatus } from './headroom.ts';
import { learnedStatus } from './learned.ts';
import { cutMessage, formatLatency, formatRate, formatShare, timestamp } from './rounding.ts';
import { keptDecision } from './unheard.ts';

const keptDecisions = 10;
/** Ten of them in each status: shorter than the last one, which is told whole. */
const pastMessageLength = 320;

/** Whether something keeps the promise from being kept, as the last scaling decision saw it, or who fights over the count. */
export function scalingLimited(facts: StatusFacts): ConditionValue {
  const { scaling, deployment } = facts.snapshot;
  const { minReplicas, maxReplicas } = facts.limits;
  const { mode } = deployment.spec.scaling;
  const owner = scaleOwnerOf(deployment);
  if (mode === 'Fixed' && owner?.isAutoscaler === true) return yes('ReplicasContested', contestedText(owner));
  const fight = scaling === 'unknown' ? undefined : scaling.why.limited;
  if (mode === 'External' && fight?.reason === 'ReplicasContested') return yes(fight.reason, fight.sentence);
  if (mode !== 'SLA') return no('WithinLimits', externalText(mode, owner));
  if (deployment.spec.suspend === true) return no('WithinLimits', 'spec.suspend is true: no pod is wanted');
  if (scaling === 'unknown') return unknown('MetricsUnknown', 'no scaling decision was made yet');
  const { limited } = scaling.why;
  if (limited !== undefined) return yes(limited.reason, limited.sentence);
  const wanted = facts.needed === 1 ? '1 pod' : `${facts.needed} pods`;
  return no('WithinLimits', `${wanted} wanted, between ${minReplicas} and ${maxReplicas}`);
}

const contestedText = ({ manager, time }: ScaleOwner) =>
  `scaling.mode is Fixed, but an autoscaler (field manager ${manager}) wrote scaling.replicas${time === undefined ? '' : ` at ${time}`}: set scaling.mode: External to let it decide, or delete it and write scaling.replicas yourself`;

function externalText(mode: string, owner: ScaleOwner | undefined): string {
  if (mode !== 'External') return `scaling.mode is ${mode}`;
  return owner === undefined
    ? 'scaling.mode is External: nobody has written the scale subresource yet; point a HorizontalPodAutoscaler or a KEDA ScaledObject at this ModelDeployment'
    : `scaling.mode is External: ${owner.manager} decides through the scale subresource`;
}

function ownerOf(facts: StatusFacts): string {
  const { deployment } = facts.snapshot;
  const { mode } = deployment.spec.scaling;
  if (mode === 'SLA') return 'Ballast';
  if (mode === 'Fixed') return 'spec';
  return (scaleOwnerOf(deployment)?.manager ?? 'nobody').slice(0, 128);
}

/** What is asked for, who asks, what is decided at present, and the last decisions that changed the count. */
export function scalingStatus(facts: StatusFacts): ScalingStatus {
  const { snapshot, needed, limits } = facts;
  const { scaling } = snapshot;
  const before = snapshot.deployment.status?.scaling;
  const status: ScalingStatus = { desiredReplicas: needed, ...limits, owner: ownerOf(facts) };
  const headroom = headroomStatus(facts);
  if (headroom !== undefined) status.headroom = headroom;
  const kept = keptDecision(facts);
  if (kept !== undefined) status.current = kept;
  if (scaling === 'unknown') {
    if (before?.lastDecision !== undefined) status.lastDecision = before.lastDecision;
    if (before?.recentDecisions !== undefined) status.recentDecisions = before.recentDecisions;
    if (before?.learned !== undefined) status.learned = before.learned;
    return status;
  }
  status.current = kept ?? currentStatus(scaling);
  status.lastDecision = lastDecision(scaling, before?.lastDecision, snapshot.nowMs);
  const recent = recentDecisions(scaling, before?.recentDecisions ?? []);
  if (recent.length > 0) status.recentDecisions = recent;
  const learned = learnedStatus(before?.learned, scaling.memory);
  if (learned !== undefined) status.learned = learned;
  return status;
}

function currentStatus({ why, startupSeconds }: ScalingReading): NonNullable<ScalingStatus['current']> {
  const { needed, limited, inputs } = why;
  const part = <Key extends string>(
    key: Key,
    value: Known<number> | undefined,
    format: (is: number) => string,
  ) =>
    value === undefined || value === 'unknown' || !Number.isFinite(value)
      ? {}
      : ({ [key]: format(value) } as Record<Key, string>);
  return {
    reason: why.reason,
    message: cutMessage(why.sentence),
    // Where others decide, nobody has asked what the load needs.
    ...(needed === 'unknown' || decidedByOthers(why.reason) !== '' ? {} : { neededReplicas: needed }),
    ...part('arrivalRate', inputs.plannedRate, formatRate),
    ...part('forecastRate', inputs.forecastRate, formatRate),
    ...part('utilisation', utilisationOf(why), formatShare),
    ...part('startupTime', startupSeconds ?? inputs.startupSeconds, (is) => formatLatency(is * 1_000)),
    ...part('nodeTime', inputs.nodeSeconds, (is) => formatLatency(is * 1_000)),
    ...(limited === undefined ? {} : { limitedBy: limited.reason }),
  };
}

/** How busy one replica is on average at the planned rate, 0 to 1; unknown before anything was served. */
export function utilisationOf({ inputs }: Pick<Why, 'inputs'>): Known<number> {
  const { utilisation, busyReplicas, readyPods } = inputs;
  if (utilisation !== undefined) return utilisation;
  if (typeof busyReplicas !== 'number' || typeof readyPods !== 'number' || readyPods === 0) return 'unknown';
  return busyReplicas / readyPods;
}

function lastDecision(
  { lastChange, why, replicas }: ScalingReading,
  before: ScalingDecisionStatus | undefined,
  nowMs: number,
): ScalingDecisionStatus {
  const told = lastChange === undefined ? before : decisionStatus(lastChange);
  if (told !== undefined && stillExplains(told, why.reason)) return told;
  if (before?.reason === why.reason && before.replicas === replicas) return before;
  return decisionStatus({ at: nowMs, replicas, previousReplicas: replicas, why });
}

/** This process's decisions, then those that the last status has of the time before it; a write or a restart loses none. */
function recentDecisions(
  { recentChanges, lastChange }: ScalingReading,
  before: readonly PastDecisionStatus[],
): PastDecisionStatus[] {
  const ours = (recentChanges ?? (lastChange === undefined ? [] : [lastChange])).map(pastDecision);
  const oldest = ours.at(-1)?.time;
  const isOurs = (one: PastDecisionStatus) =>
    ours.some(
      ({ time, replicas, previousReplicas }) =>
        time === one.time && replicas === one.replicas && previousReplicas === one.previousReplicas,
    );
  const earlier = before.filter((one) => oldest === undefined || (one.time <= oldest && !isOurs(one)));
  return [...ours, ...earlier].slice(0, keptDecisions);
}

const pastDecision = ({ at, replicas, previousReplicas, why }: ScalingChange): PastDecisionStatus => ({
  time: timestamp(at),
  replicas,
  previousReplicas,
  reason: why.reason,
  message: cutMessage(why.sentence, pastMessageLength),
});

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

function decisionStatus(change: ScalingChange): ScalingDecisionStatus {
  return {
    ...pastDecision(change),
    message: cutMessage(change.why.sentence),
    inputs: Object.fromEntries(
      Object.entries(change.why.inputs)
        .slice(0, 32)
        .map(([name, value]) => [
          name,
          typeof value === 'number' ? String(Number(value.toPrecision(4))) : value,
        ]),
    ),
  };
}
