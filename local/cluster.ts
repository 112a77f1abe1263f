/** The whole embedded cluster in one process: API server, controllers, kubelet, service proxy. */
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, realClock } from '../kube/clock.ts';
import type { Pod } from '../kube/objects.ts';
import { resources } from '../kube/resource.ts';
import { kubeconfigText, type LogSource, type Registry, startApiServer } from './apiserver/index.ts';
import { badRequest } from './apiserver/status-error.ts';
import { ClusterCache } from './controllers/cache.ts';
import { startClaimController } from './controllers/claims.ts';
import type { ControlLoop } from './controllers/control-loop.ts';
import { startDeploymentController } from './controllers/deployment/controller.ts';
import { startDisruptionController } from './controllers/disruption.ts';
import { startEndpointSliceController } from './controllers/endpoint-slices.ts';
import { EventLog } from './controllers/events.ts';
import { type NodeSize, startNode } from './controllers/node.ts';
import { registryAccess } from './controllers/registry-access.ts';
import { startReplicaSetController } from './controllers/replicaset.ts';
import { startScheduler } from './controllers/scheduler.ts';
import { claimBlock, PodAddresses } from './kubelet/addresses.ts';
import { type BackoffLimits, kubeletBackoff } from './kubelet/backoff.ts';
import { type FakeKubeletOptions, startFakeKubelet } from './kubelet/fake-kubelet.ts';
import type { ImageMap } from './kubelet/image-map.ts';
import { type Kubelet, startKubelet } from './kubelet/kubelet.ts';
import { MemoryWatch } from './kubelet/memory.ts';
import { startServiceProxy } from './proxy/service-proxy.ts';
import { startReaper } from './reaper.ts';
import { takeStateFolder } from './state-folder.ts';

const nodeName = 'local';

export interface ClusterOptions {
  /** Folder of the cluster's files, `.ballast` of the checkout as a rule. One cluster at a time uses it. */
  readonly stateDir: string;
  readonly imageMap: ImageMap;
  /** Every pod and Service on 127.0.0.1 with ports of its own; default: only where loopback has no other address. */
  readonly singleAddress?: boolean;
  readonly clock?: Clock;
  /** Port of the API server; default a free one. */
  readonly port?: number;
  /** Size of the one node; default that of the machine. */
  readonly node?: NodeSize;
  /** Restart and pull back-off; default as a kubelet's. */
  readonly backoff?: BackoffLimits;
  /** Pods without processes, for scale tests. */
  readonly fakeKubelet?: Pick<FakeKubeletOptions, 'readyAfterMs' | 'initMessage' | 'answer'>;
  /** Longest grace period that a pod gets when the cluster closes, milliseconds; default 2000. */
  readonly closeGraceMs?: number;
  readonly log?: (line: string) => void;
}

export interface Cluster {
  readonly url: string;
  readonly token: string;
  readonly kubeconfigPath: string;
  readonly registry: Registry;
  /** True when pods and Services share 127.0.0.1. */
  readonly singleAddress: boolean;
  /** `http://host:port` of a Service port on this machine; undefined while nothing listens. */
  serviceUrl(namespace: string, service: string, port: number): string | undefined;
  /**
   * Names a further process group (the operator’s, say) that must not outlive this process, however it dies.
   * The returned function forgets it once it ended: its number may belong to a stranger later.
   */
  watchProcess(group: number): () => void;
  /** Ends pods, listeners and server, in this order; nothing is left. Safe to call twice. */
  close(): Promise<void>;
}

const followed = [
  resources.pods,
  resources.services,
  resources.configMaps,
  resources.secrets,
  resources.persistentVolumeClaims,
  resources.nodes,
  resources.deployments,
  resources.replicaSets,
  resources.endpointSlices,
  resources.podDisruptionBudgets,
];

/** Starts the cluster; resolves when it takes requests and runs pods. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const clock = options.clock ?? realClock;
  const log = options.log ?? (() => undefined);
  const state = takeStateFolder(options.stateDir);
  const undo: (() => Promise<void> | void)[] = [() => state.release()];
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const reaper = startReaper(state.pids, state.pods);
    undo.push(() => reaper.close());
    const block = options.singleAddress === true ? undefined : await claimBlock();
    if (block !== undefined) undo.push(() => block.release());
    const singleAddress = block === undefined;
    const server = await startApiServer({
      clock,
      tls: true,
      ...(options.port === undefined ? {} : { port: options.port }),
    });
    undo.push(() => server.close());
    const { registry } = server;
    const access = registryAccess(registry, 'kube-controller-manager');
    const events = new EventLog(access, clock, log);
    const cache = new ClusterCache(access, followed);
    undo.push(async () => {
      await events.flush();
      cache.close();
    });
    const hostIP = '127.0.0.1';
    undo.push(await startNode(cache, clock, nodeName, hostIP, options.node ?? {}, log));
    const parts = { cache, events, clock, log };
    const claimFolder = (namespace: string, name: string) => join(state.claims, namespace, name);
    const loops: ControlLoop[] = [
      startDeploymentController(parts),
      startReplicaSetController(parts),
      startEndpointSliceController(parts),
      startDisruptionController(parts),
      startScheduler({ ...parts, nodeName }),
      startClaimController({
        ...parts,
        folders: {
          make: async (namespace, name) =>
            void (await mkdir(claimFolder(namespace, name), { recursive: true })),
          remove: (namespace, name) => rm(claimFolder(namespace, name), { recursive: true, force: true }),
        },
      }),
    ];
    const addresses = new PodAddresses(block?.podPrefix);
    if (options.fakeKubelet === undefined) {
      const kubelet = startKubelet({
        ...parts,
        nodeName,
        hostIP,
        images: options.imageMap,
        reaper,
        memory: new MemoryWatch(),
        addresses,
        backoff: options.backoff ?? kubeletBackoff,
        podsFolder: state.pods,
        claimFolder,
        token: server.token,
      });
      undo.push(() => kubelet.close(options.closeGraceMs));
      registry.setLogSource(logSource(kubelet));
    } else undo.push(startFakeKubelet({ ...parts, nodeName, hostIP, addresses, ...options.fakeKubelet }));
    const proxy = startServiceProxy({ ...parts, singleAddress });
    undo.push(() => proxy.close());
    // First of all: no controller makes up for the pods that are being ended.
    undo.push(async () => {
      await Promise.all(loops.map((loop) => loop.stop()));
    });
    const kubeconfigPath = join(options.stateDir, 'kubeconfig');
    writePrivately(kubeconfigPath, kubeconfigText(server));
    return {
      url: server.url,
      token: server.token,
      kubeconfigPath,
      registry,
      singleAddress,
      serviceUrl: (namespace, service, port) => {
        const at = proxy.addressOf(namespace, service, port);
        return at === undefined ? undefined : `http://${at}`;
      },
      watchProcess: (group) => {
        reaper.watch(group);
        return () => reaper.forget(group);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function logSource(kubelet: Kubelet): LogSource {
  return {
    read(pod, options, signal) {
      const log = kubelet.logs(pod as Pod, options, signal);
      if (typeof log === 'string') throw badRequest(log);
      return log;
    },
  };
}

/** Others on the machine may not read the token, and a reader never meets half a file. */
function writePrivately(path: string, text: string): void {
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, text, { mode: 0o600 });
  chmodSync(fresh, 0o600);
  renameSync(fresh, path);
}
