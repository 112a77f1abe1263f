/** The NetworkPolicy of `access.networkPolicy: Restricted`. It covers whole pods, so egress is what the fetch needs. */
import { labels, podPorts } from '../../../crds/constants.ts';
import { specialIpv4, specialIpv6 } from '../../../crds/special-addresses.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { NetworkPolicy } from '../../../kube/objects.ts';
import type { FetchDefaults } from '../snapshot.ts';
import { childMeta } from './child.ts';

const ingress = [
  {
    ports: Object.values(podPorts).map((port) => ({ port, protocol: 'TCP' })),
  },
];

/** DNS wherever the cluster has it, and HTTPS to public addresses only. */
const remoteEgress = [
  {
    ports: [
      { port: 53, protocol: 'UDP' },
      { port: 53, protocol: 'TCP' },
    ],
  },
  {
    to: [
      { ipBlock: { cidr: '0.0.0.0/0', except: [...specialIpv4] } },
      { ipBlock: { cidr: '::/0', except: [...specialIpv6] } },
    ],
    ports: [{ port: 443, protocol: 'TCP' }],
  },
];

/** The way to a proxy: a policy knows no names, so a proxy that is named is reached by its port, wherever it is. */
function proxyEgress(proxy: string) {
  const { hostname, port, protocol } = new URL(proxy);
  const address = hostname.replace(/^\[|\]$/g, '');
  const isV6 = address.includes(':');
  return {
    ...(isV6 || /^\d+(\.\d+){3}$/.test(address)
      ? { to: [{ ipBlock: { cidr: `${address}/${isV6 ? 128 : 32}` } }] }
      : {}),
    ports: [{ port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port), protocol: 'TCP' }],
  };
}

/** Policy for all pods of the deployment; `fetch` when a live revision fetches its model over the network. */
export function desiredNetworkPolicy(
  deployment: ModelDeployment,
  fetch: FetchDefaults | undefined,
): NetworkPolicy {
  const { httpsProxy, httpProxy, allowModelCidrs = [] } = fetch ?? {};
  const proxies = [...new Set([httpsProxy, httpProxy].filter((proxy) => proxy !== undefined))];
  const egress = [
    ...remoteEgress,
    ...proxies.map(proxyEgress),
    ...(allowModelCidrs.length === 0
      ? []
      : [{ to: allowModelCidrs.map((cidr) => ({ ipBlock: { cidr } })), ports: [{ protocol: 'TCP' }] }]),
  ];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: childMeta(deployment, deployment.metadata.name),
    spec: {
      podSelector: { matchLabels: { [labels.deployment]: deployment.metadata.name } },
      policyTypes: ['Ingress', 'Egress'],
      ingress,
      egress: fetch === undefined ? [] : egress,
    },
  };
}
