/** A real Kubernetes for tests: a control plane from Go modules, real nodes in namespaces, simulated nodes beside them. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { loadAuth } from '../../kube/auth.ts';
import { type Body, type Client, openClient } from '../conformance/support/client.ts';
import { buildBinary, buildTool, cacheDir } from './build.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { type TokenUser, writeKubeconfig } from './control-plane-files.ts';
import { loopbackGround, networkGround } from './ground.ts';
import { startKarpenter } from './karpenter.ts';
import { makeSimulatedNodes, type SimulatedNodes, startKwok } from './kwok.ts';
import { maxNodes, routerNetns } from './network.ts';
import type { RealNode } from './node.ts';
import { missingForNodes, needForNodes } from './packages.ts';
import type { Part } from './processes.ts';
import { startRealNodes } from './real-nodes.ts';
import { makeDnsService } from './router.ts';
import { staticImage } from './static-image.ts';
import { makeUsers } from './users.ts';

export interface RealClusterOptions {
  /** Real nodes, named node-1, node-2 …; default 0, which needs no root. */
  readonly nodes?: number;
  /** Zones that the nodes, real and simulated, are spread over in turn; default zone-a, zone-b, zone-c. */
  readonly zones?: readonly string[];
  /** Labels of each real node. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Simulated nodes, named kwok-1, kwok-2 …; beside real ones they carry the taint kwok.x-k8s.io/node=fake:NoSchedule. */
  readonly kwokNodes?: number;
  /** What a simulated node offers; default 64 CPUs, 256Gi, 110 pods. */
  readonly kwokNode?: SimulatedNodes;
  /** Files of KWOK stages that take the place of its own "a pod is ready at once". */
  readonly podStages?: readonly string[];
  /** Karpenter buys simulated nodes for pods that do not fit; see karpenter.ts for sizes and prices. */
  readonly karpenter?: boolean;
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
  /** With a network: the name of its link, control group and folder on this machine, `blt` and the second byte of its addresses. */
  readonly name?: string;
  /** Folder of this run: certificates, logs, the nodes' data. */
  readonly dir: string;
  readonly auditLogPath?: string;
  readonly nodes: readonly RealNode[];
  /** Addresses of simulated pods; where there is root, the host answers at all of them. */
  readonly simulatedRange: string;
  /** Stops the API server alone, or starts it again at the same port with the same data. */
  readonly apiServer: { stop(): Promise<void>; start(): Promise<void> };
  /** Resolves with a sentence when any part ends that nobody stopped. */
  readonly broken: Promise<string>;
  /** Ends everything and leaves nothing on the machine. */
  stop(): Promise<void>;
}

/** Where clusters keep their data. */
export const runsDir = join(cacheDir, 'run');

