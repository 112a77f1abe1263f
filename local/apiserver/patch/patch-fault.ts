/** A patch that cannot be applied, and how Go prints values in the sentences about it. */
import { isObject } from '../../../crds/structural/schema-node.ts';

/** Thrown inside the patch algorithms; their entry points turn it into an answer. */
export class PatchFault extends Error {
  override readonly name = 'PatchFault';
}

/** A value as Go prints it with %v. */
export function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (isObject(value))
    return `map[${Object.keys(value)
      .sort()
      .map((key) => `${key}:${goText(value[key])}`)
      .join(' ')}]`;
  return value === null || value === undefined ? '<nil>' : String(value);
}
