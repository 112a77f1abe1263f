/** A real Kubernetes for tests: the control plane from Go modules and, where there is root, real nodes in namespaces. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { loadAuth } from '../../kube/auth.ts';
import { type Body, type Client, openClient } from '../conformance/support/client.ts';
import { buildBinary, buildTool, cacheDir } from './build.ts';
import { entrances, makeGroup } from './cgroups.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import type { TokenUser } from './control-plane-files.ts';
import { addressPlan, makeNetwork, makeNodeNetwork, maxNodes } from './network.ts';
import { type RealNode, startNode } from './node.ts';
import { chooseSnapshotter } from './node-files.ts';
import { cniFolder, needForNodes } from './packages.ts';
import { makeDnsService, startRouter } from './router.ts';
import { claimRun, recordData, removeRun, sweepRuns } from './runs.ts';
import { staticImage } from './static-image.ts';
import { startSweeper } from './sweeper.ts';

export interface RealClusterOptions {
  /** Real nodes, named node-1, node-2 …; default 0, which needs no root. */
  readonly nodes?: number;
  /** Zones that the nodes are spread over in turn; default zone-a, zone-b, zone-c. */
  readonly zones?: readonly string[];
  /** Labels of each real node. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Writes an audit log of the requests of service accounts. */
  readonly audit?: boolean;
  /** Takes away every limit on the rate of requests, of clients and server: for measurements. */
  readonly unlimited?: boolean;
  /** Names outside the cluster that its DNS answers with these addresses. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** Image archives that are loaded into every real node. */
  readonly images?: readonly string[];
  /** Where the kubeconfig goes; default: inside the run's folder. */
  readonly kubeconfigPath?: string;
  readonly say?: (line: string) => void;
}

export interface RealCluster {
  readonly url: string;
  /** Token of the administrator. */
  readonly token: string;
  readonly kubeconfigPath: string;
  /** Folder of this run: certificates, logs, the nodes' data. */
  readonly dir: string;
  readonly auditLogPath?: string;
  readonly nodes: readonly RealNode[];
  /** Stops the API server alone, or starts it again at the same port with the same data. */
  readonly apiServer: { stop(): Promise<void>; start(): Promise<void> };
  /** Resolves with a sentence when any part ends that nobody stopped. */
  readonly broken: Promise<string>;
  /** Ends everything and leaves nothing on the machine. */
  stop(): Promise<void>;
}

const runsDir = join(cacheDir, 'run');

/** Starts the cluster and resolves when every node is Ready. */
export async function startRealCluster(options: RealClusterOptions = {}): Promise<RealCluster> {
  const say = options.say ?? (() => {});
  const count = options.nodes ?? 0;
  if (count > maxNodes) throw new Error(`at most ${maxNodes} real nodes`);
  if (count > 0) return startWithNodes(options, count, say);
  const binary = buildBinary(say);
  const plane = await startControlPlane({ binary, runsDir, ...planeOptions(options) });
  return { ...facts(plane, options), nodes: [], broken: plane.broken, stop: plane.stop };
}

function planeOptions(options: RealClusterOptions) {
  return {
    audit: options.audit === true,
    unlimited: options.unlimited === true,
    ...(options.kubeconfigPath === undefined ? {} : { kubeconfigPath: options.kubeconfigPath }),
  };
}

function facts(plane: ControlPlane, options: RealClusterOptions) {
  const { url, token, kubeconfigPath, dir, apiServer } = plane;
  const auditLog = options.audit === true ? { auditLogPath: join(dir, 'audit.log') } : {};
  return { url, token, kubeconfigPath, dir, apiServer, ...auditLog };
}

