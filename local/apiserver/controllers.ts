/** The controllers that live inside the API server. */
import { serveCustomResources } from './custom-resources.ts';
import { keepNamespaces } from './namespaces.ts';
import type { Registry } from './registry.ts';

/** Starts them; the returned function stops them. */
export function startControllers(registry: Registry): () => void {
  const stops = [keepNamespaces(registry), serveCustomResources(registry)];
  return () => {
    for (const stop of stops) stop();
  };
}
