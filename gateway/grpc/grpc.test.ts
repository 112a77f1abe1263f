import { connect, constants, type ServerHttp2Stream } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { endsAfterEach } from '../../test/ends.ts';
import { ByteBudget } from '../queue/bytes.ts';
import { ask, type Rig, startRig, until } from '../testing/rig.ts';
import { answerWell, framed, startStubGrpcPod } from '../testing/stub-grpc-pod.ts';
import { GrpcSession } from './session.ts';

const { status } = grpc;
const { ends, closing } = endsAfterEach();
const rigOf = closing(startRig);
const podOf = closing(startStubGrpcPod);

interface Answer {
  readonly code: number;
  readonly details: string;
  readonly message: string;
  readonly metadata: Record<string, unknown>;
}
const clientOf = ({ port }: Rig) => {
  const client = new grpc.Client(`127.0.0.1:${port.port}`, grpc.credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
  });
  ends.push(() => client.close());
  const bytes = (value: Buffer) => value;
  return {
    client,
    call: (text = 'q', deadlineMs?: number, metadata = new grpc.Metadata(), method = 'ModelInfer') =>
      new Promise<Answer>((resolve) => {
        let headers = new grpc.Metadata();
        const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
        const path = `/inference.GRPCInferenceService/${method}`;
        client
          .makeUnaryRequest(path, bytes, bytes, Buffer.from(text), metadata, options, (error, answer) =>
            resolve({
              code: error?.code ?? 0,
              details: error?.details ?? '',
              message: answer?.toString() ?? '',
              metadata: { ...headers.getMap(), ...error?.metadata.getMap() },
            }),
          )
          .on('metadata', (received: grpc.Metadata) => {
            headers = received;
          });
      }),
    stream: () =>
      client.makeBidiStreamRequest('/inference.GRPCInferenceService/ModelStreamInfer', bytes, bytes),
  };
};

