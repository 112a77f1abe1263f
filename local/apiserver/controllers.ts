/** The controllers that live inside the API server. */
import { serveCustomResources } from './custom-resources.ts';
import { expireEvents } from './event-expiry.ts';
import { collectGarbage } from './garbage-collector.ts';
import { keepNamespaces } from './namespaces.ts';
import { keepQuotaStatus } from './quota-status.ts';
import type { Registry } from './registry.ts';

/** Starts them; the returned function stops them. */
export function startControllers(registry: Registry, caPem = ''): () => void {
  const stops = [
    keepNamespaces(registry, caPem),
    serveCustomResources(registry),
    collectGarbage(registry),
    expireEvents(registry),
    keepQuotaStatus(registry),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
