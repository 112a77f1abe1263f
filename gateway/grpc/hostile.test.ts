/** gRPC with pods and clients that mean harm: each costs its own call, and the gateway goes on. */
import { type OutgoingHttpHeaders, sensitiveHeaders } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import type { GatewayOutcomes } from '../../crds/gateway-load.ts';
import { endsAfterEach } from '../../test/ends.ts';
import { portOf } from '../model-port.ts';
import { call, data, good, head, message, question, sessionsIn } from '../testing/grpc-call.ts';
import {
  endHeaders,
  endStream,
  frame,
  headerBlock,
  startRawGrpcPod,
  types,
} from '../testing/raw-grpc-pod.ts';
import { ask, startRig, until } from '../testing/rig.ts';
import { answerWell, startStubGrpcPod } from '../testing/stub-grpc-pod.ts';
import { startStubPod } from '../testing/stub-pod.ts';

const { ends, closing } = endsAfterEach();
const rigOf = closing(startRig);
const wellPod = closing(startStubGrpcPod);
const rawPod = closing(startRawGrpcPod);
const sessionTo = sessionsIn(ends);

const forever = (socket: Socket, piece: Buffer) => {
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more);
  more();
};
const http2Settings: [string, string] = ['http2-settings', 'AAMAAABk'];

