/** gRPC of a really running pod, by grpc-js: codes, deadlines, cancellation, limits, streams. */
import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decode, encode } from '../../protocol/grpc/testing/peer.ts';
import { loopOnDemand, twoInputs } from '../testing/models.ts';
import { serveModel, type TestPod, until } from '../testing/pod.ts';
import { connectGrpc, type GrpcClient } from './testing/client.ts';

const { status } = grpc;
const maxBytes = 65_536;
let pod: TestPod;
let client: GrpcClient;
let slow: TestPod;
let slowClient: GrpcClient;
beforeAll(async () => {
  const env = { BALLAST_MODEL_VERSION: 'v10', BALLAST_MAX_BODY_BYTES: String(maxBytes) };
  [pod, slow] = await Promise.all([serveModel(twoInputs(), { env }), serveModel(loopOnDemand())]);
  client = connectGrpc(pod.pod.grpcPort);
  slowClient = connectGrpc(slow.pod.grpcPort);
});
afterAll(async () => {
  client.close();
  slowClient.close();
  await Promise.all([pod.stop(), slow.stop()]);
});

const fp32 = (name: string, values: number[]) => ({
  name,
  datatype: 'FP32',
  shape: [values.length / 2, 2],
  contents: { fp32_contents: values },
});
const n = { name: 'n', datatype: 'INT32', shape: [1, 1], contents: { int_contents: [7] } };
const good = { model_name: 'm', inputs: [fp32('a', [1, 2]), fp32('b', [10, 20]), n] };
const sum = { name: 'sum', datatype: 'FP32', shape: ['1', '2'], contents: { fp32_contents: [11, 22] } };
const count = { name: 'count', datatype: 'INT32', shape: ['1', '1'], contents: { int_contents: [7] } };

describe('ModelInfer', () => {
  test('answers in the form of the request, with its id and its own headers', async () => {
    const metadata = new grpc.Metadata();
    metadata.set('x-request-id', 'r-7');
    metadata.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
    const { code, message, headers } = await client.call('ModelInfer', { ...good, id: 'é' }, {}, metadata);
    expect(code).toBe(status.OK);
    expect(message).toEqual({ model_name: 'm', model_version: 'v10', id: 'é', outputs: [sum, count] });
    expect(headers.get('x-request-id')).toEqual(['r-7']);
    expect(headers.get('traceresponse')).toEqual([
      expect.stringMatching(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/),
    ]);
  });

  test.each<[string, object | Buffer, number, string]>([
    ['an unknown model', { ...good, model_name: 'x' }, status.NOT_FOUND, "unknown model: 'x'"],
    ['an unknown version', { ...good, model_version: '1' }, status.NOT_FOUND, 'version 1 is not found'],
    ['a missing input', { ...good, inputs: [n] }, status.INVALID_ARGUMENT, 'missing required input'],
    ['garbage', Buffer.from('ff', 'hex'), status.INVALID_ARGUMENT, 'failed to parse the request message'],
    ['nothing', Buffer.alloc(0), status.NOT_FOUND, 'unknown model'],
    [
      'shared memory',
      { ...good, outputs: [{ name: 'sum', parameters: { shared_memory_region: { string_param: 'r' } } }] },
      status.UNIMPLEMENTED,
      'shared memory',
    ],
    [
      'what the model fails at',
      { ...good, inputs: [fp32('a', [1, 2, 3, 4]), fp32('b', [10, 20, 3, 4, 5, 6]), n] },
      status.INTERNAL,
      'the model failed',
    ],
    [
      'a message that is too large',
      Buffer.alloc(maxBytes + 1),
      status.RESOURCE_EXHAUSTED,
      `larger than ${maxBytes} bytes`,
    ],
  ])('%s', async (_name, request, code, words) => {
    const answer = await client.call('ModelInfer', request);
    expect(answer.code).toBe(code);
    expect(answer.details).toContain(words);
  });

  test('a compressed message is answered compressed, a bomb is refused', async () => {
    const big = Array.from({ length: 2000 }, (_, i) => i);
    const ns = {
      name: 'n',
      datatype: 'INT32',
      shape: [1000, 1],
      contents: { int_contents: big.slice(0, 1000) },
    };
    const request = { model_name: 'm', inputs: [fp32('a', big), fp32('b', big), ns] };
    const packing = connectGrpc(pod.pod.grpcPort, { 'grpc.default_compression_algorithm': 2 });
    const answer = await packing.call('ModelInfer', request);
    packing.close();
    expect(answer.code).toBe(status.OK);
    expect((answer.message.outputs as { contents: object }[])[0]?.contents).toEqual({
      fp32_contents: big.map((value) => 2 * value),
    });
    const packed = gzipSync(encode('ModelInferRequest', request));
    const accepts = { 'grpc-encoding': 'gzip', 'grpc-accept-encoding': 'identity,gzip' };
    expect(await raw([frame(packed, 1)], accepts)).toMatchObject({ code: status.OK, encoding: 'gzip' });
    const bomb = gzipSync(Buffer.alloc(20_000_000));
    const refused = await raw([frame(bomb, 1)], { 'grpc-encoding': 'gzip' });
    expect(refused).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringContaining('unpacked'),
    });
  });
});

