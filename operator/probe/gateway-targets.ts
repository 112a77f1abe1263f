/** Which gateways there are: the ops address of every gateway pod, from the EndpointSlices of the gateways' headless Services. */
import type { SliceLike } from './targets.ts';
import { hostOf } from './targets.ts';

export interface GatewayTarget {
  readonly namespace: string;
  readonly gateway: string;
  /** Ready by its EndpointSlice: callers' requests reach it. */
  readonly ready: boolean;
  /** `http://address:port` of the gateway's ops port. */
  readonly origin: string;
}

/** Every gateway pod once; one that is ending is left out. */
export function gatewayTargetsOf(slices: Iterable<SliceLike>): GatewayTarget[] {
  const targets = new Map<string, GatewayTarget>();
  for (const slice of slices) {
    const { namespace = '' } = slice.metadata;
    const port = slice.ports?.find((one) => one.name === 'ops')?.port;
    if (port === undefined || slice.addressType === 'FQDN') continue;
    for (const { addresses, conditions, targetRef } of slice.endpoints ?? []) {
      const address = addresses[0];
      const gateway = targetRef?.name;
      if (address === undefined || gateway === undefined || conditions?.terminating === true) continue;
      const key = `${namespace}/${gateway}`;
      const ready = (conditions?.serving ?? conditions?.ready) !== false;
      const origin = `http://${hostOf(address)}:${port}`;
      // A pod with two IP families is in two slices: the first one found is asked.
      if (!targets.has(key)) targets.set(key, { namespace, gateway, ready, origin });
    }
  }
  return [...targets.values()];
}