describe('a pod that answers', () => {
  test.each<[string, (socket: Socket, stream: number) => unknown]>([
    ['a status that HTTP has not', (socket, id) => socket.write(head(id, 0, [':status', '999']))],
    [
      'a status that HTTP has not, alone',
      (socket, id) => socket.write(head(id, endStream, [':status', '999'])),
    ],
    ['a header that is not passed on', (socket, id) => socket.write(head(id, 0, ...good, http2Settings))],
    [
      'a header that is not passed on, alone',
      (socket, id) => socket.write(head(id, endStream, ...good, ['grpc-status', '0'], http2Settings)),
    ],
    [
      'trailers that are not passed on',
      (socket, id) =>
        socket.write(
          Buffer.concat([
            head(id, 0, ...good),
            data(id),
            head(id, endStream, ['grpc-status', '0'], http2Settings),
          ]),
        ),
    ],
    [
      'half an answer',
      (socket, id) => {
        socket.write(
          Buffer.concat([
            head(id, 0, ...good),
            data(id),
            frame(types.reset, 0, id, Buffer.from([0, 0, 0, 2])),
          ]),
        );
      },
    ],
    ['half an answer, and goes', (socket, id) => socket.end(Buffer.concat([head(id, 0, ...good), data(id)]))],
    [
      'an answer without trailers',
      (socket, id) => socket.write(Buffer.concat([head(id, 0, ...good), frame(types.data, endStream, id)])),
    ],
    ['garbage', (socket) => socket.write(Buffer.alloc(4_000, 0xfe))],
    ['HTTP/1.1', (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')],
    [
      'headers without end',
      (socket, id) => {
        socket.write(frame(types.headers, 0, id, headerBlock(...good)));
        forever(socket, frame(9, 0, id, headerBlock(['x-y', 'z'.repeat(100)])));
      },
    ],
    [
      'trailers of a stream that is not there',
      (socket, id) => socket.write(head(id + 2, endStream, ['grpc-status', '0'])),
    ],
    [
      'more than the window',
      (socket, id) => {
        socket.write(head(id, 0, ...good));
        forever(socket, frame(types.data, 0, id, Buffer.alloc(16_384)));
      },
    ],
    [
      'a window that overflows',
      (socket) => socket.write(frame(types.window, 0, 0, Buffer.from([0x7f, 255, 255, 255]))),
    ],
    ['PING without end', (socket) => forever(socket, frame(types.ping, 0, 0, Buffer.alloc(8)))],
    ['SETTINGS without end', (socket) => forever(socket, frame(types.settings, 0, 0))],
    [
      'a frame that is too large',
      (socket, id) => forever(socket, frame(types.data, 0, id, Buffer.alloc(1_000_000))),
    ],
    [
      'a promise of a push',
      (socket, id) =>
        socket.write(
          frame(
            5,
            endHeaders,
            id,
            Buffer.concat([Buffer.from([0, 0, 0, 2]), headerBlock([':method', 'GET'])]),
          ),
        ),
    ],
  ])('%s costs its own call', async (_, answer) => {
    const bad = await rawPod(answer);
    const rig = await rigOf({ a: [bad.address] }, { timeoutMs: 700 });
    const session = sessionTo(rig.port.port);
    const end = await call(session);
    // UNAVAILABLE, DEADLINE_EXCEEDED, or broken off: never a good end.
    expect(['14', '4', undefined]).toContain(end.status);
    if (end.status === undefined) expect(end.reset).not.toBe(0);
    const well = await wellPod();
    rig.gate.setPods('a', [well.address]);
    expect(await call(session)).toMatchObject({ status: '0' });
    expect(rig.gate.open).toBe(0);
    expect(rig.gate.keptAnswers).toBe(0);
    expect(rig.gate.bytes.held).toBe(0);
    expect(rig.gate.recorder.counters).toMatchObject({ arrivals: 2, succeeded: 1 });
  });

  test.each<[keyof GatewayOutcomes, string, [string, string][]]>([
    ['succeeded', 'OK', [...good, ['grpc-status', '0']]],
    ['clientErrors', 'INVALID_ARGUMENT', [...good, ['grpc-status', '3']]],
    ['rejected', 'RESOURCE_EXHAUSTED', [...good, ['grpc-status', '8']]],
    ['failed', 'INTERNAL', [...good, ['grpc-status', '13']]],
    ['failed', 'a status that gRPC has not', [...good, ['grpc-status', '77']]],
    ['failed', 'a status that is none', [...good, ['grpc-status', 'fine']]],
    ['failed', 'no status', good],
    [
      'failed',
      '404 of something else',
      [
        [':status', '404'],
        ['content-type', 'text/html'],
      ],
    ],
    [
      'rejected',
      '503 of something else',
      [
        [':status', '503'],
        ['content-type', 'text/html'],
      ],
    ],
  ])('counts as %s when it says %s', async (outcome, _, pairs) => {
    const pod = await rawPod((socket, id) => socket.write(head(id, endStream, ...pairs)));
    const rig = await rigOf({ a: [pod.address] });
    await call(sessionTo(rig.port.port));
    await until('counted', () => rig.gate.recorder.counters[outcome] === 1);
  });

  test('breaks off in the middle of a small answer is UNAVAILABLE: nothing of it was passed on', async () => {
    const pod = await rawPod((socket, id) => {
      socket.write(Buffer.concat([head(id, 0, ...good), data(id)]));
      setImmediate(() => socket.destroy());
    });
    const rig = await rigOf({ a: [pod.address] });
    expect(await call(sessionTo(rig.port.port))).toMatchObject({ status: '14', body: '' });
    await until('counted', () => rig.gate.recorder.counters.failed === 1);
  });

  test('with the same header twice is passed on', async () => {
    const pod = await rawPod((socket, id) =>
      socket.write(
        Buffer.concat([
          head(id, 0, ...good, ['date', 'x'], ['date', 'x'], ['x-two', '1'], ['x-two', '2']),
          data(id),
          head(id, endStream, ['grpc-status', '0']),
        ]),
      ),
    );
    const rig = await rigOf({ a: [pod.address] });
    expect(await call(sessionTo(rig.port.port))).toMatchObject({ status: '0', body: message });
  });
});

describe('a client', () => {
  test('whose metadata must not be kept by compression has it passed on so', async () => {
    const pod = await wellPod();
    const rig = await rigOf({ a: [pod.address] });
    const secret = { authorization: 'secret', 'x-plain': '1', [sensitiveHeaders]: ['authorization'] };
    expect(await call(sessionTo(rig.port.port), secret as OutgoingHttpHeaders)).toMatchObject({
      status: '0',
    });
    const headers = pod.got[0]?.headers as Record<string | symbol, unknown>;
    expect(headers[sensitiveHeaders]).toEqual(['authorization']);
    expect(headers).toMatchObject({ authorization: 'secret', 'x-plain': '1', via: '2.0 ballast' });
  });

  test('that names a piece of metadata twice has both passed on, and one of its hops named once', async () => {
    const pod = await wellPod();
    const rig = await rigOf({ a: [pod.address] });
    const more = {
      'x-two': ['1', '2'],
      'x-forwarded-for': '9.9.9.9',
      via: '1.1 first',
      'grpc-timeout': '2S',
    };
    expect(await call(sessionTo(rig.port.port), more)).toMatchObject({ status: '0' });
    expect(pod.got[0]?.headers).toMatchObject({
      'x-two': '1, 2',
      'x-forwarded-for': '9.9.9.9, 127.0.0.1',
      via: '1.1 first, 2.0 ballast',
      te: 'trailers',
    });
    expect(await call(sessionTo(rig.port.port), { ...more, 'x-two': '1' })).toMatchObject({ status: '0' });
    expect(pod.got[1]?.headers).toMatchObject({
      'x-forwarded-for': '9.9.9.9, 127.0.0.1',
      via: '1.1 first, 2.0 ballast',
      'grpc-timeout': expect.stringMatching(/^(1\d\d|200)0m$/),
    });
  });

  test('with hundreds of calls whose messages never come keeps nobody else out', async () => {
    const pod = await startStubPod();
    ends.push(() => pod.close());
    const rig = await rigOf({ a: [pod.address] });
    const session = sessionTo(rig.port.port);
    for (let i = 0; i < 1_000; i += 1) session.request(question).on('error', () => undefined);
    await until('they are there', () => rig.gate.open === 1_000);
    expect((await ask(rig.port.port)).status).toBe(200);
  });

  test('whose connections ask nothing gives way to one that asks, over HTTP/2 too', async () => {
    const pod = await wellPod();
    const { gate } = await rigOf({ a: [pod.address] });
    const port = portOf(gate, { maxConnections: 4 }, () => false);
    await port.listen('127.0.0.1', 0);
    ends.push(() => port.destroy());
    const busy = sessionTo(port.port);
    expect(await call(busy)).toMatchObject({ status: '0' });
    const silent = Array.from({ length: 6 }, () => sessionTo(port.port));
    await until('three have given way', () => silent.filter(({ destroyed }) => destroyed).length === 3);
    expect(await call(sessionTo(port.port))).toMatchObject({ status: '0' });
    expect(await call(busy)).toMatchObject({ status: '0' });
  });
});

test('of connections over HTTP/2 that never ask, the 1,024 youngest stay', async () => {
  const pod = await wellPod();
  const rig = await rigOf({ a: [pod.address] });
  const busy = sessionTo(rig.port.port);
  expect(await call(busy)).toMatchObject({ status: '0' });
  const silent = Array.from({ length: 1_034 }, () => sessionTo(rig.port.port));
  await until('ten have given way', () => silent.filter(({ destroyed }) => destroyed).length >= 10);
  await until('all have come', () => rig.port.connections === 1_025);
  expect(silent.map(({ destroyed }) => destroyed).lastIndexOf(true)).toBe(9);
  expect(await call(busy)).toMatchObject({ status: '0' });
});

test('a client may cancel all that it has asked and go on; one that does nothing else loses its connection', async () => {
  const pod = await wellPod((rpc) => answerWell(rpc));
  const rig = await rigOf({ a: [pod.address] });
  const cancels = async (session: ReturnType<typeof sessionTo>, count: number) => {
    const streams = Array.from({ length: count }, () => session.request(question));
    for (const stream of streams) stream.on('error', () => undefined);
    await until('all have come', () => rig.gate.open === count || session.destroyed);
    for (const stream of streams) stream.close(8);
    await until('all have gone', () => rig.gate.open === 0);
  };
  const honest = sessionTo(rig.port.port);
  await cancels(honest, 400);
  const hostile = sessionTo(rig.port.port);
  for (let i = 0; i < 4 && !hostile.destroyed; i += 1) await cancels(hostile, 400);
  await until('it is told to go', () => hostile.destroyed);
  expect(await call(honest)).toMatchObject({ status: '0' });
});

test('clients that each ask 200 questions at once are all answered', async () => {
  const pod = await wellPod((rpc) => answerWell(rpc));
  const rig = await rigOf({ a: [pod.address] }, { timeoutMs: 600_000 }, { maxWaiting: 10_000 });
  const sessions = Array.from({ length: 8 }, () => sessionTo(rig.port.port));
  const answers = await Promise.all(
    sessions.flatMap((session) => Array.from({ length: 200 }, () => call(session))),
  );
  expect(answers.filter(({ status }) => status !== '0')).toEqual([]);
  expect(rig.gate.open).toBe(0);
});

const preface = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(types.settings, 0, 0)]);
const asked = (stream: number): Buffer =>
  head(
    stream,
    0,
    [':method', 'POST'],
    [':path', String(question[':path'])],
    [':scheme', 'http'],
    [':authority', 'x'],
    ['content-type', 'application/grpc'],
  );

