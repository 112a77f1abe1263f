/** What the parts of a node are started with: the settings of containerd, of the pod network, of kubelet and kube-proxy. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AddressPlan } from './network.ts';

/** Everything that the files of one node need to know. */
export interface NodeSettings {
  readonly run: string;
  readonly name: string;
  readonly address: string;
  readonly podRange: string;
  readonly plan: AddressPlan;
  /** Data on disk: images, kubelet's root, logs of pods. */
  readonly dataDir: string;
  /** Sockets and mounts of containers. */
  readonly stateDir: string;
  readonly snapshotter: string;
  readonly pauseImage: string;
  /** Control group below which kubelet makes those of the pods. */
  readonly group: string;
}

export interface NodeFiles {
  readonly containerd: string;
  readonly kubelet: string;
  readonly kubeProxy: string;
  readonly socket: string;
}

/** Where Debian and others put the network plugins. */
export const cniFolders = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];

/** overlayfs where the folder's file system carries it, else whole copies of each layer. */
export function chooseSnapshotter(dir: string): string {
  const at = (name: string) => join(dir, 'overlay-try', name);
  for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(at(name), { recursive: true });
  const options = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`;
  const mounted = spawnSync('mount', ['-t', 'overlay', 'overlay', '-o', options, at('merged')]).status === 0;
  if (mounted) spawnSync('umount', [at('merged')]);
  rmSync(join(dir, 'overlay-try'), { recursive: true, force: true });
  return mounted ? 'overlayfs' : 'native';
}

/** Writes the files and returns their paths. */
export function writeNodeFiles(settings: NodeSettings, cniFolder: string): NodeFiles {
  const { dataDir, stateDir } = settings;
  for (const dir of [dataDir, stateDir, join(dataDir, 'cni')])
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  const files = {
    containerd: join(dataDir, 'containerd.toml'),
    kubelet: join(dataDir, 'kubelet.json'),
    kubeProxy: join(dataDir, 'kube-proxy.json'),
    socket: join(stateDir, 'containerd.sock'),
  };
  writeFileSync(files.containerd, containerd(settings, files.socket, cniFolder));
  writeFileSync(join(dataDir, 'cni', '10-pods.conflist'), JSON.stringify(podNetwork(settings)));
  writeFileSync(files.kubelet, JSON.stringify(kubelet(settings, files.socket)));
  writeFileSync(
    files.kubeProxy,
    JSON.stringify(kubeProxy(settings.plan, join(dataDir, 'kube-proxy.kubeconfig'))),
  );
  return files;
}

function containerd(
  { dataDir, stateDir, snapshotter, pauseImage }: NodeSettings,
  socket: string,
  cniFolder: string,
) {
  return `version = 2
root = "${join(dataDir, 'containerd')}"
state = "${join(stateDir, 'containerd')}"
disabled_plugins = [
  "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # A negative score needs CAP_SYS_RESOURCE, which root in a sandbox may lack.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${snapshotter}"
    discard_unpacked_layers = true
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "${join(stateDir, 'runc')}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${cniFolder}"
    conf_dir = "${join(dataDir, 'cni')}"
`;
}

/**
 * Each pod hangs on a link of its own and not on a bridge: then every packet is routed, and the answer of a pod behind
 * a Service to its neighbour is translated back without the bridge's packet filter.
 */
function podNetwork({ run, name, podRange, dataDir }: NodeSettings): object {
  return {
    cniVersion: '1.0.0',
    name: `${run}-${name}`,
    plugins: [
      {
        type: 'ptp',
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: podRange }]],
          routes: [{ dst: '0.0.0.0/0' }],
          dataDir: join(dataDir, 'addresses'),
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

function kubelet({ dataDir, address, plan, group }: NodeSettings, socket: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address,
    // The API server has no client certificate; nobody but the cluster's own pods reaches this address.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    readOnlyPort: 0,
    cgroupDriver: 'cgroupfs',
    // Several kubelets on one machine: each deletes the groups of pods that it does not know.
    cgroupRoot: `/${group}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    containerRuntimeEndpoint: `unix://${socket}`,
    clusterDNS: [plan.dns],
    clusterDomain: 'cluster.local',
    podLogsDir: join(dataDir, 'pod-logs'),
    volumePluginDir: join(dataDir, 'volume-plugins'),
    // The machine's disk is not the node's: a full one must not evict pods of a test.
    evictionHard: { 'memory.available': '100Mi' },
    imageGCHighThresholdPercent: 100,
  };
}

/** Settings of kube-proxy. */
export function kubeProxy(plan: AddressPlan, kubeconfig: string): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig },
    clusterCIDR: plan.pods,
    detectLocalMode: 'ClusterCIDR',
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    // These limits belong to the whole machine.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
}
