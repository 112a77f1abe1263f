/** The NetworkPolicy of `access.networkPolicy: Restricted`. It covers whole pods, so egress is what the fetch needs. */
import { labels, podPorts } from '../../../crds/constants.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { NetworkPolicy } from '../../../kube/objects.ts';
import { childMeta } from './child.ts';

/** Loopback, private, link-local (cloud metadata), carrier-grade NAT, benchmark and multicast ranges. */
const closedIpv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** Loopback, NAT64, unique local, link-local, multicast. IPv4-mapped addresses are refused here and never on the wire. */
const closedIpv6 = ['::1/128', '64:ff9b::/96', 'fc00::/7', 'fe80::/10', 'ff00::/8'];

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
      { ipBlock: { cidr: '0.0.0.0/0', except: closedIpv4 } },
      { ipBlock: { cidr: '::/0', except: closedIpv6 } },
    ],
    ports: [{ port: 443, protocol: 'TCP' }],
  },
];

/** Policy for all pods of the deployment; `remote` when a live revision fetches its model over the network. */
export function desiredNetworkPolicy(deployment: ModelDeployment, remote: boolean): NetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: childMeta(deployment, deployment.metadata.name),
    spec: {
      podSelector: { matchLabels: { [labels.deployment]: deployment.metadata.name } },
      policyTypes: ['Ingress', 'Egress'],
      ingress,
      egress: remote ? remoteEgress : [],
    },
  };
}
