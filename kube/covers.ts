/** Does a live object say everything that an applied one asks? Pure. */

/** Keys by which the items of Kubernetes' associative lists are told apart, the surest first. */
const itemKeys = [
  'name',
  'containerPort',
  'port',
  'mountPath',
  'uid',
  'key',
  'type',
  'ip',
  'topologyKey',
] as const;

/** True when every field of `wanted` is in `live` with an equal value; more fields and more list items in `live` do not matter. */
export function covers(live: unknown, wanted: unknown): boolean {
  if (wanted === null || wanted === undefined) return live === null || live === undefined;
  if (Array.isArray(wanted)) return Array.isArray(live) && coversList(live, wanted);
  if (typeof wanted === 'object') {
    if (typeof live !== 'object' || live === null || Array.isArray(live))
      return isEmpty(wanted) && live == null;
    const fields = live as Record<string, unknown>;
    return Object.entries(wanted).every(
      ([name, value]) => value === undefined || covers(fields[name], value),
    );
  }
  return live === wanted;
}

const isEmpty = (value: object) => Object.keys(value).length === 0;

function coversList(live: readonly unknown[], wanted: readonly unknown[]): boolean {
  if (wanted.length === 0) return true;
  const key = itemKeys.find((name) => wanted.every((item) => isRecord(item) && item[name] !== undefined));
  if (key === undefined)
    return live.length === wanted.length && wanted.every((item, index) => covers(live[index], item));
  // Some associative lists have two keys (port and protocol): any item that covers will do.
  return wanted.every((item) =>
    live.some(
      (other) => isRecord(other) && isRecord(item) && other[key] === item[key] && covers(other, item),
    ),
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
