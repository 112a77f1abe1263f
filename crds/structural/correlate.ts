/** Finds the old value that a new one takes the place of, so that transition rules and ratcheting can compare them. */
import { deepEqual, isObject, type SchemaNode } from './schema-node.ts';

/** Key of an item of a list of type map: its key fields, schema defaults included. */
function listMapKey(item: unknown, node: SchemaNode): string {
  const keys = node['x-kubernetes-list-map-keys'] ?? [];
  if (!isObject(item)) return 'null';
  return JSON.stringify(
    keys.map((key) => [key, item[key] ?? node.items?.properties?.[key]?.default ?? null]),
  );
}

/** Old items by the position of the new ones; only lists of type map can be correlated, other lists give nothing. */
export function correlateItems(
  items: readonly unknown[],
  oldList: unknown,
  node: SchemaNode,
): (unknown | undefined)[] {
  if (!Array.isArray(oldList) || node['x-kubernetes-list-type'] !== 'map') return [];
  const byKey = new Map(oldList.map((item) => [listMapKey(item, node), item]));
  return items.map((item) => byKey.get(listMapKey(item, node)));
}

/** Old value of a field or key. */
export function correlateField(old: unknown, name: string): unknown {
  return isObject(old) && Object.hasOwn(old, name) ? old[name] : undefined;
}

/** True when an old value is known and the new one equals it: its errors were there before. */
export function isUnchanged(value: unknown, old: unknown): boolean {
  return old !== undefined && deepEqual(value, old);
}
