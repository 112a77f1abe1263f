/** Conditions in a status list. */
import type { Condition } from '../../kube/objects.ts';

/** The condition of that type. */
export function conditionOf<T extends Condition>(
  conditions: readonly T[] | undefined,
  type: string,
): T | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** The list with the condition set; `lastTransitionTime` moves only when the status does. */
export function withCondition<T extends Condition>(
  conditions: readonly T[] | undefined,
  condition: T,
  now: string,
): T[] {
  const old = conditionOf(conditions, condition.type);
  const kept = old?.status === condition.status ? old.lastTransitionTime : undefined;
  const set = { ...condition, lastTransitionTime: kept ?? now };
  return old === undefined
    ? [...(conditions ?? []), set]
    : (conditions ?? []).map((c) => (c === old ? set : c));
}

/** The list without conditions of that type. */
export function withoutCondition<T extends Condition>(
  conditions: readonly T[] | undefined,
  type: string,
): T[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}
