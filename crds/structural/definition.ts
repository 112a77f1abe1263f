/** Checks the schema of a CustomResourceDefinition's version as an API server does when the definition is written. */
import { ruleCompileErrors } from '../cel/check.ts';
import { fieldPathOf } from '../cel/compile.ts';
import { defaultErrors } from './default-rules.ts';
import type { FieldError } from './field-error.ts';
import { required } from './field-error.ts';
import type { SchemaNode } from './schema-node.ts';
import { schemaRuleErrors } from './schema-rules.ts';
import { structuralityErrors } from './structurality.ts';

/** Errors of a schema: form, structure, defaults, then (when those are fine) its CEL rules. `path` is where it stands. */
export function definitionSchemaErrors(schema: SchemaNode | undefined, path: string): FieldError[] {
  if (schema === undefined) return [required(path)];
  const hasField = (fieldPath: string, node: SchemaNode) =>
    'path' in fieldPathOf({ rule: '', fieldPath }, node);
  const errors = schemaRuleErrors(schema, path, hasField);
  // A schema whose form is wrong may not have a structure that could be judged.
  if (errors.length === 0) errors.push(...structuralityErrors(schema, path));
  if (errors.length > 0) return errors;
  const defaults = defaultErrors(schema, path);
  return defaults.length > 0 ? defaults : ruleCompileErrors(schema, path);
}
