/** Where a live object is not as Ballast wants it. What Ballast does not set is others' business and no difference. */

/** Lists whose items are found by a key, as the API server merges them; every other list is compared as a whole. */
const listKeys: Record<string, readonly string[]> = {
  ownerReferences: ['uid'],
  containers: ['name'],
  initContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  imagePullSecrets: ['name'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
};

/**
 * Maps that the API server takes as one value (`x-kubernetes-map-type: atomic`): a key that somebody added is a change,
 * and in a selector it takes every pod away from callers.
 */
const atomicMaps: ReadonlySet<string> = new Set([
  'selector',
  'podSelector',
  'namespaceSelector',
  'nodeSelector',
]);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const sameKey = (keys: readonly string[], a: unknown, b: unknown) =>
  isObject(a) && isObject(b) && keys.every((key) => a[key] === b[key]);

/** What the API server leaves out when it writes: an empty text, list or object and `false` read back as absent. */
const isZero = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === false ||
  value === 0 ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.keys(value).length === 0);

const hasMoreKeys = (desired: Record<string, unknown>, live: Record<string, unknown>): boolean =>
  Object.entries(live).some(([key, value]) => {
    const wanted = desired[key];
    if (wanted === undefined) return !isZero(value);
    return isObject(wanted) && isObject(value) && hasMoreKeys(wanted, value);
  });

function compare(desired: unknown, live: unknown, path: string, found: string[]): void {
  if (desired === live || (live === undefined && isZero(desired))) return;
  if (isObject(desired)) {
    if (!isObject(live)) return void found.push(path);
    if (atomicMaps.has(path.slice(path.lastIndexOf('.') + 1)) && hasMoreKeys(desired, live))
      return void found.push(path);
    for (const key in desired) compare(desired[key], live[key], path === '' ? key : `${path}.${key}`, found);
    return;
  }
  if (!Array.isArray(desired)) return void found.push(path);
  if (!Array.isArray(live)) return void found.push(path);
  const keys = listKeys[path.slice(path.lastIndexOf('.') + 1)];
  if (keys === undefined && desired.length !== live.length) return void found.push(path);
  for (const [index, item] of desired.entries()) {
    const label = isObject(item) && keys !== undefined ? String(item[keys[0] ?? '']) : String(index);
    const other = keys === undefined ? live[index] : live.find((candidate) => sameKey(keys, item, candidate));
    compare(item, other, `${path}[${label}]`, found);
  }
}

/** Paths of the fields that Ballast sets and that are otherwise in `live`; empty when nothing is to be done. */
export function differences(desired: object, live: object): string[] {
  const found: string[] = [];
  compare(desired, live, '', found);
  return found;
}
