/** When a Deployment was last seen to be lowered to 0: the gateway may have raised it again before anybody looks. */
import { labels } from '../../crds/constants.ts';
import type { Clock } from '../../kube/clock.ts';
import type { WatchSource } from '../../kube/controller.ts';
import type { Deployment } from '../../kube/objects.ts';

export interface ZeroSightings {
  /** Monotonic milliseconds, of the Deployments of one ModelDeployment (`namespace/name`); undefined: never, or all gone. */
  lastAtMs(key: string): number | undefined;
  stop(): void;
}

/** Follows the Deployments of a cache: every write comes by, however short it stood. */
export function followZeros(
  deployments: Pick<WatchSource<Deployment>, 'onChange'>,
  clock: Pick<Clock, 'monotonicMs'>,
): ZeroSightings {
  const seen = new Map<string, { readonly child: string | undefined; readonly atMs: number }>();
  const stop = deployments.onChange(({ type, object, previous }) => {
    const { namespace, name: child } = object.metadata;
    const key = `${namespace}/${object.metadata.labels?.[labels.deployment]}`;
    if (type === 'deleted') {
      if (seen.get(key)?.child === child) seen.delete(key);
    } else if (object.spec.replicas === 0 && previous !== undefined && previous.spec.replicas !== 0)
      seen.set(key, { child, atMs: clock.monotonicMs() });
  });
  return { lastAtMs: (key) => seen.get(key)?.atMs, stop };
}
