/** Conditions: one value each, carried from the last status with the time of their last change. */
import type { ConditionType, Reason } from '../../../crds/reasons.ts';
import type { StatusCondition } from '../../../crds/status.ts';
import { cutMessage, timestamp } from './rounding.ts';

export interface ConditionValue {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  readonly message: string;
}

/** A condition that is True. */
export const yes = (reason: Reason, message: string): ConditionValue => ({ status: 'True', reason, message });
/** A condition that is False. */
export const no = (reason: Reason, message: string): ConditionValue => ({ status: 'False', reason, message });
/** A condition of which nobody knows. */
export const unknown = (reason: Reason, message: string): ConditionValue => ({
  status: 'Unknown',
  reason,
  message,
});

/** The list for status: `lastTransitionTime` moves only when `status` does. */
export function mergeConditions(
  previous: readonly StatusCondition[],
  values: Readonly<Record<ConditionType, ConditionValue>>,
  generation: number,
  nowMs: number,
): StatusCondition[] {
  return Object.entries(values).map(([type, value]) => {
    const before = previous.find((condition) => condition.type === type);
    return {
      type,
      status: value.status,
      reason: value.reason,
      message: cutMessage(value.message),
      observedGeneration: generation,
      lastTransitionTime: before?.status === value.status ? before.lastTransitionTime : timestamp(nowMs),
    };
  });
}

/** One condition of a status. */
export const conditionOf = (
  conditions: readonly StatusCondition[] | undefined,
  type: ConditionType,
): StatusCondition | undefined => conditions?.find((condition) => condition.type === type);
