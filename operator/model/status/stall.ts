/** What keeps the spec from ever being served unless somebody acts; the first that applies, in order of cause. */
import type { Reason } from '../../../crds/reasons.ts';
import { formatDuration } from '../../../crds/values.ts';
import { isAboutReplicas } from '../contest.ts';
import { needsGateway } from '../gateway/path.ts';
import { isAutoscalerName } from '../scale-owner.ts';
import type { ChildKey, Contest, Fault, Refusal } from '../snapshot.ts';
import { conditionOf } from './conditions.ts';
import { failuresOf, failureText, type StatusFacts } from './facts.ts';
import { unplacedText } from './pending.ts';
import { timestamp, timestampMs } from './rounding.ts';

export interface Stall {
  readonly reason: Reason;
  readonly message: string;
}

/** What an administrator grants to end a refusal. */
function refusalMessage(refusal: Refusal): string {
  const { verb, resource, child, message } = refusal;
  const name = child.slice(child.indexOf('/') + 1);
  switch (refusal.kind) {
    case 'Forbidden':
      return refusal.permission === undefined
        ? `the cluster's admission lets the operator not ${verb} ${resource} ${name}: exempt what Ballast makes, or change the rule. The API server said: ${message}`
        : `the operator may not ${refusal.permission}`;
    case 'QuotaExceeded':
      return `the namespace's quota refuses ${resource} ${name}: raise it or remove what is not needed. The API server said: ${message}`;
    case 'Invalid':
      return `the API server refuses ${resource} ${name} as the spec wants it: ${message}`;
  }
}

/** A fault that lasts, in the server's words, and that nobody needs to ask for another try. */
export function faultText({ verb, resource, child, message, sinceMs }: Fault): string {
  const name = child.slice(child.indexOf('/') + 1);
  return `the operator fails to ${verb} ${resource} ${name} since ${timestamp(sinceMs)} and tries it again: ${message}`;
}

const refusalReason = {
  Forbidden: 'Forbidden',
  QuotaExceeded: 'QuotaExceeded',
  Invalid: 'SpecInvalid',
} as const;

function failedRollout(facts: StatusFacts): Stall {
  const { rollout, wanted, needed } = facts;
  const first = failuresOf(facts, wanted)[0];
  const ready = facts.revisions.get(wanted)?.state.ready ?? 0;
  const cause =
    first === undefined
      ? `${ready} of ${needed} pods were ready within ${formatDuration(facts.progressDeadlineMs)}`
      : failureText(first);
  const { fault } = facts.snapshot.memory;
  return {
    reason: first?.reason ?? 'ProgressDeadlineExceeded',
    message: `revision ${wanted} failed: ${cause}${servesMeanwhile(rollout.stable)}${fault === undefined ? '' : `; ${faultText(fault)}`}`,
  };
}

const servesMeanwhile = (stable: string | undefined): string =>
  stable === undefined
    ? '; nothing serves yet'
    : `; revision ${stable} keeps serving; change the spec, or go back to the one before`;

/** When stable became short of ready pods, wall clock; undefined while it is not. */
function shortSinceMs(facts: StatusFacts): number | undefined {
  const ready = conditionOf(facts.snapshot.deployment.status?.conditions, 'Ready');
  return ready?.status === 'False' ? timestampMs(ready.lastTransitionTime) : undefined;
}

/** Failures that do not end by waiting, though they may by somebody's doing: told after a minute, and tried on. */
const seldomEnds: readonly Reason[] = ['PodCrashing', 'OutOfMemory', 'ImagePullFailed', 'QuotaExceeded'];
/** By then a container that crashes has been started three times (10 s, then 20 s between). */
const triedInVainMs = 60_000;

/** When the wait of the wanted revision's pods for a node counts as stalled; undefined while none waits. */
function unplacedStallsAtMs(facts: StatusFacts): number | undefined {
  const since = facts.revisions.get(facts.wanted)?.state.unplacedSinceMs;
  return since === undefined ? undefined : since + facts.progressDeadlineMs;
}

/** Time at which a revision that is short of pods counts as stalled; undefined while it is not short. */
export function stallsAtMs(facts: StatusFacts): number | undefined {
  const { rollout, wanted, needed, snapshot, outdatedPods } = facts;
  if (snapshot.deployment.spec.suspend === true) return undefined;
  const revision = facts.revisions.get(wanted);
  const failure = revision?.failures[0];
  if (revision === undefined || (revision.state.ready >= needed && outdatedPods === 0)) return undefined;
  if (failure === undefined) return unplacedStallsAtMs(facts);
  if (revision.state.ready >= needed) return undefined;
  if (rollout.candidate === wanted && rollout.stable !== wanted) {
    const { startedAtMs } = rollout.record;
    return startedAtMs === undefined || !seldomEnds.includes(failure.reason)
      ? undefined
      : startedAtMs + triedInVainMs;
  }
  if (rollout.stable !== wanted) return undefined;
  const since = shortSinceMs(facts);
  return since === undefined ? undefined : since + facts.progressDeadlineMs;
}

