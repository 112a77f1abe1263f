/** How large values of a schema can get, as Kubernetes estimates it when it bounds the cost of CEL rules. */
import { mapValueSchema, type SchemaNode } from '../structural/schema-node.ts';

const maxRequestBytes = 3 * 1024 * 1024;

/** Fewest bytes that a value of the schema takes in JSON. */
function minBytes(node: SchemaNode): number {
  if (node['x-kubernetes-int-or-string'] === true) return 1;
  switch (node.type) {
    case 'boolean':
      return 4;
    case 'integer':
    case 'number':
      return 1;
    case 'string':
      return node.format === 'duration'
        ? 3
        : node.format === 'date'
          ? 12
          : node.format === 'date-time'
            ? 21
            : 2;
    case 'object':
      if (mapValueSchema(node) !== undefined) return 2;
      return Object.entries(node.properties ?? {}).reduce(
        (bytes, [name, inner]) =>
          node.required?.includes(name) === true && inner.default === undefined
            ? bytes + name.length + minBytes(inner) + 4
            : bytes,
        2,
      );
    default:
      return 2;
  }
}

/** Most items of a list or map, most bytes of a text; 0 for what has no size. */
export function maxElements(node: SchemaNode): number {
  if (node['x-kubernetes-int-or-string'] === true)
    return node.maxLength === undefined ? maxRequestBytes - 2 : node.maxLength * 4;
  switch (node.type) {
    case 'array':
      return node.maxItems ?? Math.floor((maxRequestBytes - 2) / (minBytes(node.items ?? {}) + 1));
    case 'object': {
      const values = mapValueSchema(node);
      if (values === undefined) return 0;
      return node.maxProperties ?? Math.floor((maxRequestBytes - 2) / (minBytes(values) + 6));
    }
    case 'string':
      return maxText(node);
    default:
      return 0;
  }
}

function maxText(node: SchemaNode): number {
  switch (node.format) {
    case 'duration':
      return 32;
    case 'date':
      return 12;
    case 'date-time':
      return 32;
    case 'byte':
      return node.maxLength ?? maxRequestBytes - 2;
    default:
      if (node.maxLength !== undefined) return node.maxLength * 4;
      if (node.enum !== undefined && node.enum.length > 0)
        return Math.max(...node.enum.map((value) => (typeof value === 'string' ? value.length : 0)));
      return maxRequestBytes - 2;
  }
}

/** How often values of a schema can stand in one object below a list or map without a bound. */
export function maxCardinality(node: SchemaNode): number {
  return Math.floor(maxRequestBytes / (minBytes(node) + 1));
}