/** Starts the cluster and resolves when every node is Ready. */
export async function startRealCluster(options: RealClusterOptions = {}): Promise<RealCluster> {
  const say = options.say ?? (() => {});
  const { nodes: count = 0, kwokNodes: simulated = 0, karpenter: grows = false } = options;
  const zones = options.zones ?? ['zone-a', 'zone-b', 'zone-c'];
  if (count > maxNodes) throw new Error(`at most ${maxNodes} real nodes`);
  if (count > 0) needForNodes(say);
  const tools = findTools(options, say);
  const startMs = Date.now();
  const after = () => `${((Date.now() - startMs) / 1000).toFixed(1)} s`;
  const hasNodes = count > 0 || simulated > 0 || grows;
  const ground = hasNodes && missingForNodes() === undefined ? await networkGround(say) : loopbackGround();

  let stopping = false;
  let tellBroken: (text: string) => void = () => {};
  const broken = new Promise<string>((resolve) => {
    tellBroken = (text) => {
      if (!stopping) resolve(text);
    };
  });
  const parts: Part[] = [];
  let plane: ControlPlane | undefined;
  let client: Client | undefined;
  const stop = async () => {
    stopping = true;
    await client?.close();
    await ground.remove();
    await Promise.all(parts.map((part) => part.stop()));
    await plane?.stop();
  };
  const work = async (): Promise<RealCluster> => {
    const names = Array.from({ length: count }, (_, index) => `node-${index + 1}`);
    const users = makeUsers(names);
    plane = await startControlPlane({
      binary: tools.kube,
      runsDir,
      scheduler: hasNodes,
      audit: options.audit === true,
      unlimited: options.unlimited === true,
      ...(options.kubeconfigPath === undefined ? {} : { kubeconfigPath: options.kubeconfigPath }),
      ...ground,
      users: [users.kwok, users.karpenter, users.coredns, users.proxy, ...users.kubelets],
    });
    const { url, token, kubeconfigPath, dir, apiServer } = plane;
    ground.record(dir);
    void plane.broken.then(tellBroken);
    say(`the control plane answers at ${url} after ${after()}`);
    client = await openClient(await loadAuth({ kubeconfig: kubeconfigPath }));
    const certificate = join(dir, 'apiserver.crt');
    const kubeconfigOf = (user: TokenUser) => {
      const path = join(dir, `${user.name}.kubeconfig`);
      writeKubeconfig(path, url, user, certificate);
      return path;
    };
    const watchPart = (part: Part) => {
      parts.push(part);
      void part.ended.then((text) => tellBroken(`${text}; its log ends with:\n${part.tail()}`));
    };

    const { coredns, pause } = tools;
    const nodes =
      ground.network === undefined || coredns === undefined || pause === undefined
        ? []
        : await startRealNodes({
            ...ground.network,
            names,
            zones,
            labels: options.labels ?? {},
            hosts: options.hosts ?? {},
            kube: tools.kube,
            coredns,
            pause,
            users,
            dir,
            url,
            certificate,
            groups: ground.place.groups ?? [],
            started: watchPart,
            broken: (text) => tellBroken(text),
          });
    // Karpenter listens on every address: in the router's namespace these are the cluster's own.
    const netns = ground.network === undefined ? {} : { netns: routerNetns(ground.network.run) };
    const place = { ...ground.place, ...netns, diesWithUs: process.platform === 'linux' };
    const isTainted = count > 0;
    if (tools.kwok !== undefined) {
      const { podStages } = options;
      const kwok = {
        binary: tools.kwok,
        kubeconfigPath: kubeconfigOf(users.kwok),
        dir,
        range: ground.simulated,
        place,
      };
      watchPart(startKwok({ ...kwok, ...(podStages === undefined ? {} : { podStages }) }));
    }
    if (tools.karpenter !== undefined) {
      const karpenter = {
        binary: tools.karpenter,
        kubeconfigPath: kubeconfigOf(users.karpenter),
        dir,
        place,
      };
      watchPart(await startKarpenter(client, { ...karpenter, zones, isTainted }));
    }
    const fakes = await makeSimulatedNodes(client, simulated, zones, isTainted, options.kwokNode);
    if (nodes.length > 0 && ground.network !== undefined) await makeDnsService(client, ground.network.plan);
    await untilReady(client, [...names, ...fakes], nodes);
    if (count > 0) say(`${count} real ${count === 1 ? 'node is' : 'nodes are'} Ready after ${after()}`);
    if (simulated > 0)
      say(`${simulated} simulated ${simulated === 1 ? 'node is' : 'nodes are'} Ready after ${after()}`);
    for (const archive of options.images ?? [])
      await Promise.all(nodes.map((node) => node.importImage(archive)));
    const auditLog = options.audit === true ? { auditLogPath: join(dir, 'audit.log') } : {};
    const named = ground.network === undefined ? {} : { name: ground.network.run.name };
    const { simulated: simulatedRange } = ground;
    return {
      url,
      token,
      kubeconfigPath,
      dir,
      apiServer,
      ...named,
      ...auditLog,
      nodes,
      simulatedRange,
      broken,
      stop,
    };
  };
  try {
    return await Promise.race([
      work(),
      broken.then((text) => {
        throw new Error(text);
      }),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Builds what this cluster needs and nothing else. */
function findTools(options: RealClusterOptions, say: (line: string) => void) {
  const { nodes = 0, kwokNodes = 0, karpenter = false } = options;
  return {
    kube: buildBinary(say),
    coredns: nodes > 0 ? buildTool('coredns', say) : undefined,
    pause: nodes > 0 ? staticImage('pause', say) : undefined,
    kwok: kwokNodes > 0 || karpenter ? buildTool('kwok', say) : undefined,
    karpenter: karpenter ? buildTool('karpenter', say) : undefined,
  };
}

async function untilReady(
  client: Client,
  names: readonly string[],
  nodes: readonly RealNode[],
): Promise<void> {
  const deadlineMs = Date.now() + 90_000;
  for (;;) {
    const answer = await client.get('/api/v1/nodes');
    const items = (answer.body.items ?? []).filter((node) => isReady(node));
    const ready = new Set(items.map((node) => node.metadata.name));
    const late = names.filter((name) => !ready.has(name));
    if (late.length === 0) return;
    if (Date.now() > deadlineMs) {
      const log = nodes.find(({ name }) => name === late[0])?.tail('kubelet') ?? '';
      throw new Error(`${late.length} nodes are not Ready after 90 s, ${late[0]} among them\n${log}`);
    }
    await delay(100);
  }
}

/** Ready, and free for pods: the taint of a node that was not ready goes a moment after it is. */
function isReady(node: Body): boolean {
  const { conditions = [] } = (node.status ?? {}) as { conditions?: { type: string; status: string }[] };
  const { taints = [] } = (node.spec ?? {}) as { taints?: { key: string }[] };
  return (
    conditions.some(({ type, status }) => type === 'Ready' && status === 'True') &&
    !taints.some(({ key }) => key === 'node.kubernetes.io/not-ready')
  );
}
