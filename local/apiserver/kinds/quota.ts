/** ResourceQuota: refuses a pod that would exceed it, as the admission plugin words it. */
import type { StrategyContext } from '../kind.ts';
import { type AnyObject, jsonAt, listAt, textAt } from '../object.ts';
import { quantityValue } from '../quantity.ts';
import { forbidden, type Named } from '../status-error.ts';

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

/** Keys of the quotas that apply to pods, with what the namespace's pods use. */
export function quotaUsage(pods: readonly AnyObject[], hard: Record<string, unknown>): Map<string, number> {
  const used = new Map<string, number>();
  for (const key of Object.keys(hard)) {
    let total = 0;
    for (const pod of pods) {
      if (key !== 'count/pods' && terminated(pod)) continue;
      const part = usage(pod, key);
      if (part === undefined) {
        total = Number.NaN;
        break;
      }
      total += part;
    }
    if (usage({ metadata: {} }, key) !== undefined) used.set(key, total);
  }
  return used;
}

/** Throws the 403 that the real admission plugin throws. */
export function refuseOverQuota(draft: AnyObject, names: Named, context: StrategyContext): void {
  const namespace = draft.metadata.namespace;
  const quotas = context.list('resourcequotas', namespace);
  if (quotas.length === 0) return;
  const pods = context.list('pods', namespace);
  for (const quota of quotas) {
    const hard = jsonAt(quota.spec, 'hard');
    const over: { key: string; asks: number; uses: number }[] = [];
    for (const [key, uses] of quotaUsage(pods, hard)) {
      const asks = usage(draft, key) ?? 0;
      if (asks === 0 && key !== 'pods' && key !== 'count/pods')
        throw forbidden(
          names,
          draft.metadata.name ?? '',
          `failed quota: ${quota.metadata.name}: must specify ${key} for: ${listAt(draft.spec, 'containers')
            .map((c) => textAt(c, 'name'))
            .join(',')}`,
        );
      if (uses + asks > quantityValue(hard[key])) over.push({ key, asks, uses });
    }
    if (over.length === 0) continue;
    over.sort((a, b) => (a.key < b.key ? -1 : 1));
    const text = (pick: (item: (typeof over)[number]) => unknown) =>
      over.map((item) => `${item.key}=${pick(item)}`).join(',');
    throw forbidden(
      names,
      draft.metadata.name ?? '',
      `exceeded quota: ${quota.metadata.name}, requested: ${text((o) => shown(o.key, o.asks))}, used: ${text((o) => shown(o.key, o.uses))}, limited: ${text((o) => hard[o.key])}`,
    );
  }
}

function shown(key: string, value: number): string {
  if (key.endsWith('cpu')) return Number.isInteger(value) ? String(value) : `${Math.round(value * 1000)}m`;
  if (key.endsWith('memory') && value >= 2 ** 20 && value % 2 ** 20 === 0) return `${value / 2 ** 20}Mi`;
  return String(value);
}
