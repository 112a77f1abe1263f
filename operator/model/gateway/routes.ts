/** The ConfigMap `‹name›-routes`: what the gateways of a namespace are told about one model. */
import { type GatewayRoutes, parseRoutes, routesKey, routesLabel } from '../../../crds/routes.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { ConfigMap } from '../../../kube/objects.ts';
import { childMeta } from '../desired/child.ts';
import { timeoutMs } from '../desired/config-map.ts';
import { revisionChildName } from '../names.ts';
import { defaultHeldRequests } from '../scaling/sleep.ts';
import { latencyTargetsOf } from '../scaling/spec.ts';

/** Name of the ConfigMap. */
export const routesName = (name: string): string => `${name}-routes`;

/** One live revision, as far as routes go. */
export interface RoutedRevision {
  readonly revision: string;
  readonly readyReplicas: number;
  readonly replicas: number;
}

/** Most that a weight may be. */
const heaviest = 10_000;

/**
 * Weights that share requests as a Service over all ready pods would: by ready pods. While none is ready, all goes to the
 * revision with the most replicas, the first of those that are equal.
 */
export function weightsOf(revisions: readonly RoutedRevision[]): ReadonlyMap<string, number> {
  if (revisions.some(({ readyReplicas }) => readyReplicas > 0))
    return new Map(
      revisions.map(({ revision, readyReplicas }) => [revision, Math.min(heaviest, readyReplicas)]),
    );
  const most = Math.max(...revisions.map(({ replicas }) => replicas));
  const first = revisions.find(({ replicas }) => replicas === most);
  return new Map(revisions.map(({ revision }) => [revision, revision === first?.revision ? 1 : 0]));
}

/** The routes of a model whose port at the gateways is `port`; `revisions` are the live ones, at least one. */
export function routesOf(
  { metadata, spec }: ModelDeployment,
  revisions: readonly RoutedRevision[],
  port: number,
): GatewayRoutes {
  const weights = weightsOf(revisions);
  const heaviestOne = [...weights].reduce((most, one) => (one[1] > most[1] ? one : most));
  const { scaleToZero } = spec.scaling;
  return {
    version: 1,
    model: metadata.name,
    port,
    backends: [...revisions]
      .sort((a, b) => (a.revision < b.revision ? -1 : 1))
      .map(({ revision }) => ({
        revision,
        service: revisionChildName(metadata.name, revision),
        deployment: revisionChildName(metadata.name, revision),
        weight: weights.get(revision) ?? 0,
      })),
    timeoutMs: timeoutMs(spec),
    shedAt: spec.traffic?.shedAt ?? 'Timeout',
    latency: latencyTargetsOf(spec).map(({ percentile, targetMs }) => ({ percentile, targetMs })),
    ...(scaleToZero === undefined
      ? {}
      : {
          wake: {
            deployment: revisionChildName(metadata.name, heaviestOne[0]),
            maxHeldRequests: scaleToZero.maxHeldRequests ?? defaultHeldRequests,
            replicas: 1 as const,
          },
        }),
  };
}

/** The ConfigMap with these routes. */
export function desiredRoutes(deployment: ModelDeployment, routes: GatewayRoutes): ConfigMap {
  const metadata = childMeta(deployment, routesName(deployment.metadata.name));
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata, labels: { ...metadata.labels, [routesLabel]: 'true' } },
    data: { [routesKey]: `${JSON.stringify(routes, null, 2)}\n` },
  };
}

/** The port that a ConfigMap of routes gives its model; undefined where it is none, or says none. */
export function portOf(configMap: ConfigMap): number | undefined {
  if (configMap.metadata.labels?.[routesLabel] !== 'true') return undefined;
  const parsed = parseRoutes(configMap.data?.[routesKey]);
  return 'routes' in parsed ? parsed.routes.port : undefined;
}
