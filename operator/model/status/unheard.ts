/** Before pods have been heard, the last status knows more of the promise than this process does: its word stands. */
import type { ConditionType, Reason } from '../../../crds/reasons.ts';
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

/** The condition as the last status has it for this very spec, while the pods have not been heard; else undefined. */
export function keptCondition(facts: StatusFacts, type: ConditionType): ConditionValue | undefined {
  const { metadata, status } = facts.snapshot.deployment;
  if (!isUnheard(facts)) return undefined;
  const before = conditionOf(status?.conditions, type);
  if (before?.observedGeneration !== metadata.generation) return undefined;
  return { status: before.status, reason: before.reason as Reason, message: before.message };
}
