/** Rows about the gateway: HTTP and gRPC through real gateway containers, zero replicas and back, gateways that go. */
import * as grpc from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import type { GatewayLoadReport } from '../../../crds/gateway-load.ts';
import type { Deployment, Pod, Service } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resource.ts';
import { decode, encode } from '../../../protocol/grpc/testing/peer.ts';
import { until } from '../../until.ts';
import { type Bed, namespace, sampleFile } from './bed.ts';
import { expectGolden } from './golden.ts';
import { figuresText, lost, nothing, startLoad } from './load.ts';
import { smallPod, wine } from './rollouts.ts';

const name = 'held';
const idleAfter = '10s';
/** A first pod of a busy machine takes its time; nothing is said here about how long a request may wait. */
const timeout = '60s';
/** After a gateway lost its power, so to speak: by then kube-proxy leads nobody there any more. */
const forgivenSeconds = 15;

type PlacedPod = Pod & { readonly spec: { readonly nodeName?: string } };

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

/** Gateway pods that are not about to end. */
async function gatewayPods(bed: Bed): Promise<PlacedPod[]> {
  const labelSelector = 'app.kubernetes.io/component=gateway';
  const { items } = await bed.api.list<PlacedPod>(resources.pods, { namespace, labelSelector });
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

const isReady = ({ status }: Pod) =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;

const twoReady = (bed: Bed) =>
  until('two gateway pods are ready', async () => {
    const pods = (await gatewayPods(bed)).filter(isReady);
    return pods.length === 2 && pods;
  });

/** Waits until the Service leads to the gateway, as kube-proxy on the host's side knows it too. */
async function throughGateway(bed: Bed): Promise<void> {
  await until('the path is Gateway', async () => {
    const traffic = (await bed.read(name)).status?.traffic;
    if (traffic?.path === 'Gateway') return true;
    throw new Error(traffic?.message);
  });
  const before = await carried(bed);
  await until('a request has come through a gateway', async () => {
    await bed.infer(name, sampleFile('wine', 'golden/request.json'));
    return (await carried(bed)) > before;
  });
}

/** Requests of the model that its gateways answered well. */
async function carried(bed: Bed): Promise<number> {
  const counts = (await gatewayPods(bed)).filter(isReady).map(async ({ status }) => {
    const answer = await request(`http://${status?.podIP}:8081/load`);
    const { models } = (await answer.body.json()) as GatewayLoadReport;
    return models.find(({ model }) => model === name)?.counters.succeeded ?? 0;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** ModelInfer of the sample wine, through the Service's port 9000. */
async function inferByGrpc(bed: Bed): Promise<Record<string, unknown>> {
  const { spec } = await bed.api.get<Service>(resources.services, { namespace, name });
  const client = new grpc.Client(`${spec.clusterIP}:9000`, grpc.credentials.createInsecure());
  const { inputs } = JSON.parse(sampleFile('wine', 'golden/request.json')) as {
    inputs: { data: number[] }[];
  };
  const message = encode('ModelInferRequest', {
    model_name: name,
    inputs: inputs.map(({ data, ...input }) => ({ ...input, contents: { fp32_contents: data } })),
  });
  try {
    const answer = await new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(
        '/inference.GRPCInferenceService/ModelInfer',
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        message,
        new grpc.Metadata(),
        { deadline: Date.now() + 10_000 },
        (error, bytes) => (bytes === undefined ? reject(error) : resolve(bytes)),
      );
    });
    return decode('ModelInferResponse', answer);
  } finally {
    client.close();
  }
}

async function replicasOf(bed: Bed): Promise<number> {
  const revision = (await bed.read(name)).status?.stable?.revision;
  const ref = { namespace, name: `${name}-${revision}` };
  return (await bed.api.get<Deployment>(resources.deployments, ref)).spec.replicas ?? 1;
}

/** Ends a gateway's process as a crash does. */
async function kill(bed: Bed, { spec, status }: PlacedPod): Promise<void> {
  const [container] = (status?.containerStatuses ?? []) as readonly { containerID?: string }[];
  const id = container?.containerID?.replace('containerd://', '') ?? '';
  await bed.cluster.nodes
    .find((node) => node.name === spec.nodeName)
    ?.ctr('tasks', 'kill', '-s', 'SIGKILL', id);
}

/** Rows of this file. */
export function gatewayRows(bed: Bed): void {
  describe('the gateway', () => {
    test('answers HTTP and gRPC; a model sleeps, and wakes without a lost request; gateways come and go', async () => {
      const startMs = Date.now();
      await bed.model(name, {
        model: wine,
        runtime: smallPod,
        traffic: { path: 'Gateway', timeout },
        scaling: { scaleToZero: { idleAfter } },
      });
      await bed.untilReady(name);
      await throughGateway(bed);
      const pods = await twoReady(bed);
      bed.say(
        `a model with traffic.path Gateway, to the first request through it: ${seconds(Date.now() - startMs)}`,
      );
      expect(pods.map(({ spec }) => spec.nodeName).sort()).toEqual(
        bed.cluster.nodes.map((node) => node.name),
      );
      const answer = await bed.infer(name, sampleFile('wine', 'golden/request.json'));
      expect(answer.status).toBe(200);
      expectGolden('wine', JSON.parse(answer.text));
      const before = await carried(bed);
      const told = await inferByGrpc(bed);
      expect(told).toMatchObject({
        model_name: name,
        outputs: [
          { name: 'label', contents: { int64_contents: ['0', '1', '2'] } },
          { name: 'probabilities' },
        ],
      });
      expect(await carried(bed)).toBeGreaterThan(before);

      const idleMs = Date.now();
      await until('no replica is asked for', async () => (await replicasOf(bed)) === 0);
      await until('its pods are gone', async () => (await bed.podsOf(name)).length === 0);
      bed.say(`asleep ${seconds(Date.now() - idleMs)} after the last request (idleAfter ${idleAfter})`);

      const url = `${await bed.urlOf(name)}/infer`;
      const body = sampleFile('wine', 'golden/request.json');
      const load = startLoad({ url, body, requestsPerSecond: 20, timeoutMs: 60_000 });
      await load.succeed(1);
      const firstMs = load.now();
      const waited = load.sent;
      await load.succeed(waited + 40);
      const woken = await load.stop();
      bed.say(
        `woken by 20 requests/s: first answer after ${seconds(firstMs)}, ${waited} sent by then; ${figuresText(woken)}`,
      );
      expect(lost(woken)).toEqual(nothing);
      expect(await replicasOf(bed)).toBe(1);

      const rate = { model: name, sample: 'wine', requestsPerSecond: 20 };
      const { figures: deleted } = await bed.during('a gateway pod deleted', rate, async (running) => {
        await running.succeed(20);
        const [first] = await twoReady(bed);
        await bed.kubectl('delete', 'pod', '-n', namespace, first?.metadata.name ?? '');
        await twoReady(bed);
      });
      expect(lost(deleted)).toEqual(nothing);

      const { result: killedMs, figures: killed } = await bed.during(
        'a gateway killed (SIGKILL)',
        { ...rate, timeoutMs: 3_000 },
        async (running) => {
          await running.succeed(20);
          const [first] = await twoReady(bed);
          const atMs = running.now();
          if (first !== undefined) await kill(bed, first);
          await until('it is seen', async () => (await gatewayPods(bed)).some(restarted));
          await twoReady(bed);
          return atMs;
        },
      );
      const late = killed.failures.map(({ atMs }) => (atMs - killedMs) / 1_000);
      bed.say(
        `${late.length} of ${killed.sent} requests lost to it, the last sent ${Math.max(0, ...late).toFixed(1)} s after`,
      );
      // Those that were sent just before are in it.
      expect(late.filter((after) => after < -3.1 || after > forgivenSeconds)).toEqual([]);
    });
  });
}

const restarted = ({ status }: Pod) =>
  (status?.containerStatuses ?? []).some(({ restartCount }) => (restartCount ?? 0) > 0);