test.each<[string, (socket: Socket, streams: readonly number[]) => unknown]>([
  ['whose client is gone', (socket) => socket.destroy()],
  [
    'that is cancelled',
    (socket, streams) =>
      streams.map((id) => socket.write(frame(types.reset, 0, id, Buffer.from([0, 0, 0, 8])))),
  ],
])('a message %s in the middle of it comes to no pod', async (_name, leave) => {
  let begun = 0;
  const pod = await wellPod(undefined, () => {
    begun += 1;
  });
  const rig = await rigOf({ a: [pod.address] });
  const socket = connect(rig.port.port, '127.0.0.1');
  ends.push(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.resume();
  const streams = Array.from({ length: 50 }, (_, i) => 1 + 2 * i);
  socket.write(Buffer.concat([preface, ...streams.flatMap((id) => [asked(id), data(id)])]));
  await until('they are there', () => rig.gate.open === 50);
  leave(socket, streams);
  await until('they are gone', () => rig.gate.open === 0);
  expect(await call(sessionTo(rig.port.port))).toMatchObject({ status: '0' });
  expect(begun).toBe(1);
});

test('a client that ends a call in the moment in which it begins leaves nothing behind', async () => {
  const pod = await wellPod((rpc) => answerWell(rpc));
  const rig = await rigOf({ a: [pod.address] });
  const socket = connect(rig.port.port, '127.0.0.1');
  ends.push(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(preface);
  // One that is gRPC, one that is not, one with a method that gRPC has not.
  const kinds: [string, string][][] = [
    [
      [':method', 'POST'],
      ['content-type', 'application/grpc'],
    ],
    [
      [':method', 'POST'],
      ['content-type', 'text/plain'],
    ],
    [
      [':method', 'PUT'],
      ['content-type', 'application/grpc'],
    ],
  ];
  const pieces: Buffer[] = [];
  for (let i = 0; i < 30; i += 1) {
    const id = 1 + 2 * i;
    const path: [string, string] = [':path', String(question[':path'])];
    pieces.push(head(id, 0, path, [':scheme', 'http'], [':authority', 'x'], ...(kinds[i % 3] ?? [])));
    pieces.push(frame(types.reset, 0, id, Buffer.from([0, 0, 0, 8])));
  }
  // Those before it are over when it is: they are looked at in the order in which they came.
  const last = 61;
  pieces.push(asked(last), frame(types.data, 1, last, Buffer.alloc(5)));
  socket.write(Buffer.concat(pieces));
  await until('the last is answered', () => pod.got.length > 0);
  await until('nothing is left', () => rig.gate.open === 0 && rig.gate.bytes.held === 0);
  expect(await call(sessionTo(rig.port.port))).toMatchObject({ status: '0' });
});
