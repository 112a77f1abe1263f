/** The one node of the embedded cluster: this machine. */
import { availableParallelism, hostname, release, totalmem } from 'node:os';
import type { Clock } from '../../kube/clock.ts';
import { resources } from '../../kube/resource.ts';
import { failureReason, failureText, timestamp } from './access.ts';
import type { ClusterCache } from './cache.ts';
import type { Node } from './kinds.ts';

export interface NodeSize {
  /** Cores; default: those of the machine. */
  readonly cpu?: string | undefined;
  /** Memory; default: that of the machine. */
  readonly memory?: string | undefined;
  /** Pods; default 250. */
  readonly pods?: number | undefined;
}

const heartbeatMs = 60_000;

/** Makes the node and renews its heartbeat; the returned function stops that. */
export async function startNode(
  cache: ClusterCache,
  clock: Clock,
  name: string,
  address: string,
  size: NodeSize,
  log: (line: string) => void,
): Promise<() => void> {
  const amounts = {
    cpu: size.cpu ?? String(availableParallelism()),
    memory: size.memory ?? `${Math.floor(totalmem() / 1024)}Ki`,
    pods: String(size.pods ?? 250),
    'ephemeral-storage': '100Gi',
  };
  const started = timestamp(clock.now());
  const conditions = () => {
    const now = timestamp(clock.now());
    const healthy = (type: string, reason: string, message: string) => ({
      type,
      status: type === 'Ready' ? ('True' as const) : ('False' as const),
      reason,
      message,
      lastHeartbeatTime: now,
      lastTransitionTime: started,
    });
    return [
      healthy('MemoryPressure', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      healthy('DiskPressure', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      healthy('PIDPressure', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      healthy('Ready', 'KubeletReady', 'kubelet is posting ready status'),
    ];
  };
  const status = {
    capacity: amounts,
    allocatable: amounts,
    conditions: conditions(),
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: hostname() },
    ],
    nodeInfo: {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      operatingSystem: process.platform,
      kernelVersion: release(),
      kubeletVersion: 'v1.35.0-ballast',
      containerRuntimeVersion: 'process://1',
      osImage: `embedded cluster on ${process.platform}`,
      machineID: '',
      systemUUID: '',
      bootID: '',
      kubeProxyVersion: '',
    },
  };
  const node: Node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': process.platform,
        'kubernetes.io/arch': status.nodeInfo.architecture,
        'node.kubernetes.io/instance-type': 'embedded',
      },
    },
  };
  try {
    await cache.create(resources.nodes, node);
  } catch (error) {
    if (failureReason(error) !== 'AlreadyExists') throw error;
  }
  await cache.patch(
    resources.nodes,
    { name },
    { status },
    { subresource: 'status', fieldManager: 'kubelet' },
  );

  let cancel: () => void = () => undefined;
  const beat = () => {
    cache
      .patch(
        resources.nodes,
        { name },
        { status: { conditions: conditions() } },
        { subresource: 'status', fieldManager: 'kubelet' },
      )
      .catch((error) => log(`node: heartbeat: ${failureText(error)}`));
    cancel = clock.setTimer(heartbeatMs, beat);
  };
  cancel = clock.setTimer(heartbeatMs, beat);
  return () => cancel();
}
