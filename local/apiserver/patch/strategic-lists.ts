/** Lists in strategic merge patches: merging by key, and the order in which the items end up. */
import { isObject, type JsonObject } from '../../../crds/structural/schema-node.ts';
import { goText, PatchFault } from './patch-fault.ts';

const directive = '$patch';

function noKey(item: unknown, mergeKey: string): PatchFault {
  return new PatchFault(`map: ${goText(item)} does not contain declared merge key: ${mergeKey}`);
}

const identity = (item: unknown, mergeKey: string): unknown =>
  mergeKey === '' ? item : isObject(item) ? item[mergeKey] : undefined;

/** Both lists' primitives, each once, the patch's order before the live one. */
export function mergePrimitiveList(before: readonly unknown[], change: readonly unknown[]): unknown[] {
  return orderElements([...new Set([...before, ...change])], change, before, '');
}

/** Items of one key merged; `$patch: delete` takes items away, `$patch: replace` all the old ones. */
export function mergeKeyedList(
  before: readonly JsonObject[],
  change: readonly JsonObject[],
  mergeKey: string,
  merge: (item: JsonObject, patch: JsonObject) => JsonObject,
): unknown[] {
  let live: JsonObject[] = [...before];
  let patches: JsonObject[] = [];
  let replaced = false;
  for (const item of change) {
    if (!Object.hasOwn(item, directive)) {
      patches.push(item);
      continue;
    }
    switch (item[directive]) {
      case 'delete':
        if (!Object.hasOwn(item, mergeKey)) throw noKey(item, mergeKey);
        live = live.filter((other) => other[mergeKey] !== item[mergeKey]);
        break;
      case 'replace':
        replaced = true;
        break;
      case 'merge':
        throw new PatchFault('merging lists cannot yet be specified in the patch');
      default:
        throw new PatchFault(`unknown patch type: ${String(item[directive])} in map: ${goText(item)}`);
    }
  }
  if (replaced) {
    live = patches;
    patches = [];
  }
  const merged = [...live];
  for (const patch of patches) {
    if (!Object.hasOwn(patch, mergeKey)) throw noKey(patch, mergeKey);
    const at = merged.findIndex((item) => item[mergeKey] === patch[mergeKey]);
    const found = merged[at];
    if (found === undefined) merged.push(patch);
    else merged[at] = merge(found, patch);
  }
  return orderElements(merged, patches, live, mergeKey);
}

/** Items that `order` names come in its order, the others between them where the live order puts them. */
export function orderElements(
  items: readonly unknown[],
  order: readonly unknown[],
  live: readonly unknown[],
  mergeKey: string,
): unknown[] {
  if (mergeKey !== '')
    for (const item of items)
      if (!isObject(item) || !Object.hasOwn(item, mergeKey)) throw noKey(item, mergeKey);
  const keys = (list: readonly unknown[]) => list.map((item) => identity(item, mergeKey));
  const [orderKeys, liveKeys] = [keys(order), keys(live)];
  const placeIn = (list: unknown[]) => (item: unknown) => list.indexOf(identity(item, mergeKey));
  const ordered = items
    .filter((item) => placeIn(orderKeys)(item) >= 0)
    .sort((a, b) => placeIn(orderKeys)(a) - placeIn(orderKeys)(b));
  const others = items
    .filter((item) => placeIn(orderKeys)(item) < 0)
    .sort((a, b) => placeIn(liveKeys)(a) - placeIn(liveKeys)(b));
  const result: unknown[] = [];
  let [left, right] = [0, 0];
  while (left < others.length || right < ordered.length) {
    const fromOthers =
      right >= ordered.length ||
      (left < others.length && isBefore(placeIn(liveKeys)(others[left]), placeIn(liveKeys)(ordered[right])));
    if (fromOthers) result.push(others[left++]);
    else result.push(ordered[right++]);
  }
  return result;
}

const isBefore = (left: number, right: number) => left >= 0 && right >= 0 && left < right;
