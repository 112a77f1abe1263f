/** Uniqueness in lists of type set and map. */
import { duplicate, type FieldError, goJson, invalid } from './field-error.ts';
import { isObject, mapValueSchema, type SchemaNode } from './schema-node.ts';

/** Positions of the first repetition of each value. */
function repeated(values: readonly unknown[]): number[] {
  const seen = new Map<string, number>();
  const found: number[] = [];
  values.forEach((value, index) => {
    const key = goJson(value);
    const times = seen.get(key) ?? 0;
    seen.set(key, times + 1);
    if (times === 1) found.push(index);
  });
  return found;
}

function keysOf(item: unknown, names: readonly string[]): { [key: string]: unknown } {
  if (!isObject(item)) return {};
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(item, name)).map((name) => [name, item[name]]),
  );
}

/** Errors of repeated items in sets and of repeated keys in map lists, anywhere below the value. */
export function listErrors(value: unknown, node: SchemaNode | undefined, path: string): FieldError[] {
  if (node === undefined) return [];
  const errors: FieldError[] = [];
  if (Array.isArray(value)) {
    const type = node['x-kubernetes-list-type'];
    if (type === 'set')
      errors.push(...repeated(value).map((index) => duplicate(`${path}[${index}]`, value[index])));
    if (type === 'map') {
      const wrong = value.findIndex((item) => item !== null && !isObject(item));
      if (wrong >= 0)
        return [
          invalid(`${path}[${wrong}]`, value[wrong], 'must be an object for an array of list-type map'),
        ];
      const keys = value.map((item) => keysOf(item, node['x-kubernetes-list-map-keys'] ?? []));
      errors.push(...repeated(keys).map((index) => duplicate(`${path}[${index}]`, keys[index])));
    }
    value.forEach((item, index) => {
      errors.push(...listErrors(item, node.items, `${path}[${index}]`));
    });
  } else if (isObject(value)) {
    const values = mapValueSchema(node);
    for (const [name, inner] of Object.entries(value)) {
      const schema = node.properties?.[name];
      if (schema !== undefined)
        errors.push(...listErrors(inner, schema, path === '' ? name : `${path}.${name}`));
      else if (values !== undefined) errors.push(...listErrors(inner, values, `${path}[${name}]`));
    }
  }
  return errors;
}
