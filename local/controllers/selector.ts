/** Label selectors in their object form. */
import type { LabelSelector } from '../../kube/objects.ts';

/** True when the labels meet the selector; an absent selector meets nothing, an empty one everything. */
export function selects(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (selector === undefined) return false;
  const have = labels ?? {};
  for (const [key, value] of Object.entries(selector.matchLabels ?? {}))
    if (!Object.hasOwn(have, key) || have[key] !== value) return false;
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = Object.hasOwn(have, key) ? have[key] : undefined;
    const listed = value !== undefined && values.includes(value);
    if (operator === 'In' && !listed) return false;
    if (operator === 'NotIn' && listed) return false;
    if (operator === 'Exists' && value === undefined) return false;
    if (operator === 'DoesNotExist' && value !== undefined) return false;
  }
  return true;
}

/** True when the labels hold every pair of a Service's selector; a Service without one selects nothing. */
export function selectsPairs(
  pairs: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (pairs === undefined || Object.keys(pairs).length === 0) return false;
  return selects({ matchLabels: { ...pairs } }, labels);
}
