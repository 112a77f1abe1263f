/** Removes fields that a structural schema does not know, and names them. */
import { objectMetaSchema } from './object-meta.ts';
import {
  fieldSchema,
  isObject,
  type JsonObject,
  mapValueSchema,
  type SchemaNode,
  setOwn,
} from './schema-node.ts';

const metaFields = new Set(['apiVersion', 'kind', 'metadata']);

const child = (path: string, name: string) => (path === '' ? name : `${path}.${name}`);

function knows(node: SchemaNode, name: string): boolean {
  return (
    (node.properties !== undefined && Object.hasOwn(node.properties, name)) ||
    (node.additionalProperties !== undefined && node.additionalProperties !== false)
  );
}

function walk(value: unknown, node: SchemaNode | undefined, path: string, found: string[]): unknown {
  const keep = node?.['x-kubernetes-preserve-unknown-fields'] === true;
  if (Array.isArray(value)) {
    if (keep && node?.items === undefined) return value;
    return value.map((item, index) => walk(item, node?.items, `${path}[${index}]`, found));
  }
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [name, inner] of Object.entries(value)) {
    const isMeta = metaFields.has(name) && (path === '' || node?.['x-kubernetes-embedded-resource'] === true);
    if (isMeta)
      setOwn(
        result,
        name,
        name === 'metadata' ? walk(inner, objectMetaSchema, child(path, name), found) : inner,
      );
    else if (node !== undefined && knows(node, name)) {
      const values = fieldSchema(node, name);
      const free = values === undefined && mapValueSchema(node) === undefined;
      setOwn(result, name, free ? inner : walk(inner, values, child(path, name), found));
    } else if (keep) {
      setOwn(result, name, inner);
    } else found.push(child(path, name));
  }
  return result;
}

/** A copy of the object without the fields that its schema does not know. `metadata`, `kind` and `apiVersion` stay. */
export function prune<T>(object: T, schema: SchemaNode): T {
  return walk(object, schema, '', []) as T;
}

/** Paths of the fields that `prune` would remove, in the order of the object. */
export function unknownFieldsInOrder(object: unknown, schema: SchemaNode): string[] {
  const found: string[] = [];
  walk(object, schema, '', found);
  return found;
}

/** Paths of the fields that `prune` would remove, sorted. */
export function unknownFields(object: unknown, schema: SchemaNode): string[] {
  return unknownFieldsInOrder(object, schema).sort();
}
