/** One real node: containerd, kubelet and kube-proxy in a network namespace of their own. */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { entrances, killGroup, makeGroup } from './cgroups.ts';
import { writeKubeconfig } from './control-plane-files.ts';
import { type AddressPlan, nodeNetns, plugNode } from './network.ts';
import { writeNodeFiles } from './node-files.ts';
import { ownMounts } from './node-mounts.ts';
import { type Part, type Place, startPart } from './processes.ts';
import type { Run } from './runs.ts';
import { untilListens } from './sockets.ts';

export interface RealNode {
  readonly name: string;
  readonly zone: string;
  /** Its InternalIP. */
  readonly address: string;
  /** File that holds its network namespace: `nsenter --net=FILE COMMAND` runs a command as if on the node. */
  readonly netns: string;
  /** Control group below which all its processes are, containers too. */
  readonly group: string;
  /** Power cut: kubelet, containerd and every container end at the same moment and the plug is out; nobody tells the API. */
  kill(): Promise<void>;
  /** The power is back: an empty machine of the same name and address starts. */
  revive(): Promise<void>;
  /** Ends kubelet alone; containers go on. */
  stopKubelet(): Promise<void>;
  startKubelet(): void;
  /** Loads an image archive (`docker save`, `buildah push … docker-archive:`) into its containerd. */
  importImage(archive: string): Promise<void>;
  /** Runs `ctr` in the namespace of Kubernetes' containers and returns what it prints. */
  ctr(...args: string[]): Promise<string>;
  /** Last lines of a part's log. */
  tail(part: 'containerd' | 'kubelet' | 'kube-proxy'): string;
}

export interface NodeOptions {
  readonly run: Run;
  readonly plan: AddressPlan;
  readonly index: number;
  readonly name: string;
  readonly zone: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly binary: string;
  readonly dir: string;
  readonly url: string;
  readonly certificate: string;
  readonly kubeletToken: string;
  readonly proxyToken: string;
  readonly snapshotter: string;
  readonly cniFolder: string;
  readonly pause: { readonly name: string; readonly archive: string };
  /** Told when a part ends that nobody stopped. */
  readonly broken: (text: string) => void;
}

/** Starts the node's parts; its network must be there. Resolves when containerd serves and kubelet runs, not when it is Ready. */
export async function startNode(options: NodeOptions): Promise<RealNode> {
  const { run, plan, index, name, zone, url, certificate } = options;
  const dataDir = join(options.dir, name);
  const group = `${run.name}/${name}`;
  const address = plan.node(index);
  const netns = nodeNetns(run, name);
  const parts = new Map<string, Part>();
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  makeGroup(`${group}/system`);
  const files = writeNodeFiles(
    {
      run: run.name,
      name,
      address,
      podRange: plan.podsOf(index),
      plan,
      dataDir,
      stateDir: join(run.stateDir, name),
      snapshotter: options.snapshotter,
      pauseImage: options.pause.name,
      group,
    },
    options.cniFolder,
  );
  const kubeconfig = (part: string, user: string, token: string) => {
    const path = join(dataDir, `${part}.kubeconfig`);
    writeKubeconfig(path, url, { name: user, token, groups: [] }, certificate);
    return path;
  };
  const kubeletConfig = kubeconfig('kubelet', `system:node:${name}`, options.kubeletToken);
  kubeconfig('kube-proxy', 'system:kube-proxy', options.proxyToken);

  const place: Place = { netns, groups: entrances(`${group}/system`), diesWithUs: true };
  const start = (part: string, command: string, args: readonly string[], mountsOf?: Part) => {
    // Not niced: containers inherit it, and a pod's figures would be those of a slower machine.
    const there = mountsOf === undefined ? place : { ...place, mountsOf: mountsOf.pid };
    const started = startPart(part, command, args, join(dataDir, `${part}.log`), 0, there);
    parts.set(part, started);
    void started.ended.then((text) => {
      if (parts.get(part) === started)
        options.broken(`${name}: ${text}; its log ends with:\n${started.tail()}`);
    });
  };
  const startKubelet = () => {
    if (parts.has('kubelet')) return;
    const labels = { 'topology.kubernetes.io/zone': zone, ...options.labels };
    const words = [
      'kubelet',
      `--config=${files.kubelet}`,
      `--kubeconfig=${kubeletConfig}`,
      `--root-dir=${join(dataDir, 'kubelet')}`,
      `--cert-dir=${join(dataDir, 'certificates')}`,
      `--hostname-override=${name}`,
      `--node-ip=${address}`,
      `--node-labels=${Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(',')}`,
    ];
    start('kubelet', options.binary, words, parts.get('containerd'));
  };
  const ctr = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)('ctr', ['-a', files.socket, '-n', 'k8s.io', ...args], {
      maxBuffer: 64 << 20,
    });
    return stdout;
  };
  const importImage = async (archive: string) => {
    await ctr('images', 'import', '--snapshotter', options.snapshotter, archive);
  };
  const boot = async () => {
    start('containerd', ownMounts[0] as string, [
      ...ownMounts.slice(1),
      'containerd',
      '--config',
      files.containerd,
    ]);
    start('kube-proxy', options.binary, [
      'kube-proxy',
      `--config=${files.kubeProxy}`,
      `--hostname-override=${name}`,
    ]);
    await untilListens(files.socket, 30_000);
    await importImage(options.pause.archive);
    startKubelet();
  };
  await boot();
  return {
    name,
    zone,
    address,
    netns,
    group,
    async kill() {
      parts.clear();
      plugNode(run, name, false);
      await killGroup(group);
    },
    async revive() {
      // Images stay on the disk; what was in memory, as /run is on a machine, is gone.
      for (const name of ['containerd', 'runc', 'containerd.sock'])
        rmSync(join(run.stateDir, options.name, name), { recursive: true, force: true });
      plugNode(run, name, true);
      await boot();
    },
    async stopKubelet() {
      const part = parts.get('kubelet');
      parts.delete('kubelet');
      await part?.stop();
    },
    startKubelet,
    importImage,
    ctr,
    tail: (part) => parts.get(part)?.tail() ?? `(${part} does not run)`,
  };
}
