/** The NetworkPolicy of `access.networkPolicy: Restricted`. It covers whole pods, so egress is what the fetch needs. */
import { labels, podPorts } from '../../../crds/constants.ts';
import { specialIpv4, specialIpv6 } from '../../../crds/special-addresses.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { NetworkPolicy } from '../../../kube/objects.ts';
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
