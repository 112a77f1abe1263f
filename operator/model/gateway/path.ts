/** Which way requests take to the pods of one ModelDeployment: through the gateway that holds the queue, or straight. */
import type { Reason } from '../../../crds/reasons.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { ConfigMap } from '../../../kube/objects.ts';

/** What is known of the gateway of a namespace, for one ModelDeployment that wants it. */
export interface GatewayReading {
  /** The port of this model at every gateway pod; undefined when all ports of the namespace are taken. */
  readonly port: number | undefined;
  readonly readyPods: number;
  /** Why there is no gateway though one is wanted; undefined while nothing is wrong. */
  readonly problem?: GatewayProblem | undefined;
}

/** What keeps a gateway from being made until somebody acts. */
export interface GatewayProblem {
  readonly reason: Extract<Reason, 'ChildConflict' | 'Forbidden' | 'SpecInvalid'>;
  /** What is so and what to do, for people. */
  readonly message: string;
}

/** What `Auto` comes to for a model, with the reason in a clause. */
export interface AutoPath {
  readonly path: 'Gateway' | 'Direct';
  readonly why: string;
}

export interface TrafficPath {
  /** The way that the callers' Service leads now. */
  readonly path: 'Gateway' | 'Direct';
  readonly reason: 'Asked' | 'Auto' | 'GatewayUnready';
  readonly message: string;
  /** When it will be another way if nothing else changes, wall clock. */
  readonly againAtMs?: number | undefined;
}

/** Gateways listen at a new port as soon as they see the route; a timestamp holds whole seconds, so this is 1 to 2 s. */
const learnMs = 2_000;

/** How long routes stay after the Service has left them: connections that came just before still arrive. */
const lingerMs = 30_000;

/** Whether a ModelDeployment wants a gateway: asked for, needed by scale to zero, or chosen by `Auto`, as status remembers. */
export function wantsGateway({ spec: { traffic, scaling }, status }: ModelDeployment): boolean {
  const asked = traffic?.path ?? 'Auto';
  if (asked !== 'Auto') return asked === 'Gateway';
  return scaling.scaleToZero !== undefined || status?.traffic?.choice?.path === 'Gateway';
}

const direct = (reason: TrafficPath['reason'], message: string, againAtMs?: number): TrafficPath => ({
  path: 'Direct',
  reason,
  message,
  againAtMs,
});

/**
 * | spec.traffic.path | a gateway pod is ready | it knows the route for 2 s | path    | reason         |
 * | Direct            | any                    | any                        | Direct  | Asked          |
 * | Auto, left out    | any                    | any                        | Direct, or as Gateway: `autoWay` | Auto |
 * | Gateway           | no                     | any                        | Direct  | GatewayUnready |
 * | Gateway           | yes                    | no                         | Direct  | GatewayUnready |
 * | Gateway           | yes                    | yes                        | Gateway | Asked          |
 *
 * `routes` is the live ConfigMap of this model.
 */
export function trafficPathOf(
  { spec }: ModelDeployment,
  auto: AutoPath,
  gateway: GatewayReading | undefined,
  routes: ConfigMap | undefined,
  nowMs: number,
): TrafficPath {
  const asked = spec.traffic?.path ?? 'Auto';
  const isAuto = asked === 'Auto';
  if (isAuto && auto.path === 'Direct')
    return direct('Auto', `traffic.path is Auto: requests go straight to the pods: ${auto.why}`);
  if (asked === 'Direct') return direct('Asked', 'traffic.path is Direct: requests go straight to the pods');
  const wish = isAuto ? `traffic.path is Auto: ${auto.why}` : 'traffic.path is Gateway';
  const missing = (why: string, againAtMs?: number) =>
    direct(
      'GatewayUnready',
      `${wish}${isAuto ? ';' : ','} but ${why}: until then requests go straight to the pods`,
      againAtMs,
    );
  if (gateway?.problem !== undefined)
    return missing(`the gateway cannot be made (${gateway.problem.message})`);
  if (gateway !== undefined && gateway.port === undefined)
    return missing('all 10,000 ports of gateways in this namespace are taken');
  const readyPods = gateway?.readyPods ?? 0;
  if (readyPods === 0) return missing('no gateway pod is ready');
  const since = Date.parse(routes?.metadata.creationTimestamp ?? '');
  if (Number.isNaN(since)) return missing('the gateway does not know the route yet');
  if (nowMs < since + learnMs) return missing('the gateway has just been told the route', since + learnMs);
  return {
    path: 'Gateway',
    reason: isAuto ? 'Auto' : 'Asked',
    message: `${wish}${isAuto ? ';' : ':'} ${readyPods === 1 ? '1 gateway pod is' : `${readyPods} gateway pods are`} ready, at port ${gateway?.port}`,
  };
}

/** Whether the spec as it is written can only be served by a gateway; what `Auto` chose to save pods can do without. */
export const needsGateway = ({ spec: { traffic, scaling } }: ModelDeployment): boolean =>
  traffic?.path === 'Gateway' || (traffic?.path !== 'Direct' && scaling.scaleToZero !== undefined);

/** Since when the Service leads the way that it does, wall clock. */
export function pathSinceMs({ status }: ModelDeployment, path: TrafficPath['path'], nowMs: number): number {
  const before = status?.traffic;
  // Seconds are all that a status holds.
  return before?.path === path ? Date.parse(before.since) : Math.floor(nowMs / 1_000) * 1_000;
}

/** Until when the routes of a model that wants no gateway any more stay, wall clock. */
export const routesEndMs = (deployment: ModelDeployment, path: TrafficPath, nowMs: number): number =>
  path.path === 'Gateway' ? Number.POSITIVE_INFINITY : pathSinceMs(deployment, path.path, nowMs) + lingerMs;
