/** The real nodes of a cluster together: their network, the router beside them, and each node. */

import { type AddressPlan, makeNodeNetwork } from './network.ts';
import { type RealNode, startNode } from './node.ts';
import { chooseSnapshotter } from './node-files.ts';
import { cniFolder } from './packages.ts';
import type { Part } from './processes.ts';
import { startRouter } from './router.ts';
import type { Run } from './runs.ts';
import type { ImageArchive } from './static-image.ts';
import type { ClusterUsers } from './users.ts';

export interface RealNodesOptions {
  readonly run: Run;
  readonly plan: AddressPlan;
  readonly names: readonly string[];
  readonly zones: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly hosts: Readonly<Record<string, string>>;
  /** The binary with kubelet and kube-proxy in it. */
  readonly kube: string;
  readonly coredns: string;
  readonly pause: ImageArchive;
  readonly users: ClusterUsers;
  readonly dir: string;
  readonly url: string;
  readonly certificate: string;
  /** Control groups that the router's processes enter. */
  readonly groups: readonly string[];
  readonly started: (part: Part) => void;
  readonly broken: (text: string) => void;
}

/** Starts all of them at once; resolves when each runs its kubelet, not when it is Ready. */
export async function startRealNodes(options: RealNodesOptions): Promise<RealNode[]> {
  const { run, plan, names, zones, users, dir, url, certificate, kube } = options;
  for (const index of names.keys()) makeNodeNetwork(run, plan, names, index);
  const common = { run, plan, dir, url, certificate, binary: kube, proxyToken: users.proxy.token };
  const { coredns, hosts, groups } = options;
  const router = startRouter({ ...common, coredns, dnsToken: users.coredns.token, hosts, groups });
  for (const part of router) options.started(part);
  const snapshotter = chooseSnapshotter(dir);
  const cni = cniFolder();
  if (cni === undefined) throw new Error('the network plugin "ptp" is gone');
  return Promise.all(
    names.map((name, index) =>
      startNode({
        ...common,
        index,
        name,
        zone: zones[index % zones.length] ?? 'zone-a',
        labels: options.labels,
        kubeletToken: users.kubelets[index]?.token ?? '',
        snapshotter,
        cniFolder: cni,
        pause: options.pause,
        broken: options.broken,
      }),
    ),
  );
}
