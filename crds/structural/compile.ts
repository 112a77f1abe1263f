/** One compiled schema: everything that an API server does to a custom resource between the wire and the store. */
import { CelRules, hasRules } from '../cel/rules.ts';
import { applyDefaults } from './defaults.ts';
import { embeddedErrors } from './embedded.ts';
import { type FieldError, type FieldErrorReason, invalid } from './field-error.ts';
import { listErrors } from './lists.ts';
import { prune, unknownFields } from './prune.ts';
import type { SchemaNode } from './schema-node.ts';
import { validateObject } from './validate.ts';

export interface CompiledSchema {
  readonly schema: SchemaNode;
  /** A copy without unknown fields. */
  prune<T>(object: T): T;
  /** A copy with defaults filled in and, unless they are kept, forbidden nulls gone. */
  applyDefaults<T>(object: T, keepNulls?: boolean): T;
  /** Errors of types, bounds, formats and lists; with `old`, unchanged parts are let through (ratcheting). */
  validate(object: unknown, old?: unknown): FieldError[];
  /** Errors of the CEL rules; transition rules need `old`. */
  validateCel(object: unknown, old?: unknown): FieldError[];
  /** All errors, as a write is answered with: rules do not run on an object whose form they could not trust. */
  judge(object: unknown, old?: unknown): FieldError[];
  /** Paths of unknown fields, sorted, for strict field validation. */
  unknownFields(object: unknown): string[];
}

/** Compiles the `openAPIV3Schema` of a CustomResourceDefinition's version (or any structural schema). */
export function compileSchema(schema: SchemaNode): CompiledSchema {
  let rules: CelRules | undefined;
  const compiled: CompiledSchema = {
    schema,
    prune: (object) => prune(object, schema),
    applyDefaults: (object, keepNulls) => applyDefaults(object, schema, keepNulls),
    validate: (object, old) => [
      ...embeddedErrors(object, schema, ''),
      ...validateObject(object, schema, old),
      ...(old === undefined || listErrors(old, schema, '').length === 0
        ? listErrors(object, schema, '')
        : []),
    ],
    validateCel: (object, old) => {
      rules ??= new CelRules(schema);
      return rules.evaluate(object, old);
    },
    judge: (object, old) => {
      const errors = compiled.validate(object, old);
      if (!hasRules(schema)) return errors;
      if (errors.some(({ reason }) => blocking.has(reason))) return [...errors, notChecked];
      return [...errors, ...compiled.validateCel(object, old)];
    },
    unknownFields: (object) => unknownFields(object, schema),
  };
  return compiled;
}

/** Faults of form after which rules would read values of types that they do not expect. */
const blocking = new Set<FieldErrorReason>([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);
const notChecked = invalid(
  '',
  null,
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
);
