/** The fewest ready pods of a ModelDeployment while something happens, from the API server's own events: polling would miss some. */
import { labels } from '../../../crds/constants.ts';
import type { KubeClient } from '../../../kube/client.ts';
import type { Pod } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resource.ts';
import { isReady } from './bed.ts';

/** Watches while `work` is done; its result, and the fewest ready pods on the way. */
export async function countReady<T>(
  api: KubeClient,
  where: { namespace: string; name: string },
  work: () => Promise<T>,
): Promise<{ result: T; fewest: number }> {
  const scope = { namespace: where.namespace, labelSelector: `${labels.deployment}=${where.name}` };
  const listed = await api.list<Pod>(resources.pods, scope);
  const pods = new Map(listed.items.map((pod) => [pod.metadata.name, pod]));
  const ready = () => [...pods.values()].filter(isReady).length;
  let fewest = ready();
  const ending = new AbortController();
  const watching = (async () => {
    try {
      for await (const { type, object } of api.watch<Pod>(resources.pods, {
        ...scope,
        resourceVersion: listed.metadata.resourceVersion ?? '0',
        timeoutSeconds: 600,
        signal: ending.signal,
      })) {
        if (type === 'DELETED') pods.delete(object.metadata.name);
        else if (type !== 'BOOKMARK') pods.set(object.metadata.name, object);
        fewest = Math.min(fewest, ready());
      }
    } catch (error) {
      if (!ending.signal.aborted) throw error;
    }
  })();
  try {
    const result = await work();
    return { result, fewest };
  } finally {
    ending.abort();
    await watching;
  }
}
