/** Building blocks of the schema: descriptions, CEL rules and the notations of `values.ts` as zod types. */
import * as z from 'zod';
import { durationPattern, quantityPattern } from '../values.ts';

/** A CEL rule of the CRD; `messageExpression` quotes the bad value, `message` is said where it cannot be computed. */
export interface CelRule {
  rule: string;
  message: string;
  messageExpression?: string;
  fieldPath?: string;
  reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate';
  optionalOldSelf?: boolean;
}

/** Attaches what the generator needs: description (with unit, default, example), CEL rules, Kubernetes extensions. */
export const describe = <T extends z.ZodType>(
  schema: T,
  description: string,
  extra: Record<string, unknown> = {},
): T => schema.meta({ description, ...extra }) as T;
/** CEL rules as metadata of a field. */
export const rules = (...list: CelRule[]): Record<string, unknown> => ({ 'x-kubernetes-validations': list });

/** A non-empty string of at most `maxLength` characters. */
export const text = (maxLength: number) => z.string().min(1).max(maxLength);
/** A duration string; its range is a CEL rule of the field. */
export const duration = () => z.string().max(12).regex(new RegExp(durationPattern));
/** As many digits as `quantityPattern` takes: a pattern is about strings only, and `cpu: -1` is a number. */
const mostQuantity = 999_999_999_999_999;
/** A Kubernetes quantity: an integer or a string. */
export const quantity = () =>
  z.union([z.int().min(0).max(mostQuantity), z.string().max(32).regex(new RegExp(quantityPattern))]).meta({
    'x-kubernetes-int-or-string': true,
    pattern: quantityPattern,
    minimum: 0,
    maximum: mostQuantity,
  });
/** A name of at most 63 characters. */
export const name63 = () => z.string().min(1).max(63);

/**
 * CEL: `rule` where every expression in `parts` is a duration, true elsewhere: what does not match the pattern is told once,
 * by the pattern, and not again as a conversion error.
 */
export const whereDurations = (parts: readonly string[], rule: string): string =>
  `${parts.map((part) => `!${part}.matches('${durationPattern}')`).join(' || ')} || ${rule}`;

/** CEL: a duration between two others, both included. */
export const durationBetween = (low: string, high: string): string =>
  whereDurations(['self'], `(duration(self) >= duration('${low}') && duration(self) <= duration('${high}'))`);
