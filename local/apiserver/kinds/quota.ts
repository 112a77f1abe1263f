/** ResourceQuota: refuses what would exceed it, as the admission plugin words it. */
import type { Kind, StrategyContext } from '../kind.ts';
import { type AnyObject, jsonAt, listAt, textAt } from '../object.ts';
import { quantityValue } from '../quantity.ts';
import { forbidden, type Named, type StatusError } from '../status-error.ts';

const terminated = (pod: AnyObject) => ['Succeeded', 'Failed'].includes(textAt(pod.status, 'phase'));

/** What one pod counts towards a quota's key; undefined when the key is not about pods. */
function usage(pod: AnyObject, key: string): number | undefined {
  if (key === 'pods' || key === 'count/pods') return 1;
  const match = /^(?:(requests|limits)\.)?(cpu|memory|ephemeral-storage)$/.exec(key);
  if (match?.[2] === undefined) return undefined;
  const part = match[1] ?? 'requests';
  const resource = match[2];
  const sum = (list: string) =>
    listAt(pod.spec, list).map((item) =>
      quantityValue(jsonAt(jsonAt(item, 'resources'), part)[resource] ?? 0),
    );
  return Math.max(
    sum('containers').reduce((total, value) => total + value, 0),
    ...sum('initContainers'),
  );
}

/** Kinds that a quota counts under their plain plural too. */
const plainCounts = new Set([
  'configmaps',
  'persistentvolumeclaims',
  'resourcequotas',
  'secrets',
  'services',
]);

/** Collection that a key such as `count/deployments.apps` or `services` counts; undefined for other keys. */
function countedCollection(key: string): string | undefined {
  if (key.startsWith('count/')) return key.slice('count/'.length);
  return plainCounts.has(key) ? key : undefined;
}

/** What a namespace uses of each key that can be told here. */
export function quotaUsage(
  list: (collection: string) => readonly AnyObject[],
  hard: Record<string, unknown>,
): Map<string, number> {
  const used = new Map<string, number>();
  for (const key of Object.keys(hard)) {
    const collection = countedCollection(key);
    if (collection !== undefined) used.set(key, list(collection).length);
    else if (usage({ metadata: {} }, key) !== undefined)
      used.set(
        key,
        list('pods')
          .filter((pod) => !terminated(pod))
          .reduce((total, pod) => total + (usage(pod, key) ?? 0), 0),
      );
  }
  return used;
}

function refusal(
  quota: AnyObject,
  over: { key: string; asks: number; uses: number }[],
  names: Named,
  name: string,
): StatusError {
  const hard = jsonAt(quota.spec, 'hard');
  over.sort((a, b) => (a.key < b.key ? -1 : 1));
  const text = (pick: (item: (typeof over)[number]) => unknown) =>
    over.map((item) => `${item.key}=${pick(item)}`).join(',');
  return forbidden(
    names,
    name,
    `exceeded quota: ${quota.metadata.name}, requested: ${text((o) => shown(o.key, o.asks))}, used: ${text((o) => shown(o.key, o.uses))}, limited: ${text((o) => hard[o.key])}`,
  );
}

/** Throws the 403 of a quota that counts objects of the kind and has no room for one more. */
export function refuseOverCount(kind: Kind, draft: AnyObject, context: StrategyContext): void {
  const namespace = draft.metadata.namespace;
  if (!kind.namespaced || kind.collection === 'pods') return;
  for (const quota of context.list('resourcequotas', namespace)) {
    const over: { key: string; asks: number; uses: number }[] = [];
    for (const [key, limit] of Object.entries(jsonAt(quota.spec, 'hard'))) {
      if (countedCollection(key) !== kind.collection) continue;
      const uses = context.list(kind.collection, namespace).length;
      if (uses + 1 > quantityValue(limit)) over.push({ key, asks: 1, uses });
    }
    if (over.length > 0) throw refusal(quota, over, kind, draft.metadata.name ?? '');
  }
}

/** Throws the 403 that the real admission plugin throws. */
export function refuseOverQuota(draft: AnyObject, names: Named, context: StrategyContext): void {
  const namespace = draft.metadata.namespace;
  const quotas = context.list('resourcequotas', namespace);
  if (quotas.length === 0) return;
  const list = (collection: string) => context.list(collection, namespace);
  for (const quota of quotas) {
    const hard = jsonAt(quota.spec, 'hard');
    const over: { key: string; asks: number; uses: number }[] = [];
    for (const [key, uses] of quotaUsage(list, hard)) {
      const asks = usage(draft, key);
      if (asks === undefined) continue;
      if (asks === 0)
        throw forbidden(
          names,
          draft.metadata.name ?? '',
          `failed quota: ${quota.metadata.name}: must specify ${key} for: ${listAt(draft.spec, 'containers')
            .map((c) => textAt(c, 'name'))
            .join(',')}`,
        );
      if (uses + asks > quantityValue(hard[key])) over.push({ key, asks, uses });
    }
    if (over.length > 0) throw refusal(quota, over, names, draft.metadata.name ?? '');
  }
}

function shown(key: string, value: number): string {
  if (key.endsWith('cpu')) return Number.isInteger(value) ? String(value) : `${Math.round(value * 1000)}m`;
  if (key.endsWith('memory') && value >= 2 ** 20 && value % 2 ** 20 === 0) return `${value / 2 ** 20}Mi`;
  return String(value);
}
