/** Waits on the state of the world by one list and one watch, which costs the API server as little as anybody can. */
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { ResourceType } from '../../kube/resource.ts';
import { namespace } from './cluster.ts';

export interface Following {
  /** Milliseconds of `performance.now()` at which `count` objects had passed the test at once. */
  readonly reachedMs: Promise<number>;
  /** How many pass now. */
  passing(): number;
  stop(): void;
}

/** Watches all objects of a kind in the bench's namespace until `count` of them pass. */
export function follow<T extends KubeObject>(
  api: KubeClient,
  type: ResourceType,
  count: number,
  passes: (object: T) => boolean,
): Following {
  const passing = new Set<string>();
  const stopping = new AbortController();
  const watchFrom = async (version: string): Promise<number | undefined> => {
    let resourceVersion = version;
    while (!stopping.signal.aborted) {
      const events = api.watch<T>(type, {
        namespace,
        resourceVersion,
        timeoutSeconds: 600,
        signal: stopping.signal,
      });
      for await (const { type: kind, object } of events) {
        resourceVersion = object.metadata.resourceVersion ?? resourceVersion;
        if (kind === 'BOOKMARK') continue;
        if (kind !== 'DELETED' && passes(object)) passing.add(object.metadata.name ?? '');
        else passing.delete(object.metadata.name ?? '');
        if (passing.size >= count) return performance.now();
      }
    }
    return undefined;
  };
  const run = async (): Promise<number> => {
    while (!stopping.signal.aborted) {
      try {
        const list = await api.list<T>(type, { namespace });
        passing.clear();
        for (const item of list.items) if (passes(item)) passing.add(item.metadata.name ?? '');
        if (passing.size >= count) return performance.now();
        const reached = await watchFrom(list.metadata.resourceVersion ?? '0');
        if (reached !== undefined) return reached;
      } catch (error) {
        // A busy server may drop a watch or expire its version: a new list knows better.
        if (!stopping.signal.aborted) console.error(`following ${type.plural}: ${(error as Error).message}`);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
    return Number.NaN;
  };
  const reachedMs = run();
  reachedMs.catch(() => {});
  return { reachedMs, passing: () => passing.size, stop: () => stopping.abort() };
}

/** How many objects of a kind the bench's namespace holds; one item is read. */
export async function countOf(api: KubeClient, type: ResourceType): Promise<number> {
  const { items, metadata } = await api.list(type, { namespace, limit: 1 });
  return items.length + (metadata.remainingItemCount ?? 0);
}
