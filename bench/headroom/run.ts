/** One ramp on a cluster that Karpenter grows: the nodes, the scheduler, Karpenter and the operator are real, the load is not. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Pod } from '../../kube/objects.ts';
import { type Bed, isReady, priceLabel } from '../../test/kube/grow/bed.ts';
import { scriptLoad } from '../../test/kube/grow/scripted-load.ts';
import { until } from '../../test/until.ts';
import { createRandom, lateShare, type PodQueues } from './queue.ts';

export interface Ramp {
  /** Requests per second at its beginning and its end. */
  readonly from: number;
  readonly to: number;
  /** How long it rises, and how long it stays there, seconds. */
  readonly riseSeconds: number;
  readonly staySeconds: number;
  /** How late a node that Karpenter buys is there. */
  readonly nodeDelay: string;
}

export interface RampResult {
  /** Seconds in which more than 5 % of the requests took longer than the promised 50 ms. */
  readonly violatedSeconds: number;
  /** Of all requests, those that did. */
  readonly lateShare: number;
  readonly nodeHours: number;
  readonly cpuHours: number;
  readonly price: number;
  readonly mostReplicas: number;
  /** Of the pods that came during the ramp, seconds from creation to a node, and from there to ready. */
  readonly nodeWaits: readonly number[];
  readonly podStarts: readonly number[];
  /** What status said of the room before the ramp. */
  readonly room: string;
}

/** Mean time of a request in the made-up load, `scripted-load.ts`. */
const serviceSeconds = 0.012;
const targetSeconds = 0.05;

const at = (pod: Pod, type: string) =>
  Date.parse(
    pod.status?.conditions?.find((one) => one.type === type && one.status === 'True')?.lastTransitionTime ??
      '',
  );

/** Runs it for a model of its own; `headroom` as in the spec. */
export async function ramp(
  bed: Bed,
  name: string,
  headroom: Record<string, unknown> | undefined,
  { from, to, riseSeconds, staySeconds, nodeDelay }: Ramp,
): Promise<RampResult> {
  await bed.nodeDelay(undefined);
  await bed.model(name, {
    model: { uri: 'file:///samples/wine/model.onnx' },
    runtime: { resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '1Gi' } } },
    sla: { latency: { p95: '50ms' }, window: '1m' },
    // Requests are shared at random below, as a Service does it.
    traffic: { path: 'Direct' },
    scaling: {
      minReplicas: 2,
      maxReplicas: 40,
      ...(headroom === undefined ? {} : { headroom }),
    },
  });
  await bed.untilReady(name, 120_000);
  const load = scriptLoad(from, () => bed.podsOf(name));
  const random = createRandom(7);
  const queues: PodQueues = { freeAt: new Map() };
  try {
    // Steady load for a while: the forecast and the room settle.
    await delay(45_000);
    const room = await until(
      'the room is in place',
      async () => {
        const kept = (await bed.read(name)).status?.scaling?.headroom;
        if (headroom === undefined) return 'none';
        return kept !== undefined && kept.inPlace === kept.replicas
          ? `${kept.form} for ${kept.replicas} (${kept.message})`
          : undefined;
      },
      120_000,
    );
    const before = new Set((await bed.podsOf(name)).map(({ metadata }) => metadata.uid));
    await bed.nodeDelay(nodeDelay);
    const startMs = Date.now();
    const seen = new Map<string | undefined, Pod>();
    let [violatedSeconds, late, requests] = [0, 0, 0];
    let [nodeSeconds, cpuSeconds, price, mostReplicas] = [0, 0, 0, 0];
    for (let second = 0; second < riseSeconds + staySeconds; second++) {
      await delay(Math.max(0, startMs + second * 1_000 - Date.now()));
      load.rate = from + (to - from) * Math.min(1, second / riseSeconds);
      const [pods, nodes] = await Promise.all([bed.podsOf(name), bed.nodes()]);
      const ready = pods.filter(isReady).map(({ metadata }) => metadata.name ?? '');
      for (const pod of pods) if (!before.has(pod.metadata.uid)) seen.set(pod.metadata.uid, pod);
      mostReplicas = Math.max(mostReplicas, ready.length);
      const count = Math.round(load.rate);
      const share = lateShare(queues, ready, count, second, { serviceSeconds, targetSeconds }, random);
      if (share > 0.05) violatedSeconds += 1;
      late += share * count;
      requests += count;
      for (const { metadata } of nodes) {
        nodeSeconds += 1;
        cpuSeconds += Number(metadata.labels?.['node.kubernetes.io/instance-type']?.slice(4) ?? 0);
        price += Number(metadata.labels?.[priceLabel] ?? 0) / 3_600;
      }
    }
    const came = [...seen.values()].filter(isReady);
    const since = (pod: Pod) => Date.parse(pod.metadata.creationTimestamp ?? '');
    return {
      violatedSeconds,
      lateShare: late / requests,
      nodeHours: nodeSeconds / 3_600,
      cpuHours: cpuSeconds / 3_600,
      price,
      mostReplicas,
      nodeWaits: came.map((pod) => (at(pod, 'PodScheduled') - since(pod)) / 1_000),
      podStarts: came.map((pod) => (at(pod, 'Ready') - at(pod, 'PodScheduled')) / 1_000),
      room,
    };
  } finally {
    load.stop();
    await bed.remove(name);
    await until('its nodes are gone', async () => (await bed.nodes()).length === 0, 300_000);
  }
}
