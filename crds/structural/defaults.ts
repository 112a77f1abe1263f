/** Fills in defaults of a structural schema, nulls treated as an API server treats them. */
import { objectMetaSchema } from './object-meta.ts';
import { deepCopy, fieldSchema, isObject, type JsonObject, type SchemaNode, setOwn } from './schema-node.ts';

const isForbiddenNull = (value: unknown, node: SchemaNode | undefined): boolean =>
  value === null && node !== undefined && node.nullable !== true;

/** A copy without nulls in fields that are not nullable and have no default to take their place. */
function dropNulls(value: unknown, node: SchemaNode | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => dropNulls(item, node?.items));
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [name, inner] of Object.entries(value)) {
    const schema = fieldSchema(node, name);
    if (isForbiddenNull(inner, schema) && schema?.default === undefined) continue;
    setOwn(result, name, dropNulls(inner, schema));
  }
  return result;
}

/** Works on the copy that dropNulls made. */
function fill(value: unknown, node: SchemaNode | undefined): void {
  if (node === undefined) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      if (isForbiddenNull(item, node.items) && node.items?.default !== undefined)
        value[index] = deepCopy(node.items.default);
      fill(value[index], node.items);
    }
    return;
  }
  if (!isObject(value)) return;
  for (const [name, schema] of Object.entries(node.properties ?? {})) {
    if (schema.default === undefined) continue;
    if (!Object.hasOwn(value, name) || isForbiddenNull(value[name], schema))
      setOwn(value, name, deepCopy(schema.default));
  }
  for (const name of Object.keys(value)) {
    const schema = fieldSchema(node, name);
    if (isForbiddenNull(value[name], schema) && schema?.default !== undefined)
      setOwn(value, name, deepCopy(schema.default));
    fill(value[name], schema);
  }
}

/**
 * A copy of the object with its schema's defaults filled in; applying it twice changes nothing more. Nulls that the
 * schema does not allow go, except where the object comes from a server-side apply: there a server keeps and refuses them.
 */
export function applyDefaults<T>(object: T, schema: SchemaNode, keepNulls = false): T {
  const result = keepNulls ? deepCopy(object) : dropNulls(object, schema);
  if (isObject(result) && isObject(result.metadata))
    result.metadata = dropNulls(result.metadata, objectMetaSchema);
  fill(result, schema);
  return result as T;
}
