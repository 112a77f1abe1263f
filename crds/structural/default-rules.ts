/** Whether the defaults in a schema fit the schema. */

import { applyDefaults } from './defaults.ts';
import { type FieldError, forbidden, invalid } from './field-error.ts';
import { listErrors } from './lists.ts';
import { unknownFields } from './prune.ts';
import { mapValueSchema, type SchemaNode } from './schema-node.ts';
import { validateNode } from './validate.ts';

const metaFields = new Set(['apiVersion', 'kind', 'metadata']);

/** Errors of every default below the schema. */
export function defaultErrors(node: SchemaNode, path: string, isRoot = true): FieldError[] {
  const errors: FieldError[] = [];
  if (node.default !== undefined) {
    if (isRoot) return [forbidden(`${path}.default`, 'must not be set at the root')];
    errors.push(...oneDefault(node, `${path}.default`));
  }
  for (const [name, inner] of Object.entries(node.properties ?? {})) {
    const at = `${path}.properties[${name}]`;
    if (isRoot && metaFields.has(name)) {
      if (inner.default !== undefined)
        errors.push(forbidden(`${at}.default`, `must not be set in top-level ${name}`));
    } else errors.push(...defaultErrors(inner, at, false));
  }
  const values = mapValueSchema(node);
  if (values !== undefined) errors.push(...defaultErrors(values, `${path}.additionalProperties`, false));
  if (node.items !== undefined) errors.push(...defaultErrors(node.items, `${path}.items`, false));
  return errors;
}

function oneDefault(node: SchemaNode, at: string): FieldError[] {
  const value = node.default;
  const filled = applyDefaults(value, { ...node });
  // Below a default there is no metadata of its own: a wrapper keeps the root rule of pruning away.
  const unknown = unknownFields({ value }, { type: 'object', properties: { value: node } });
  if (unknown.length > 0) return [invalid(at, value, 'must not have unknown fields')];
  if (value === null && node.nullable !== true)
    return [invalid(at, 'null', ' in body must be of type '.concat(node.type ?? '', ': "null"'))];
  const errors = [...validateNode(filled, node, ''), ...listErrors(filled, node, '')];
  return errors.map((error) => ({
    ...error,
    field: error.field === '<nil>' ? at : `${at}.${error.field}`.replace('.[', '['),
  }));
}
