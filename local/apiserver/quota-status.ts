/** Keeps status.hard and status.used of ResourceQuotas, as the quota controller does. */

import { quotaUsage } from './kinds/quota.ts';
import { type AnyObject, jsonAt, sameJson } from './object.ts';
import type { Registry } from './registry.ts';
import { canonicalQuantity } from './schema/quantity.ts';

const quotas = { group: '', version: 'v1', plural: 'resourcequotas' };

/** Follows pods and quotas; the returned function stops it. */
export function keepQuotaStatus(registry: Registry): () => void {
  const { storage } = registry.core;
  const dirty = new Set<string>();
  let scheduled = false;
  let stopped = false;
  const settle = (): void => {
    scheduled = false;
    const namespaces = [...dirty];
    dirty.clear();
    if (!stopped) for (const namespace of namespaces) writeStatus(registry, namespace);
  };
  const unsubscribe = storage.subscribe(undefined, (event) => {
    if (event.collection !== 'pods' && event.collection !== 'resourcequotas') return;
    dirty.add(event.object.metadata.namespace ?? '');
    if (scheduled) return;
    scheduled = true;
    setImmediate(settle);
  });
  return () => {
    stopped = true;
    unsubscribe();
  };
}

function writeStatus(registry: Registry, namespace: string): void {
  const { storage } = registry.core;
  const found = storage.list('resourcequotas', namespace);
  if (found.length === 0) return;
  const pods = storage.list('pods', namespace).map(([, pod]) => pod);
  for (const [, quota] of found) {
    const hard = jsonAt(quota.spec, 'hard');
    const used = Object.fromEntries(
      [...quotaUsage(pods, hard)].map(([key, value]) => [key, canonicalQuantity(String(value))]),
    );
    const status = { hard, used };
    if (sameJson(quota.status, status) || quota.metadata.deletionTimestamp !== undefined) continue;
    registry.edit<AnyObject>(
      quotas,
      { namespace, name: quota.metadata.name ?? '' },
      (draft) => {
        draft.status = structuredClone(status);
      },
      { subresource: 'status', fieldManager: 'kube-controller-manager' },
    );
  }
}
