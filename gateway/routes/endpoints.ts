/** Pods as EndpointSlices name them: addresses and ports come from nowhere else. Pure. */
import type { EndpointSlice } from '../../kube/objects.ts';
import type { HostPort, PodAddress } from '../balance/address.ts';
import { alone, type Peers } from '../balance/revision.ts';

/** The label with which the cluster says whose slice it is. */
export const serviceLabel = 'kubernetes.io/service-name';

interface Conditions {
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
}

/**
 * Whether a pod may be given something: it passes its readiness probe and does not end. The headless Services publish
 * pods that are not ready too, and then `ready` is true of all of them: `serving` says what the probe says. Absent means
 * yes (the API's own rule).
 */
const isReady = (conditions: Conditions | undefined): boolean =>
  (conditions?.serving ?? conditions?.ready) !== false && conditions?.terminating !== true;

/** All pods of the slices of one Service; one that is in two slices (while they are rebalanced) counts once, ready if either says so. */
export const podsOf = (slices: readonly EndpointSlice[]): PodAddress[] => {
  const pods = new Map<string, PodAddress>();
  for (const { endpoints = [], ports = [], addressType } of slices) {
    if (addressType !== 'IPv4' && addressType !== 'IPv6') continue;
    const portOf = (wanted: string) => ports.find(({ name }) => name === wanted)?.port;
    const http = portOf('http');
    if (http === undefined) continue;
    for (const { addresses, conditions, targetRef } of endpoints ?? []) {
      const [host] = addresses;
      if (host === undefined) continue;
      const at = (port: number | undefined): HostPort | undefined =>
        port === undefined ? undefined : { host, port };
      const key = `${host}:${http}`;
      const ready = isReady(conditions);
      const known = pods.get(key);
      if (known?.ready === true) continue;
      pods.set(key, {
        key,
        name: targetRef?.name ?? key,
        http: { host, port: http },
        grpc: at(portOf('grpc')),
        ops: at(portOf('ops')),
        ready,
      });
    }
  }
  return [...pods.values()];
};

/** This gateway's place among the ready gateways of its Service, in an order that all of them agree on. */
export const peersOf = (slices: readonly EndpointSlice[], podName: string): Peers => {
  const names = new Set<string>();
  for (const { endpoints = [] } of slices)
    for (const { conditions, targetRef } of endpoints ?? [])
      if (targetRef?.name !== undefined && isReady(conditions)) names.add(targetRef.name);
  const sorted = [...names].sort();
  const rank = sorted.indexOf(podName);
  return rank < 0 ? alone : { rank, count: sorted.length };
};
