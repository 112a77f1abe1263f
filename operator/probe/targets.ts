/** Whom to ask: the ops address of every pod, from the EndpointSlices of the revisions' headless Services and nowhere else. */
import { labels } from '../../crds/constants.ts';

/** The parts of an EndpointSlice that are read here. */
export interface SliceLike {
  readonly metadata: { readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
  readonly addressType?: string;
  readonly endpoints?:
    | readonly {
        readonly addresses: readonly string[];
        readonly conditions?: {
          readonly ready?: boolean;
          readonly serving?: boolean;
          readonly terminating?: boolean;
        };
        readonly targetRef?: { readonly kind?: string; readonly name?: string };
      }[]
    | null;
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
}

export interface ProbeTarget {
  /** `namespace/name` of the ModelDeployment. */
  readonly owner: string;
  readonly pod: string;
  readonly revision: string;
  readonly ready: boolean;
  /** `http://address:port` of the pod's ops port. */
  readonly origin: string;
}

/** An address as it stands in a URL. */
export const hostOf = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** Every pod of every revision once. Slices of the callers' Service carry no revision and are left out. */
export function targetsOf(slices: Iterable<SliceLike>): ProbeTarget[] {
  const targets = new Map<string, ProbeTarget>();
  for (const slice of slices) {
    const { namespace = '', labels: found = {} } = slice.metadata;
    const deployment = found[labels.deployment];
    const revision = found[labels.revision];
    const port = slice.ports?.find((one) => one.name === 'ops')?.port;
    if (deployment === undefined || revision === undefined || port === undefined) continue;
    if (slice.addressType === 'FQDN') continue;
    for (const endpoint of slice.endpoints ?? []) {
      const address = endpoint.addresses[0];
      const pod = endpoint.targetRef?.name;
      if (address === undefined || pod === undefined || endpoint.conditions?.terminating === true) continue;
      const target: ProbeTarget = {
        owner: `${namespace}/${deployment}`,
        pod,
        revision,
        // Kubernetes: an absent condition means ready. With publishNotReadyAddresses `ready` is always true; `serving` tells.
        ready: (endpoint.conditions?.serving ?? endpoint.conditions?.ready) !== false,
        origin: `http://${hostOf(address)}:${port}`,
      };
      const key = `${target.owner}/${pod}`;
      // A pod with two IP families is in two slices: the first one found is asked.
      if (!targets.has(key)) targets.set(key, target);
    }
  }
  return [...targets.values()];
}
