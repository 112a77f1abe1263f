/** What a field manager applied of an object, read back from the object: the dump from which the limit is made. */
import type { KubeObject } from '../../kube/objects.ts';

type Fields = { readonly [key: string]: Fields };

/** The object reduced to the fields that `manager` owns by server-side apply, with its names. */
export function appliedBy(object: KubeObject, manager: string): KubeObject {
  const entry = object.metadata.managedFields?.find(
    (one) => one.manager === manager && one.operation === 'Apply' && one.subresource === undefined,
  );
  if (entry?.fieldsV1 === undefined)
    throw new Error(`${object.kind} ${object.metadata.name} was not applied by ${manager}`);
  const owned = pick(object, entry.fieldsV1 as Fields) as KubeObject;
  const { name = '', namespace = '' } = object.metadata;
  return {
    ...owned,
    metadata: { ...owned.metadata, name, namespace },
  };
}

/** The part of a value that a FieldsV1 set names. A leaf, or a set that names nothing below, is the whole value. */
function pick(value: unknown, fields: Fields): unknown {
  const names = Object.keys(fields).filter((name) => name !== '.');
  if (names.length === 0) return value;
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const name = names.find((one) => isNamedBy(one, item));
      return name === undefined ? [] : [withKeys(pick(item, fields[name] ?? {}), name, item)];
    });
  }
  const picked: Record<string, unknown> = {};
  for (const name of names) {
    const key = name.slice(2);
    const part = (value as Record<string, unknown>)[key];
    if (part !== undefined) picked[key] = pick(part, fields[name] ?? {});
  }
  return picked;
}

/** Whether `k:{"name":"a"}` or `v:"a"` names this item. */
function isNamedBy(name: string, item: unknown): boolean {
  if (name.startsWith('v:')) return JSON.stringify(item) === name.slice(2);
  if (!name.startsWith('k:')) return false;
  const keys = JSON.parse(name.slice(2)) as Record<string, unknown>;
  return Object.entries(keys).every(([key, value]) => (item as Record<string, unknown>)[key] === value);
}

/** Keys of an item are never owned by name alone: they go along. */
function withKeys(picked: unknown, name: string, item: unknown): unknown {
  if (!name.startsWith('k:')) return item;
  return { ...(JSON.parse(name.slice(2)) as object), ...(picked as object) };
}
