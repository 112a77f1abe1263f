/** Strategic merge patch: merges lists by key as the schema's patch strategy says, and obeys the patch's directives. */
import {
  deepCopy,
  fieldSchema,
  isObject,
  type JsonObject,
  type SchemaNode,
  setOwn,
} from '../../../crds/structural/schema-node.ts';
import { withObjectMeta } from './atom.ts';
import { goText, PatchFault } from './patch-fault.ts';
import { mergeKeyedList, mergePrimitiveList, orderElements } from './strategic-lists.ts';

export type StrategicResult = { readonly value: unknown } | { readonly error: string };

const directive = '$patch';
const retainKeys = '$retainKeys';
const deletePrefix = '$deleteFromPrimitiveList/';
const orderPrefix = '$setElementOrder/';

/** The object with the patch laid over it. Neither argument is changed. */
export function strategicMergePatch(schema: SchemaNode, object: unknown, patch: unknown): StrategicResult {
  if (!isObject(patch)) return { error: 'invalid JSON document' };
  try {
    return {
      value: mergeMap(isObject(object) ? deepCopy(object) : {}, deepCopy(patch), withObjectMeta(schema)),
    };
  } catch (error) {
    if (error instanceof PatchFault) return { error: error.message };
    throw error;
  }
}

interface Strategy {
  readonly strategy: string;
  readonly mergeKey: string;
  readonly items: SchemaNode | undefined;
}

function strategyOf(schema: SchemaNode | undefined): Strategy {
  const words = (schema?.['x-kubernetes-patch-strategy'] ?? '').split(',');
  return {
    strategy: words.find((word) => word === 'merge' || word === 'replace') ?? '',
    mergeKey: schema?.['x-kubernetes-patch-merge-key'] ?? '',
    items: schema?.items,
  };
}

/** Merges into `original`, which the caller gave away. */
function mergeMap(original: JsonObject, patch: JsonObject, schema: SchemaNode | undefined): JsonObject {
  if (Object.hasOwn(patch, directive)) {
    if (patch[directive] === 'replace') {
      delete patch[directive];
      return patch;
    }
    if (patch[directive] === 'delete') return {};
    throw new PatchFault(`unknown patch type: ${String(patch[directive])} in map: ${goText(patch)}`);
  }
  const result = retain(original, patch);
  orderLists(result, patch, schema);
  for (const [key, value] of Object.entries(patch)) {
    const isDelete = key.startsWith(deletePrefix);
    const name = isDelete ? key.slice(deletePrefix.length) : key;
    if (value === null) {
      delete result[name];
      continue;
    }
    if (!Object.hasOwn(result, name) || kindOf(result[name]) !== kindOf(value)) {
      if (!isDelete) take(result, name, value);
      continue;
    }
    const before = result[name];
    const below = fieldSchema(schema, name);
    if (isObject(value) && isObject(before))
      setOwn(result, name, strategyOf(below).strategy === 'replace' ? value : mergeMap(before, value, below));
    else if (Array.isArray(value) && Array.isArray(before))
      setOwn(result, name, mergeList(before, value, below, isDelete));
    else take(result, name, value);
  }
  return result;
}

const kindOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value;

function take(target: JsonObject, name: string, value: unknown): void {
  const plain = withoutDirectives(withoutNulls(value));
  if (plain === undefined) delete target[name];
  else setOwn(target, name, plain);
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept: JsonObject = {};
  for (const [name, inner] of Object.entries(value))
    if (inner !== null) setOwn(kept, name, withoutNulls(inner));
  return kept;
}

/** undefined when the value itself is a directive and so adds nothing. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, directive)) return undefined;
  const kept: JsonObject = {};
  for (const [name, inner] of Object.entries(value)) {
    const plain = withoutDirectives(inner);
    if (plain !== undefined) setOwn(kept, name, plain);
  }
  return kept;
}

/** Obeys `$retainKeys`: fields that it does not list go. */
function retain(original: JsonObject, patch: JsonObject): JsonObject {
  if (!Object.hasOwn(patch, retainKeys)) return original;
  const keys = patch[retainKeys];
  delete patch[retainKeys];
  const malformed = new PatchFault('invalid patch format of retainKeys');
  if (!Array.isArray(keys)) throw malformed;
  const kept = new Set<unknown>(keys);
  for (const [name, value] of Object.entries(patch))
    if (value !== null && !name.startsWith(deletePrefix) && !name.startsWith(orderPrefix) && !kept.has(name))
      throw malformed;
  return Object.fromEntries(Object.entries(original).filter(([name]) => kept.has(name)));
}

/** Obeys each `$setElementOrder/list`, together with the list's own patch. */
function orderLists(original: JsonObject, patch: JsonObject, schema: SchemaNode | undefined): void {
  for (const key of Object.keys(patch).filter((name) => name.startsWith(orderPrefix))) {
    const order = patch[key];
    delete patch[key];
    const name = key.slice(orderPrefix.length);
    if (!Array.isArray(order)) throw new PatchFault('invalid patch format of setElementOrder list');
    const below = fieldSchema(schema, name);
    const { mergeKey } = strategyOf(below);
    const [before, change] = [original[name], patch[name]];
    if (before !== undefined && !Array.isArray(before)) throw badList(before);
    if (change !== undefined && !Array.isArray(change)) throw badList(change);
    if (change !== undefined) checkOrder(change, order, mergeKey);
    if (before === undefined && change === undefined) continue;
    const merged =
      change === undefined
        ? (before ?? [])
        : before === undefined
          ? (withoutDirectives(change) as unknown[])
          : mergeList(before, change, below, false);
    setOwn(original, name, orderElements(merged, order, before ?? [], mergeKey));
    delete patch[name];
  }
}

const badList = (value: unknown) =>
  new PatchFault(
    `expected a []interface {}, but received a ${isObject(value) ? 'map[string]interface {}' : typeof value}`,
  );

function checkOrder(change: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  if (order.length === 0) return;
  const keyOf = (item: unknown) => (mergeKey === '' ? item : isObject(item) ? item[mergeKey] : undefined);
  const plain = change.filter((item) => !(isObject(item) && Object.hasOwn(item, directive)));
  let at = 0;
  for (const item of order) if (at < plain.length && keyOf(plain[at]) === keyOf(item)) at += 1;
  if (at < plain.length)
    throw new PatchFault(
      `The order in patch list:\n${goText(change)}\n doesn't match $setElementOrder list:\n${goText(order)}\n`,
    );
}

function mergeList(
  before: unknown[],
  change: unknown[],
  schema: SchemaNode | undefined,
  isDelete: boolean,
): unknown[] {
  const { strategy, mergeKey, items } = strategyOf(schema);
  if (strategy !== 'merge' && !isDelete) return change;
  if (before.length === 0 && change.length === 0) return before;
  const all = [...before, ...change];
  const kinds = new Set(all.map(kindOf));
  if (kinds.has('list')) throw new PatchFault('lists of lists are not supported');
  if (kinds.size > 1) throw new PatchFault('list element types are not identical');
  if (!kinds.has('object'))
    return isDelete ? before.filter((item) => !change.includes(item)) : mergePrimitiveList(before, change);
  if (mergeKey === '')
    throw new PatchFault(`cannot merge lists without merge key for ${schema?.title ?? 'list'}`);
  return mergeKeyedList(before as JsonObject[], change as JsonObject[], mergeKey, (item, patch) =>
    mergeMap(item, patch, items),
  );
}