/** Why pods of the wanted revision wait for a node for good, and what can be done. */
function noRoom(facts: StatusFacts): Stall {
  const { rollout, wanted, needed } = facts;
  const ready = facts.revisions.get(wanted)?.state.ready ?? 0;
  const waits = unplacedText(facts) ?? 'pods wait for a node';
  const { stable } = rollout;
  const meanwhile =
    stable === undefined
      ? '; nothing serves yet'
      : stable === wanted
        ? ''
        : `; revision ${stable} keeps serving${needed > 1 ? '' : ' with its one pod, which cannot give way: to accept a pause instead, set spec.suspend to true, and to false when its pod has ended'}`;
  return {
    reason: 'Unschedulable',
    message: `${ready} of ${needed} pods of revision ${wanted} are ready${meanwhile}; ${waits}`,
  };
}

/** Who fights over the replicas of a child, and what ends it: an autoscaler wants another target, a person or a tool none. */
function fightText(child: ChildKey, { writers = [] }: Contest): string {
  const isKnown = writers.length > 0;
  const isTool = isKnown && !writers.some(isAutoscalerName);
  const who = isKnown
    ? `${writers.map(writerText).join(' and ')} ${writers.length > 1 ? 'change' : 'changes'}`
    : 'something else changes';
  const guess = isKnown ? '' : ', a HorizontalPodAutoscaler as a rule';
  const way = isTool
    ? 'Let it leave spec.replicas of this Deployment alone and write the limits into this ModelDeployment, or set scaling.mode: External to decide the count by yourself'
    : 'Set scaling.mode: External and point the autoscaler at this ModelDeployment, or delete it and change the spec';
  return `${who} the replicas of ${child} again and again${guess}; Ballast stopped putting them back. ${way}`;
}

const writerText = (manager: string): string =>
  manager === 'kube-controller-manager' ? `${manager} (a HorizontalPodAutoscaler)` : manager;

/** What keeps the gateway away that the spec cannot do without; the pods serve meanwhile. */
function gatewayStall({ snapshot: { deployment, gateway } }: StatusFacts): Stall | undefined {
  const problem = gateway?.problem;
  if (problem === undefined || !needsGateway(deployment)) return undefined;
  const { reason, message } = problem;
  return { reason, message: `${message}; until then requests go straight to the pods` };
}

/**
 * | first that holds                                | reason                          |
 * | a field that cannot be served                   | SpecInvalid                     |
 * | a request of the operator was refused           | Forbidden, QuotaExceeded, SpecInvalid |
 * | a needed name belongs to somebody else          | ChildConflict                   |
 * | the rollout failed                              | the pod's reason, else ProgressDeadlineExceeded |
 * | somebody keeps changing a child's replicas      | ReplicasContested               |
 * | somebody keeps changing a child                 | ChildMutated                    |
 * | stable short of pods, failing, for the deadline | the pod's reason                |
 * | pods wait for a node for the deadline           | Unschedulable                   |
 * | candidate short of pods for a minute, from a failure that seldom ends by itself | the pod's reason |
 * | the gateway that the spec asks for cannot be made | ChildConflict, Forbidden, SpecInvalid |
 */
export function stallOf(facts: StatusFacts): Stall | undefined {
  const { problems, refusal, conflicts, rollout, wanted, contests, snapshot } = facts;
  if (problems.length > 0)
    return {
      reason: 'SpecInvalid',
      message: problems.map(({ field, message }) => `${field}: ${message}`).join('; '),
    };
  if (refusal !== undefined) return { reason: refusalReason[refusal.kind], message: refusalMessage(refusal) };
  const [conflict] = conflicts;
  if (conflict !== undefined)
    return {
      reason: 'ChildConflict',
      message: `${conflict.holder} has the name that Ballast needs: rename or delete it, or give the ModelDeployment another name`,
    };
  if (rollout.record.failedRevision === wanted && rollout.stable !== wanted) return failedRollout(facts);
  const [contest] = contests;
  if (contest !== undefined && isAboutReplicas(contest[1]) && contest[1].mutatedAtOnce !== true)
    return { reason: 'ReplicasContested', message: fightText(...contest) };
  if (contest !== undefined)
    return {
      reason: 'ChildMutated',
      message: `something keeps changing ${contest[1].fields.join(', ')} of ${contest[0]}: find the webhook or controller that does it, exempt the object, then change the spec`,
    };
  const at = stallsAtMs(facts);
  if (at === undefined || snapshot.nowMs < at) return gatewayStall(facts);
  const first = facts.revisions.get(wanted)?.failures[0];
  if (first === undefined) return noRoom(facts);
  const meanwhile = rollout.stable === wanted ? '' : servesMeanwhile(rollout.stable);
  return {
    reason: first.reason,
    message: `${facts.revisions.get(wanted)?.state.ready ?? 0} of ${facts.needed} pods of revision ${wanted} are ready; ${failureText(first)}${meanwhile}`,
  };
}
