/** Pretends to be the node of a control plane without nodes: binds pods, says that they run, lets them end. */
import { createHash } from 'node:crypto';
import type { Body } from '../conformance/support/client.ts';
import type { Cluster } from '../conformance/support/cluster.ts';

export interface KubeletChoices {
  /** Images that cannot be pulled: their pods say so. */
  readonly isMissing?: (image: string) => boolean;
  /** While it says so, no pod becomes ready. */
  readonly holds?: () => boolean;
}

export interface RunningKubelet {
  readonly node: string;
  /** Looks at every pod again, after `holds` changed. */
  lookAgain(): Promise<void>;
  stop(): void;
}

/** Starts it for the namespace of the tests; `stop` ends its watch. */
export async function runKubelet(api: Cluster, choices: KubeletChoices = {}): Promise<RunningKubelet> {
  const node = api.unique('node');
  await api.post('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: node } });
  api.cleanUp(`/api/v1/nodes/${node}`);
  let count = 0;
  let stopped = false;
  const watch = await api.watch(api.path('pods'));

  const look = async (pod: Body) => {
    const path = api.path('pods', pod.metadata.name);
    if (pod.metadata.deletionTimestamp !== undefined) {
      await api.delete(path, { gracePeriodSeconds: 0 });
      return;
    }
    if (pod.spec.nodeName === undefined) {
      const target = { kind: 'Node', name: node };
      await api.post(`${path}/binding`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: pod.metadata,
        target,
      });
      return;
    }
    const phase = (pod.status as { phase?: string } | undefined)?.phase;
    if (phase !== 'Pending' || choices.holds?.() === true) return;
    const images = (pod.spec.containers as readonly Container[]).map(({ image }) => image);
    const missing = images.some((image) => choices.isMissing?.(image) === true);
    if (missing && JSON.stringify(pod.status).includes('ImagePullBackOff')) return;
    const status = missing ? pulling(pod) : running(pod, ++count);
    await api.strategicPatch(`${path}/status`, { status });
  };

  const follow = async () => {
    for (;;) {
      const event = await watch.next(600_000);
      if (event === undefined || stopped) return;
      if (event.type === 'ADDED' || event.type === 'MODIFIED') await look(event.object);
    }
  };
  void follow().catch((error: Error) => {
    if (!stopped) console.error(`the tests' kubelet: ${error.message}`);
  });
  return {
    node,
    async lookAgain() {
      for (const pod of (await api.get(api.path('pods'))).body.items) await look(pod);
    },
    stop() {
      stopped = true;
      watch.close();
    },
  };
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly { name: string; value?: string }[];
}

/** Status of a pod whose images are not there. */
function pulling(pod: Body): Record<string, unknown> {
  const containers = [...((pod.spec.initContainers ?? []) as readonly Container[])];
  const waits = (list: readonly Container[]) =>
    list.map(({ name, image }) => ({
      name,
      image,
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"` } },
    }));
  return containers.length > 0
    ? { initContainerStatuses: waits(containers) }
    : { containerStatuses: waits(pod.spec.containers as readonly Container[]) };
}

/** Status of a pod whose init containers have done their work and whose containers are ready. */
function running(pod: Body, count: number): Record<string, unknown> {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const podIP = `10.201.${Math.floor(count / 250)}.${(count % 250) + 1}`;
  const inits = (pod.spec.initContainers ?? []) as readonly Container[];
  const containers = pod.spec.containers as readonly Container[];
  const base = ({ name, image }: Container) => ({
    name,
    image,
    imageID: '',
    containerID: `test://${name}`,
    restartCount: 0,
  });
  const fetched = (container: Container) => {
    const uri = container.env?.find((one) => one.name === 'BALLAST_MODEL_URI')?.value ?? '';
    return JSON.stringify({ uri, sha256: createHash('sha256').update(uri).digest('hex'), bytes: 1 });
  };
  return {
    phase: 'Running',
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: now,
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime: now,
    })),
    initContainerStatuses: inits.map((one) => ({
      ...base(one),
      ready: true,
      started: false,
      state: {
        terminated: {
          exitCode: 0,
          reason: 'Completed',
          startedAt: now,
          finishedAt: now,
          message: fetched(one),
        },
      },
    })),
    containerStatuses: containers.map((one) => ({
      ...base(one),
      ready: true,
      started: true,
      state: { running: { startedAt: now } },
    })),
  };
}