/** One RPC, its frames written by hand. */
const raw = async (
  chunks: Buffer[],
  headers: Record<string, string> = {},
  path = '/inference.GRPCInferenceService/ModelInfer',
) => {
  const session = connectHttp2(`http://127.0.0.1:${pod.pod.grpcPort}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const got: Record<string, unknown> = {};
  stream.on('response', (received) => Object.assign(got, received));
  stream.on('trailers', (received) => Object.assign(got, received));
  stream.resume();
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await new Promise((resolve) => stream.once('close', resolve));
  session.close();
  return {
    http: got[':status'],
    encoding: got['grpc-encoding'],
    code: got['grpc-status'] === undefined ? undefined : Number(got['grpc-status']),
    details: decodeURIComponent(String(got['grpc-message'] ?? '')),
  };
};
const frame = (message: Buffer, flag = 0) => {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};
const request = encode('ModelInferRequest', good);

describe('what is no proper call', () => {
  test.each<[string, Buffer[], Record<string, string>, object]>([
    ['no message', [], {}, { code: status.INVALID_ARGUMENT, details: 'no message came' }],
    [
      'two messages',
      [frame(request), frame(request)],
      {},
      { code: status.INVALID_ARGUMENT, details: 'more than one message came' },
    ],
    [
      'half a message',
      [frame(request).subarray(0, 20)],
      {},
      { code: status.INVALID_ARGUMENT, details: 'the last message is not whole' },
    ],
    [
      'half a prefix',
      [Buffer.alloc(3)],
      {},
      { code: status.INVALID_ARGUMENT, details: 'the last message is not whole' },
    ],
    ['compressed without saying how', [frame(request, 1)], {}, { code: status.INVALID_ARGUMENT }],
    ['an unknown encoding', [frame(request, 1)], { 'grpc-encoding': 'zstd' }, { code: status.UNIMPLEMENTED }],
    ['bad gzip', [frame(request, 1)], { 'grpc-encoding': 'gzip' }, { code: status.INVALID_ARGUMENT }],
    ['a content type of something else', [frame(request)], { 'content-type': 'text/plain' }, { http: 415 }],
    [
      'a message in single bytes',
      [...frame(request)].map((byte) => Buffer.of(byte)),
      {},
      { code: status.OK },
    ],
  ])('%s', async (_name, chunks, headers, want) => {
    expect(await raw(chunks, headers)).toMatchObject(want);
  });

  test('an unknown method, in words that may hold anything', async () => {
    const answer = await raw([frame(request)], {}, '/inference.GRPCInferenceService/N%C3%B6');
    expect(answer).toMatchObject({ code: status.UNIMPLEMENTED });
  });

  test('bytes that are no HTTP/2 end that connection alone', async () => {
    const socket = connect(pod.pod.grpcPort, '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\n\r\n'.repeat(50)),
    );
    socket.resume().on('error', () => undefined);
    await new Promise((resolve) => socket.once('close', resolve));
    expect((await client.call('ModelInfer', good)).code).toBe(status.OK);
  });
});

test('health, metadata and statistics', async () => {
  expect((await client.call('ServerLive', {})).message).toEqual({ live: true });
  expect((await client.call('ServerReady', {})).message).toEqual({ ready: true });
  expect((await client.call('ModelReady', { name: 'm' })).message).toEqual({ ready: true });
  expect((await client.call('ModelReady', { name: 'x' })).message).toEqual({});
  expect((await client.call('ModelMetadata', { name: 'm', version: 'v10' })).message).toEqual({
    name: 'm',
    versions: ['v10'],
    platform: 'onnx_onnxv1',
    inputs: [
      { name: 'a', datatype: 'FP32', shape: ['-1', '2'] },
      { name: 'b', datatype: 'FP32', shape: ['-1', '2'] },
      { name: 'n', datatype: 'INT32', shape: ['-1', '1'] },
    ],
    outputs: [
      { name: 'sum', datatype: 'FP32', shape: ['-1', '2'] },
      { name: 'count', datatype: 'INT32', shape: ['-1', '1'] },
    ],
  });
  const { message } = await client.call('ModelStatistics', {});
  expect(message.model_stats).toMatchObject([{ name: 'm', version: 'v10' }]);
  for (const method of ['RepositoryIndex', 'RepositoryModelLoad', 'RepositoryModelUnload'])
    expect((await client.call(method, {})).code).toBe(status.UNIMPLEMENTED);
});

test('a stream answers in order, names what failed, and goes on', async () => {
  const stream = client.stream();
  const answers: Record<string, unknown>[] = [];
  stream.on('data', (message: Buffer) => answers.push(decode('ModelStreamInferResponse', message)));
  const ended = new Promise<grpc.StatusObject>((resolve) => stream.once('status', resolve));
  for (let i = 0; i < 100; i += 1)
    stream.write(
      encode('ModelInferRequest', { ...good, id: String(i), ...(i === 40 ? { inputs: [] } : {}) }),
    );
  stream.write(Buffer.from('ff', 'hex'));
  stream.end();
  expect((await ended).code).toBe(status.OK);
  expect(answers.map((answer) => (answer.infer_response as { id?: string } | undefined)?.id)).toEqual([
    ...Array.from({ length: 100 }, (_, i) => String(i)),
    undefined,
  ]);
  expect(
    answers.map((answer, i) => (answer.error_message === undefined ? -1 : i)).filter((i) => i >= 0),
  ).toEqual([40, 100]);
});

describe('time', () => {
  const trips = (number: number) => ({
    model_name: 'm',
    inputs: [{ name: 'trips', datatype: 'INT64', shape: [], contents: { int64_contents: [number] } }],
  });
  const inFlight = async () => (await slow.load()).inFlight;

  test('a deadline of the client is kept, and counts as late', async () => {
    const answer = await slowClient.call('ModelInfer', trips(2_000_000), { deadline: Date.now() + 60 });
    expect(answer.code).toBe(status.DEADLINE_EXCEEDED);
    await until(async () => (await inFlight()) === 0);
  });

  test('what a client cancels leaves the queue without being run', async () => {
    const calls = Array.from({ length: 4 }, () => {
      const call = slowClient.client.makeUnaryRequest(
        '/inference.GRPCInferenceService/ModelInfer',
        (value: Buffer) => value,
        (value: Buffer) => value,
        encode('ModelInferRequest', trips(1_000_000)),
        () => undefined,
      );
      return call;
    });
    await until(async () => (await inFlight()) > 0);
    for (const call of calls) call.cancel();
    await until(async () => (await inFlight()) === 0);
  });

  test('a client that sends nothing holds nothing up', async () => {
    const session = connectHttp2(`http://127.0.0.1:${pod.pod.grpcPort}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/inference.GRPCInferenceService/ModelInfer',
      'content-type': 'application/grpc',
    });
    stream.on('error', () => undefined);
    stream.write(Buffer.alloc(2));
    expect((await client.call('ModelInfer', good)).code).toBe(status.OK);
    stream.close(constants.NGHTTP2_CANCEL);
    session.close();
  });
});

