/** Events go an hour after they were last written. */

import { deleteObject } from './delete.ts';
import type { Registry } from './registry.ts';

const lifetimeMs = 3_600_000;
const sweepEveryMs = 60_000;

/** Starts the sweep; the returned function stops it. */
export function expireEvents(registry: Registry): () => void {
  const { storage, clock, catalog } = registry.core;
  const written = new Map<string, number>();
  const unsubscribe = storage.subscribe('events', ({ key, type }) => {
    if (type === 'DELETED') written.delete(key);
    else written.set(key, clock.monotonicMs());
  });
  let cancel: () => void;
  const sweep = (): void => {
    const limit = clock.monotonicMs() - lifetimeMs;
    const kind = catalog.find('', 'v1', 'events');
    // Keys stand in the order of their first write, so all are looked at: a later write keeps the place.
    for (const [key, at] of written) {
      if (at > limit || kind === undefined) continue;
      const [namespace, name = ''] = key.split('/');
      deleteObject(registry.core, kind, namespace, name, {});
    }
    cancel = clock.setTimer(sweepEveryMs, sweep);
  };
  cancel = clock.setTimer(sweepEveryMs, sweep);
  return () => {
    unsubscribe();
    cancel();
  };
}
