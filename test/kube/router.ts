/** What runs beside the nodes in the router's namespace: kube-proxy for requests from the host, and cluster DNS. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../conformance/support/client.ts';
import { said } from '../conformance/support/words.ts';
import { writeKubeconfig } from './control-plane-files.ts';
import { type AddressPlan, routerNetns } from './network.ts';
import { kubeProxy } from './node-files.ts';
import { type Part, type Place, startPart } from './processes.ts';
import type { Run } from './runs.ts';

export interface RouterOptions {
  readonly run: Run;
  readonly plan: AddressPlan;
  readonly dir: string;
  readonly url: string;
  readonly certificate: string;
  /** The binary with kube-proxy in it, and that of CoreDNS. */
  readonly binary: string;
  readonly coredns: string;
  readonly proxyToken: string;
  readonly dnsToken: string;
  /** Names outside the cluster and their addresses. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly groups: readonly string[];
}

/** Starts both; neither needs a node to be there. */
export function startRouter(options: RouterOptions): Part[] {
  const { run, plan, url, certificate } = options;
  const dir = join(options.dir, 'router');
  mkdirSync(dir, { mode: 0o700 });
  const place: Place = { netns: routerNetns(run), groups: options.groups, diesWithUs: true };
  const kubeconfig = (name: string, user: string, token: string) => {
    const path = join(dir, `${name}.kubeconfig`);
    writeKubeconfig(path, url, { name: user, token, groups: [] }, certificate);
    return path;
  };
  const proxyFile = join(dir, 'kube-proxy.json');
  const proxyConfig = kubeconfig('kube-proxy', 'system:kube-proxy', options.proxyToken);
  writeFileSync(proxyFile, JSON.stringify(kubeProxy(plan, proxyConfig)));
  const dnsFile = join(dir, 'Corefile');
  writeFileSync(dnsFile, corefile(kubeconfig('coredns', 'coredns', options.dnsToken), options.hosts));
  // It asks for a node of its name for half a minute: the first one's will do.
  const proxyFlags = ['kube-proxy', `--config=${proxyFile}`, '--hostname-override=node-1'];
  return [
    startPart('kube-proxy', options.binary, proxyFlags, join(dir, 'kube-proxy.log'), 0, place),
    startPart('coredns', options.coredns, ['-conf', dnsFile], join(dir, 'coredns.log'), 0, place),
  ];
}

function corefile(kubeconfig: string, hosts: Readonly<Record<string, string>>): string {
  const lines = Object.entries(hosts).map(([name, address]) => `    ${address} ${name}\n`);
  return `.:53 {
  errors
  ready :8181
  cache 5
  hosts /dev/null {
${lines.join('')}    fallthrough
  }
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfig}
    pods insecure
    ttl 5
  }
}
`;
}

/** Makes the Service at the address that kubelet tells pods to ask. */
export async function makeDnsService(client: Client, plan: AddressPlan): Promise<void> {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  const labels = { 'k8s-app': 'kube-dns' };
  const made = [
    await client.post('/api/v1/namespaces/kube-system/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', labels },
      spec: { clusterIP: plan.dns, ports },
    }),
    await client.post('/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'kube-dns', labels: { ...labels, 'kubernetes.io/service-name': 'kube-dns' } },
      addressType: 'IPv4',
      ports,
      endpoints: [{ addresses: [plan.router], conditions: { ready: true } }],
    }),
  ];
  for (const answer of made)
    if (answer.status !== 201) throw new Error(`no Service for cluster DNS: ${said(answer)} ${answer.text}`);
}
