/** A model's routes as its queue needs them, and what of them cannot be honoured. Pure. */
import type { GatewayRoutes } from '../../crds/routes.ts';
import type { GateRoute } from '../gate-options.ts';

/** Why these routes cannot be put into effect; undefined when they can. What cannot be honoured is refused, never ignored. */
export const refusalOfRoutes = ({ mirror, headers, backends }: GatewayRoutes): string | undefined => {
  if (mirror !== undefined) return 'mirror: this gateway does not copy requests';
  const revisions = new Set(backends.map(({ revision }) => revision));
  const unknown = headers?.find(({ revision }) => !revisions.has(revision));
  return unknown === undefined
    ? undefined
    : `headers: revision ${unknown.revision} is not among the backends`;
};

/** The highest promised latency bounds the wait only with `shedAt: SLA`. */
export const gateRouteOf = (routes: GatewayRoutes): GateRoute => {
  const targetsMs = routes.latency.map(({ targetMs }) => targetMs);
  return {
    port: routes.port,
    backends: routes.backends.map(({ revision, weight }) => ({ revision, weight })),
    headers: routes.headers ?? [],
    timeoutMs: routes.timeoutMs,
    targetsMs,
    shedMs: routes.shedAt === 'SLA' && targetsMs.length > 0 ? Math.max(...targetsMs) : undefined,
    wake: routes.wake === undefined ? undefined : { maxHeld: routes.wake.maxHeldRequests },
  };
};