describe('an RPC', () => {
  test('goes to a pod and its answer comes back, metadata and all', async () => {
    const pod = await podOf();
    const rig = await rigOf({ a: [pod.address] });
    const metadata = new grpc.Metadata();
    metadata.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
    metadata.set('some-bin', Buffer.from([1, 2]));
    const answer = await clientOf(rig).call('question', 3_000, metadata);
    expect(answer).toMatchObject({ code: 0, message: 'fine', metadata: { 'x-mine': 'yes' } });
    expect(pod.got[0]?.body).toEqual(framed('question'));
    const { headers } = pod.got[0] as (typeof pod.got)[number];
    expect(headers).toMatchObject({
      ':path': '/inference.GRPCInferenceService/ModelInfer',
      te: 'trailers',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'some-bin': 'AQI=',
      'x-forwarded-for': '127.0.0.1',
    });
    const leftMs = Number(/^(\d+)m$/.exec(String(headers['grpc-timeout']))?.[1]);
    expect(leftMs).toBeGreaterThan(1_000);
    expect(leftMs).toBeLessThanOrEqual(3_000);
    await until('counted', () => rig.gate.load(rig.gate.nowMs()).counters.succeeded === 1);
    expect(rig.gate.load(rig.gate.nowMs()).counters.arrivals).toBe(1);
  });

  test('shares the port and the queue with HTTP/1.1', async () => {
    const pod = await podOf(() => undefined);
    const rig = await rigOf({ a: [pod.address] }, { timeoutMs: 400 });
    const call = clientOf(rig).call();
    await until('at the pod', () => pod.got.length === 1);
    const http = ask(rig.port.port);
    await until('it waits', () => rig.gate.waiting === 1);
    answerWell(pod.got[0] as (typeof pod.got)[number]);
    expect((await call).code).toBe(0);
    await http;
  });

  test('binds late: one at a time on a pod with one slot, though one connection carries them all', async () => {
    const pod = await podOf(() => undefined);
    const rig = await rigOf({ a: [pod.address] });
    const { call } = clientOf(rig);
    const calls = [call('1'), call('2'), call('3')];
    await until('two wait', () => rig.gate.waiting === 2 && pod.got.length === 1);
    for (let i = 0; i < 3; i += 1) {
      await until('the next', () => pod.got.length === i + 1);
      answerWell(pod.got[i] as (typeof pod.got)[number]);
    }
    expect((await Promise.all(calls)).map(({ code }) => code)).toEqual([0, 0, 0]);
  });

  test("carries the pod's own refusal back as it is", async () => {
    const pod = await podOf(({ stream }) =>
      stream.respond(
        {
          ':status': 200,
          'content-type': 'application/grpc',
          'grpc-status': '3',
          'grpc-message': 'no such input',
        },
        { endStream: true },
      ),
    );
    const rig = await rigOf({ a: [pod.address] });
    expect(await clientOf(rig).call()).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'no such input',
    });
    await until('counted', () => rig.gate.load(rig.gate.nowMs()).counters.clientErrors === 1);
  });

  test('that a pod does not answer ends at its deadline', async () => {
    const pod = await podOf(() => undefined);
    const rig = await rigOf({ a: [pod.address] }, { timeoutMs: 100 });
    expect(await clientOf(rig).call()).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await until('the pod hears of it', () => pod.got[0]?.stream.destroyed === true);
  });

  test('is refused with RESOURCE_EXHAUSTED, and told when to come again, where it would wait too long', async () => {
    const pod = await podOf(() => undefined);
    const rig = await rigOf({ a: [pod.address] }, { shedMs: 50, timeoutMs: 60_000 });
    for (const { service } of rig.gate.pools) service.observe(20);
    const { call } = clientOf(rig);
    void call();
    await until('at the pod', () => pod.got.length === 1);
    void call();
    await until('one waits', () => rig.gate.waiting === 1);
    expect(await call()).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      metadata: { 'retry-after': '1', 'grpc-retry-pushback-ms': '1000' },
    });
  });

  test('is UNAVAILABLE when its pod breaks off, and seen once', async () => {
    const pod = await podOf(({ stream }) => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    const rig = await rigOf({ a: [pod.address] });
    expect(await clientOf(rig).call()).toMatchObject({ code: status.UNAVAILABLE });
    expect(pod.got).toHaveLength(1);
  });

  test('is sent again when a pod refused it before it looked at it', async () => {
    const refuses = await podOf(undefined, (stream: ServerHttp2Stream) =>
      stream.close(constants.NGHTTP2_REFUSED_STREAM),
    );
    const well = await podOf();
    const rig = await rigOf({ a: [refuses.address, well.address] });
    const { call } = clientOf(rig);
    for (let i = 0; i < 3; i += 1) expect((await call()).code).toBe(0);
    expect(well.got).toHaveLength(3);
  });

  test('is sent again when its pod cannot be reached', async () => {
    const dead = await startStubGrpcPod();
    await dead.close();
    const well = await podOf();
    const rig = await rigOf({ a: [dead.address, well.address] });
    const { call } = clientOf(rig);
    for (let i = 0; i < 3; i += 1) expect((await call()).code).toBe(0);
  });

  test('finds a new connection when the old one ended', async () => {
    const pod = await podOf();
    const rig = await rigOf({ a: [pod.address] });
    const { call } = clientOf(rig);
    for (let i = 0; i < 3; i += 1) {
      expect((await call()).code).toBe(0);
      pod.reset();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  test('that its client cancels leaves nothing behind', async () => {
    const pod = await podOf(() => undefined);
    const rig = await rigOf({ a: [pod.address] });
    expect((await clientOf(rig).call('q', 500)).code).toBe(status.DEADLINE_EXCEEDED);
    await until('nothing is left', () => rig.gate.open === 0 && pod.got[0]?.stream.destroyed === true);
    expect(rig.gate.bytes.held).toBe(0);
  });

  test('of a megabyte and of ten comes whole', async () => {
    const pod = await podOf();
    const rig = await rigOf({ a: [pod.address] });
    const { call } = clientOf(rig);
    for (const size of [900_000, 10_000_000]) expect((await call('x'.repeat(size))).code).toBe(0);
    expect(pod.got.map(({ body }) => body.length)).toEqual([900_005, 10_000_005]);
  });

  test('that is not inference takes no slot and counts as no load', async () => {
    const pod = await podOf((rpc) => {
      if (rpc.headers[':path']?.endsWith('ServerReady')) answerWell(rpc);
    });
    const rig = await rigOf({ a: [pod.address] });
    const { call } = clientOf(rig);
    void call();
    await until('the slot is taken', () => pod.got.length === 1);
    expect((await call('', 2_000, undefined, 'ServerReady')).code).toBe(0);
    expect(rig.gate.recorder.counters.arrivals).toBe(1);
  });

  test('with more metadata than a pod takes is refused here: no pod looks sick for it', async () => {
    const pod = await podOf();
    const rig = await rigOf({ a: [pod.address] });
    const { call } = clientOf(rig);
    const metadata = new grpc.Metadata();
    for (let i = 0; i < 98; i += 1) metadata.set(`x-${i}`, 'v');
    expect((await call('q', 5_000, metadata)).code).not.toBe(0);
    expect(pod.got).toHaveLength(0);
    expect(rig.gate.load(rig.gate.nowMs()).revisions[0]).toMatchObject({ asidePods: 0 });
    expect((await call()).code).toBe(0);
  });

  test('for pods without a gRPC port is UNIMPLEMENTED, and no pod is left aside for it', async () => {
    const pod = await podOf();
    const rig = await rigOf({ a: [{ ...pod.address, grpc: undefined }] });
    expect((await clientOf(rig).call()).code).toBe(status.UNIMPLEMENTED);
    expect(rig.gate.load(rig.gate.nowMs()).revisions[0]).toMatchObject({ asidePods: 0, inFlight: 0 });
    expect(rig.gate.repeats).toBe(0);
  });

  test('goes over a new connection before the numbers of the old one are used up', async () => {
    const sessions = new Set<unknown>();
    const pod = await podOf(undefined, ({ session }) => void sessions.add(session));
    const session = new GrpcSession(pod.address.http, 2);
    ends.push(() => session.close());
    for (let i = 0; i < 5; i += 1) {
      const { stream } = session.request({ ':method': 'POST', ':path': '/x' });
      stream.resume();
      stream.end();
      await new Promise((resolve) => stream.once('close', resolve));
      expect(stream.rstCode).toBe(0);
    }
    expect(sessions.size).toBe(3);
  });

  test('whose answer nobody reads is kept up to a bound and then ended, and others get theirs', async () => {
    const pod = await podOf((rpc) => answerWell(rpc, rpc.body.length > 100 ? 'x'.repeat(500_000) : 'fine'));
    const rig = await rigOf(
      { a: [pod.address] },
      {},
      {},
      undefined,
      undefined,
      new ByteBudget(600_000, 300_000),
    );
    const session = connect(`http://127.0.0.1:${rig.port.port}`, { settings: { initialWindowSize: 0 } });
    ends.push(() => session.destroy());
    const ended: (number | undefined)[] = [];
    for (let i = 0; i < 12; i += 1) {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/inference.GRPCInferenceService/ModelInfer',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.on('error', () => undefined);
      stream.on('close', () => ended.push(stream.rstCode));
      stream.end(framed('q'.repeat(200)));
    }
    const isBounded = () => rig.gate.open === 4 && rig.gate.unread.held === 4 * 65_536;
    await until('the rest has ended', () => pod.got.length === 12 && isBounded());
    await until('they are told', () => ended.length === 8);
    expect(new Set(ended)).toEqual(new Set([constants.NGHTTP2_ENHANCE_YOUR_CALM]));
    expect((await clientOf(rig).call()).message).toBe('fine');
  });

  test('is held while the model sleeps', async () => {
    const pod = await podOf();
    const rig = await rigOf({ a: [] }, { wake: { maxHeld: 10 } });
    const answer = clientOf(rig).call();
    await until('it is held', () => rig.gate.held === 1);
    rig.gate.setPods('a', [pod.address]);
    expect((await answer).code).toBe(0);
  });
});

describe('a stream', () => {
  test('is bound to one pod, carries messages both ways and takes no slot', async () => {
    const pod = await podOf(
      ({ stream }) => stream.end(),
      (stream) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.on('data', (chunk: Buffer) => stream.write(chunk));
      },
    );
    const rig = await rigOf({ a: [pod.address] }, { timeoutMs: 50 });
    const stream = clientOf(rig).stream();
    const got: string[] = [];
    stream.on('data', (message: Buffer) => got.push(message.toString()));
    const ended = new Promise<grpc.StatusObject>((resolve) => stream.once('status', resolve));
    stream.on('error', () => undefined);
    for (const text of ['one', 'two', 'three']) {
      stream.write(Buffer.from(text));
      await until('it came back', () => got.at(-1) === text);
      // Longer than the timeout of a single question.
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    expect(rig.gate.recorder.inFlight).toBe(0);
    stream.end();
    expect((await ended).code).toBe(0);
    expect(got).toEqual(['one', 'two', 'three']);
  });
});

test('a preface that comes byte by byte is understood', async () => {
  const pod = await podOf();
  const rig = await rigOf({ a: [pod.address] });
  const { connect } = await import('node:net');
  const socket = connect(rig.port.port, '127.0.0.1');
  ends.push(() => socket.destroy());
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  const got = new Promise<Buffer>((resolve) => socket.once('data', resolve));
  for (const byte of Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings])) {
    socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  // A SETTINGS frame (type 4).
  expect((await got)[3]).toBe(4);
});

test('a client of a gateway that ends goes on with another, and loses no RPC', async () => {
  const pod = await podOf((rpc) => void setTimeout(() => answerWell(rpc), 2));
  const [first, second] = [await rigOf({ a: [pod.address] }), await rigOf({ a: [pod.address] })];
  for (const { gate } of [first, second])
    for (const { ready } of gate.pools) for (const one of ready) one.slots = 8;
  const target = `ipv4:127.0.0.1:${first.port.port},127.0.0.1:${second.port.port}`;
  const client = new grpc.Client(target, grpc.credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
  });
  ends.push(() => client.close());
  const bytes = (value: Buffer) => value;
  const codes: number[] = [];
  let isOver = false;
  const asks = Array.from({ length: 4 }, async () => {
    while (!isOver)
      await new Promise<void>((resolve) => {
        client.makeUnaryRequest(
          '/inference.GRPCInferenceService/ModelInfer',
          bytes,
          bytes,
          Buffer.from('q'),
          (error) => {
            codes.push(error?.code ?? 0);
            resolve();
          },
        );
      });
  });
  await until('it runs', () => codes.length > 50);
  first.port.stopListening();
  await until('the other has it', () => second.gate.recorder.counters.succeeded > 50);
  isOver = true;
  await Promise.all(asks);
  expect(codes.filter((code) => code !== 0)).toEqual([]);
  await until('its connections have ended', () => first.port.connections === 0);
});