test('a pod that ends answers what it has, tells watchers and streams, and takes no more', async () => {
  const ending = await serveModel(twoInputs());
  const caller = connectGrpc(ending.pod.grpcPort);
  expect((await caller.call('ModelInfer', good)).code).toBe(status.OK);
  const stream = caller.stream();
  stream.on('error', () => undefined);
  const answered = new Promise<Buffer>((resolve) => stream.once('data', resolve));
  stream.write(encode('ModelInferRequest', { ...good, id: 'kept open' }));
  await answered;
  const streamEnd = new Promise<grpc.StatusObject>((resolve) => stream.once('status', resolve));
  const watch = caller.client.makeServerStreamRequest(
    '/grpc.health.v1.Health/Watch',
    (value: Buffer) => value,
    (value: Buffer) => value.toString('hex'),
    Buffer.alloc(0),
  );
  const states: string[] = [];
  watch.on('error', () => undefined);
  watch.on('data', (state: string) => states.push(state));
  const watchEnd = new Promise<grpc.StatusObject>((resolve) => watch.once('status', resolve));
  await until(() => states.length === 1);
  await ending.stop();
  expect((await streamEnd).code).toBe(status.UNAVAILABLE);
  expect((await watchEnd).code).toBe(status.UNAVAILABLE);
  expect(states).toEqual(['0801', '0802']);
  expect((await caller.call('ServerLive', {}, { deadline: Date.now() + 2000 })).code).toBe(
    status.UNAVAILABLE,
  );
  caller.close();
});