async function startWithNodes(
  options: RealClusterOptions,
  count: number,
  say: (line: string) => void,
): Promise<RealCluster> {
  needForNodes(say);
  const binary = buildBinary(say);
  const coredns = buildTool('coredns', say);
  const pause = staticImage('pause', say);
  for (const name of await sweepRuns()) say(`removed what ${name} left, whose owner is dead`);
  const run = claimRun();
  const sweeper = startSweeper(run);
  const startMs = Date.now();
  const after = () => `${((Date.now() - startMs) / 1000).toFixed(1)} s`;
  let plane: ControlPlane | undefined;
  let stopping = false;
  let tellBroken: (text: string) => void = () => {};
  const broken = new Promise<string>((resolve) => {
    tellBroken = (text) => {
      if (!stopping) resolve(text);
    };
  });
  const stop = async () => {
    stopping = true;
    await removeRun(run);
    await plane?.stop();
    await sweeper.close();
  };
  try {
    const plan = addressPlan(run.number);
    const zones = options.zones ?? ['zone-a', 'zone-b', 'zone-c'];
    const names = Array.from({ length: count }, (_, index) => `node-${index + 1}`);
    const token = () => randomBytes(16).toString('hex');
    const kubelets = names.map((name): TokenUser => {
      return { name: `system:node:${name}`, token: token(), groups: ['system:nodes'] };
    });
    const dns: TokenUser = { name: 'coredns', token: token(), groups: ['system:masters'] };
    const proxy: TokenUser = { name: 'system:kube-proxy', token: token(), groups: ['system:node-proxier'] };
    makeGroup(`${run.name}/control-plane`);
    const groups = entrances(`${run.name}/control-plane`);
    makeNetwork(run, plan);
    for (const index of names.keys()) makeNodeNetwork(run, plan, names, index);
    plane = await startControlPlane({
      binary,
      runsDir,
      ...planeOptions(options),
      scheduler: true,
      address: plan.host,
      serviceRange: plan.services,
      users: [...kubelets, proxy, dns],
      place: { groups, diesWithUs: true },
    });
    recordData(run, plane.dir);
    say(`the control plane answers at ${plane.url} after ${after()}`);
    const { url, dir } = plane;
    const certificate = join(dir, 'apiserver.crt');
    const router = startRouter({
      run,
      plan,
      dir,
      url,
      certificate,
      binary,
      coredns,
      proxyToken: proxy.token,
      dnsToken: dns.token,
      hosts: options.hosts ?? {},
      groups,
    });
    for (const part of router)
      void part.ended.then((text) => tellBroken(`${text}; its log ends with:\n${part.tail()}`));
    void plane.broken.then(tellBroken);
    const snapshotter = chooseSnapshotter(dir);
    const nodes = await Promise.all(
      names.map((name, index) =>
        startNode({
          run,
          plan,
          index,
          name,
          zone: zones[index % zones.length] as string,
          labels: options.labels ?? {},
          binary,
          dir,
          url,
          certificate,
          kubeletToken: kubelets[index]?.token ?? '',
          proxyToken: proxy.token,
          snapshotter,
          cniFolder: cniFolder() as string,
          pause,
          broken: (text) => tellBroken(text),
        }),
      ),
    );
    const client = await openClient(await loadAuth({ kubeconfig: plane.kubeconfigPath }));
    try {
      await makeDnsService(client, plan);
      await Promise.race([
        untilReady(client, nodes),
        broken.then((text) => {
          throw new Error(text);
        }),
      ]);
    } finally {
      await client.close();
    }
    say(`${count} ${count === 1 ? 'node is' : 'nodes are'} Ready after ${after()}`);
    for (const archive of options.images ?? [])
      await Promise.all(nodes.map((node) => node.importImage(archive)));
    return { ...facts(plane, options), nodes, broken, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function untilReady(client: Client, nodes: readonly RealNode[]): Promise<void> {
  const deadlineMs = Date.now() + 90_000;
  for (;;) {
    const answer = await client.get('/api/v1/nodes');
    const ready = new Set(
      answer.body.items?.filter((node) => isReady(node)).map((node) => node.metadata.name),
    );
    const late = nodes.filter(({ name }) => !ready.has(name));
    if (late.length === 0) return;
    if (Date.now() > deadlineMs)
      throw new Error(`${late[0]?.name} is not Ready after 90 s; kubelet says:\n${late[0]?.tail('kubelet')}`);
    await delay(100);
  }
}

function isReady(node: Body): boolean {
  const { conditions = [] } = (node.status ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}
