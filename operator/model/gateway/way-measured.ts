/** What is measured of the two ways to a model: how long its revisions take, and what the hop has cost. Pure. */
import type { ModelDeployment } from '../../../crds/types.ts';
import { type RevisionService, servicesOf } from '../scaling/by-revision.ts';
import type { GatewayObservation, PodObservation } from '../scaling/types.ts';

export interface WayMeasured {
  /** Service times of each revision by itself. */
  readonly services: readonly RevisionService[];
  /** CPU of the hop per request, as the gateways in front of it measure it, seconds; undefined where none has yet. */
  readonly hopCpuSeconds: number | undefined;
}

/** The figures that `traffic.path: Auto` turns on; undefined where the spec says the way. */
export function wayMeasuredOf(
  { traffic, scaling }: ModelDeployment['spec'],
  pods: readonly PodObservation[],
  gateways: readonly GatewayObservation[] = [],
): WayMeasured | undefined {
  const isChosen =
    (traffic?.path ?? 'Auto') === 'Auto' && scaling.scaleToZero === undefined && scaling.mode === 'SLA';
  if (!isChosen) return undefined;
  const costs = gateways.flatMap(({ report }) => report.hopCpuSeconds ?? []).sort((a, b) => a - b);
  // The dearer of the two in the middle: a choice for the gateway should not rest on the lucky one.
  return { services: servicesOf(pods, gateways), hopCpuSeconds: costs[costs.length >> 1] };
}
