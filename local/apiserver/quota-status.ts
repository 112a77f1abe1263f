/** Keeps status.hard and status.used of ResourceQuotas, as the quota controller does. */

import { quotaUsage } from './kinds/quota.ts';
import { LaterQueue } from './later.ts';
import { type AnyObject, jsonAt, sameJson } from './object.ts';
import type { Registry } from './registry.ts';
import { canonicalQuantity } from './schema/quantity.ts';

const quotas = { group: '', version: 'v1', plural: 'resourcequotas' };

/** Follows pods and quotas; the returned function stops it. */
export function keepQuotaStatus(registry: Registry): () => void {
  const { storage } = registry.core;
  const queue = new LaterQueue('quota status', (namespace) => writeStatus(registry, namespace));
  const unsubscribe = storage.subscribe(undefined, (event) => {
    // Changes count pods as ended; all other quotas only change with objects that come or go.
    const matters =
      event.type !== 'MODIFIED' || event.collection === 'pods' || event.collection === 'resourcequotas';
    const namespace = event.object.metadata.namespace;
    if (matters && namespace !== undefined) queue.add(namespace);
  });
  return () => {
    queue.stop();
    unsubscribe();
  };
}

function writeStatus(registry: Registry, namespace: string): void {
  const { storage } = registry.core;
  const found = storage.list('resourcequotas', namespace);
  if (found.length === 0) return;
  const list = (collection: string) => storage.list(collection, namespace).map(([, object]) => object);
  for (const [, quota] of found) {
    const hard = jsonAt(quota.spec, 'hard');
    const used = Object.fromEntries(
      [...quotaUsage(list, hard)].map(([key, value]) => [key, canonicalQuantity(String(value))]),
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
