/** The gateway in front of really running pods: REST, binary tensors, gRPC, streams, learned slots, deadlines. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectGrpc, type GrpcClient } from '../inference-pod/grpc/testing/client.ts';
import { loopOnDemand, twoInputs } from '../inference-pod/testing/models.ts';
import { serveModel, type TestPod } from '../inference-pod/testing/pod.ts';
import { decode, encode } from '../protocol/grpc/testing/peer.ts';
import type { PodAddress } from './balance/address.ts';
import { SlotLearner } from './balance/learn-slots.ts';
import { slotsOf } from './balance/slots.ts';
import { ask, type Rig, startRig, until } from './testing/rig.ts';

let pods: TestPod[];
let slow: TestPod;
let rig: Rig;
let slowRig: Rig;
let client: GrpcClient;

const addressOf = ({ pod }: TestPod, name: string): PodAddress => {
  const at = (port: number) => ({ host: '127.0.0.1', port });
  return {
    key: name,
    name,
    http: at(pod.httpPort),
    grpc: at(pod.grpcPort),
    ops: at(pod.opsPort),
    ready: true,
  };
};

beforeAll(async () => {
  [pods, slow] = await Promise.all([
    Promise.all([serveModel(twoInputs()), serveModel(twoInputs())]),
    serveModel(loopOnDemand()),
  ]);
  rig = await startRig({ a: pods.map((pod, i) => addressOf(pod, `pod-${i}`)) });
  slowRig = await startRig({ a: [addressOf(slow, 'slow')] });
  client = connectGrpc(rig.port.port);
});
afterAll(async () => {
  client.close();
  rig.close();
  slowRig.close();
  await Promise.all([...pods, slow].map((pod) => pod.stop()));
});

const rest = {
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [1, 2], data: [1, 2] },
    { name: 'b', datatype: 'FP32', shape: [1, 2], data: [10, 20] },
    { name: 'n', datatype: 'INT32', shape: [1, 1], data: [7] },
  ],
};
const fp32 = (name: string, values: number[]) => ({
  name,
  datatype: 'FP32',
  shape: [1, 2],
  contents: { fp32_contents: values },
});
const message = {
  model_name: 'm',
  inputs: [
    fp32('a', [1, 2]),
    fp32('b', [10, 20]),
    { name: 'n', datatype: 'INT32', shape: [1, 1], contents: { int_contents: [7] } },
  ],
};

describe('REST', () => {
  test('answers as the pod does, from both pods', async () => {
    const direct = await (pods[0] as TestPod).infer(rest);
    for (let i = 0; i < 10; i += 1) {
      const answer = await ask(rig.port.port, { body: JSON.stringify(rest) });
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body)).toEqual(direct.body);
    }
    const loads = await Promise.all(pods.map((pod) => pod.load()));
    for (const { counters } of loads) expect(counters.succeeded).toBeGreaterThan(3);
  });

  test("carries the pod's own refusals and its metadata", async () => {
    const wrong = await ask(rig.port.port, { body: '{"inputs":[]}' });
    expect(wrong.status).toBe(400);
    expect(wrong.body).toContain('missing required input');
    const metadata = await ask(rig.port.port, { method: 'GET', path: '/v2/models/m' });
    expect(JSON.parse(metadata.body)).toMatchObject({ name: 'm' });
    expect((await ask(rig.port.port, { method: 'GET', path: '/v2/health/ready' })).status).toBe(200);
  });

  test("a run that is too long for its caller: the pod's 504 or the gateway's, and the pod is well", async () => {
    const trips = (count: number) =>
      JSON.stringify({ inputs: [{ name: 'trips', datatype: 'INT64', shape: [], data: [count] }] });
    const answer = await ask(slowRig.port.port, {
      body: trips(300_000),
      headers: { 'ballast-deadline-ms': '30' },
    });
    expect(answer.status).toBe(504);
    expect((await ask(slowRig.port.port, { body: trips(1) })).status).toBe(200);
  });
});

describe('gRPC', () => {
  test('answers as the pod does', async () => {
    const answer = await client.call('ModelInfer', message);
    expect(answer).toMatchObject({ code: 0, message: { model_name: 'm' } });
    expect(await client.call('ModelReady', { name: 'm' })).toMatchObject({
      code: 0,
      message: { ready: true },
    });
    expect((await client.call('ModelInfer', { ...message, model_name: 'x' })).code).toBe(5);
  });

  test('streams', async () => {
    const stream = client.stream();
    const got: unknown[] = [];
    stream.on('data', (bytes: Buffer) => got.push(decode('ModelStreamInferResponse', bytes)));
    stream.on('error', () => undefined);
    const ended = new Promise<{ code: number }>((resolve) => stream.once('status', resolve));
    for (let i = 0; i < 3; i += 1) stream.write(Buffer.from(encode('ModelInferRequest', message)));
    await until('all are answered', () => got.length === 3);
    stream.end();
    expect((await ended).code).toBe(0);
  });
});

test('learns from a pod how many requests to keep it busy with', async () => {
  const all = () => rig.gate.pools.flatMap(({ ready }) => ready);
  const said = async () =>
    (await Promise.all(pods.map((pod) => pod.load()))).map((load) => slotsOf(JSON.stringify(load))?.slots);
  for (const pod of all()) pod.slots = 77;
  const before = await said();
  const learner = new SlotLearner(all, () => undefined);
  learner.look();
  await until('both are asked', () => all().every(({ slots }) => slots !== 77));
  // How large a batch is worth its while a pod learns anew now and then.
  const after = await said();
  for (const [i, { slots }] of all().entries()) expect([before[i], after[i]]).toContain(slots);
});
