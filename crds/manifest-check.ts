/** The offline check: the verdict of an API server on a ModelDeployment, from the same schema, CEL rules and words. */
import { apiVersion, groupVersion, kind } from './constants.ts';
import { customResourceDefinition } from './generate.ts';
import { type CompiledSchema, compileSchema } from './structural/compile.ts';
import { errorText, type FieldError } from './structural/field-error.ts';
import { isObject, type SchemaNode } from './structural/schema-node.ts';

let compiled: CompiledSchema | undefined;

/** The compiled schema of ModelDeployment; compiled once, on first use. */
export function modelDeploymentSchema(): CompiledSchema {
  if (compiled === undefined) {
    const version = customResourceDefinition().spec.versions.find((served) => served.name === apiVersion);
    compiled = compileSchema(version?.schema.openAPIV3Schema as SchemaNode);
  }
  return compiled;
}

/** Errors of schema and CEL on an object whose defaults are filled in; `old` is what it replaces, for transition rules. */
export function specErrors(object: unknown, old?: unknown): FieldError[] {
  return modelDeploymentSchema().judge(object, old);
}

/**
 * Every problem of a manifest as one sentence each, none when the API server would take it;
 * unknown fields count, as with `kubectl apply` (strict field validation).
 */
export function manifestProblems(manifest: unknown, old?: unknown): string[] {
  if (!isObject(manifest)) return ['the document is no object'];
  if (manifest.apiVersion !== groupVersion || manifest.kind !== kind) {
    return [
      `apiVersion and kind must be ${groupVersion} and ${kind}, not ${String(manifest.apiVersion)} and ${String(manifest.kind)}`,
    ];
  }
  if (!isObject(manifest.metadata) || typeof manifest.metadata.name !== 'string')
    return ['metadata.name: Required value'];
  const schema = modelDeploymentSchema();
  const unknown = schema.unknownFields(manifest).map((path) => `unknown field "${path}"`);
  const whole = schema.applyDefaults(schema.prune(manifest));
  return [...unknown, ...specErrors(whole, old).map(errorText)];
}
