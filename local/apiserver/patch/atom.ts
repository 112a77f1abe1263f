/** How server-side apply sees one value: as a whole (scalar, atomic), or by its parts (struct, map, set, keyed list). */
import { objectMetaSchema } from '../../../crds/structural/object-meta.ts';
import {
  fieldSchema,
  isObject,
  mapValueSchema,
  type SchemaNode,
} from '../../../crds/structural/schema-node.ts';
import { keyElement, type PathElement, valueElement } from './field-set.ts';

export type Atom =
  | { readonly kind: 'scalar' }
  | { readonly kind: 'map'; readonly atomic: boolean; readonly schema: SchemaNode | undefined }
  | {
      readonly kind: 'list';
      readonly type: 'atomic' | 'set' | 'map';
      readonly keys: readonly string[];
      readonly items: SchemaNode | undefined;
    };

const typedMeta = new WeakMap<SchemaNode, SchemaNode>();

/** The schema of a whole object with `apiVersion`, `kind` and a full `metadata`. */
export function withObjectMeta(schema: SchemaNode): SchemaNode {
  const metadata = schema.properties?.metadata;
  if (metadata?.properties?.finalizers !== undefined) return schema;
  const known = typedMeta.get(schema);
  if (known !== undefined) return known;
  const made: SchemaNode = {
    ...schema,
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      ...schema.properties,
      metadata: objectMetaSchema,
    },
  };
  typedMeta.set(schema, made);
  return made;
}

/** What the value is; without a schema, maps have parts and lists have none. */
export function atomOf(value: unknown, schema: SchemaNode | undefined): Atom {
  if (Array.isArray(value) || (value === null && schema?.type === 'array')) {
    const type = schema?.['x-kubernetes-list-type'];
    return {
      kind: 'list',
      type: type === 'set' || type === 'map' ? type : 'atomic',
      keys: schema?.['x-kubernetes-list-map-keys'] ?? [],
      items: schema?.items,
    };
  }
  if (isObject(value) || (value === null && schema?.type === 'object'))
    return { kind: 'map', atomic: schema?.['x-kubernetes-map-type'] === 'atomic', schema };
  return { kind: 'scalar' };
}

/** True when the field is declared by name, so that holding only parts of it is enough to hold it. */
export function isNamedField(schema: SchemaNode | undefined, name: string): boolean {
  return schema?.properties !== undefined && Object.hasOwn(schema.properties, name);
}

/** Schema below one step of a path. */
export function schemaBelow(schema: SchemaNode | undefined, element: PathElement): SchemaNode | undefined {
  if (schema === undefined) return undefined;
  return element.startsWith('f:') ? fieldSchema(schema, element.slice(2)) : schema.items;
}

/** Step to an item of a set or keyed list; undefined when the item has no key. */
export function itemElement(item: unknown, atom: Atom & { kind: 'list' }): PathElement | undefined {
  if (atom.type === 'set')
    return isObject(item) || Array.isArray(item) || item === null ? undefined : valueElement(item);
  if (!isObject(item)) return undefined;
  const keys: [string, unknown][] = [];
  for (const key of atom.keys) {
    const value = Object.hasOwn(item, key) ? item[key] : atom.items?.properties?.[key]?.default;
    if (value !== undefined) keys.push([key, value]);
  }
  return keys.length === 0 ? undefined : keyElement(keys);
}

/** True when nothing is known about what the map holds. */
export function isUntyped(schema: SchemaNode | undefined): boolean {
  return schema === undefined || (schema.properties === undefined && mapValueSchema(schema) === undefined);
}
