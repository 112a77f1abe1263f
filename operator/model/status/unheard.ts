/** Before pods have been heard, the last status knows more of the promise than this process does: its word stands. */
import type { ConditionType, Reason } from '../../../crds/reasons.ts';
import type { ScalingStatus } from '../../../crds/status.ts';
import { isReady } from '../pods.ts';
import { isSilent } from '../scaling/measured.ts';
import { type ConditionValue, conditionOf } from './conditions.ts';
import type { StatusFacts } from './facts.ts';

/**
 * | measured                      | its ready pods         | ready pods | unheard |
 * | not yet                       | –                      | any        | yes     |
 * | yes, none answered, 30 s ago  | some                   | any        | no      |
 * | yes, none answered yet        | some                   | any        | yes     |
 * | yes, somebody answered        | any                    | any        | no      |
 * | yes                           | none: no address known | some       | yes     |
 * | yes                           | none                   | none       | no      |
 */
function isUnheard({ snapshot: { measured, pods } }: StatusFacts): boolean {
  if (measured === 'unknown') return true;
  if (measured.unheardMs !== undefined) return !isSilent(measured);
  return measured.readyPods === 0 && pods.some(isReady);
}

/**
 * The present decision as the last status has it for this very spec, while the pods have not been heard and this process has
 * changed nothing: it knows less than was known then. Else undefined.
 */
export function keptDecision(facts: StatusFacts): NonNullable<ScalingStatus['current']> | undefined {
  const { deployment, scaling } = facts.snapshot;
  const { metadata, status, spec } = deployment;
  const isOurs = spec.scaling.mode === 'SLA' && spec.suspend !== true;
  if (!isOurs || !isUnheard(facts) || status?.observedGeneration !== metadata.generation) return undefined;
  return scaling === 'unknown' || scaling.lastChange === undefined ? status?.scaling?.current : undefined;
}

/** The condition as the last status has it for this very spec, while the pods have not been heard; else undefined. */
export function keptCondition(facts: StatusFacts, type: ConditionType): ConditionValue | undefined {
  const { metadata, status } = facts.snapshot.deployment;
  if (!isUnheard(facts)) return undefined;
  const before = conditionOf(status?.conditions, type);
  if (before?.observedGeneration !== metadata.generation) return undefined;
  return { status: before.status, reason: before.reason as Reason, message: before.message };
}
