/** Checks of built-in kinds that no schema can say. */
import type { FieldError } from '../../../crds/structural/field-error.ts';

/** Errors of one object; with `old`, errors of the change too. */
export function semanticErrors(_kind: string, _object: unknown, _old: unknown): FieldError[] {
  return [];
}
