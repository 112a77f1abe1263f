/** Clients that read or send slowly, or announce what they never send: each costs its own request only. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { endsAfterEach } from '../../test/ends.ts';
import { ByteBudget } from '../queue/bytes.ts';
import { ask, inferPath, route, startRig, until } from '../testing/rig.ts';
import { startStubPod } from '../testing/stub-pod.ts';
import { HttpPool } from './pool.ts';

const { ends } = endsAfterEach();

const connected = (port: number): Socket => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  ends.push(() => socket.destroy());
  return socket;
};
const head = (headers: string) => `POST ${inferPath} HTTP/1.1\r\nhost: m.example\r\n${headers}\r\n`;

test('a connection that a slow reader paused over its last piece carries the next answer', async () => {
  const server = createServer((socket) => {
    // The piece and the end of the answer arrive together.
    socket.on('data', () =>
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'),
    );
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  const pool = new HttpPool({ host: '127.0.0.1', port: (server.address() as { port: number }).port });
  ends.push(() => pool.close());
  const request = { head: 'GET / HTTP/1.1\r\n\r\n', body: undefined, isHead: false, streams: undefined };
  const send = (onPiece: () => void) => {
    let isEnded = false;
    const connection = pool.send(request, {
      ready: () => undefined,
      head: () => undefined,
      body: (_chunk, isLast) => {
        if (isLast) isEnded = true;
        else onPiece();
      },
      end: () => {
        isEnded = true;
      },
      failed: () => undefined,
    });
    return { connection, isEnded: () => isEnded };
  };
  const slow = send(() => slow.connection.pause());
  await until('the first is answered', slow.isEnded);
  const next = send(() => undefined);
  expect(next.connection).toBe(slow.connection);
  await until('the second is answered', next.isEnded);
});

test('an upload that never ends is 408 at its deadline, and nothing is held against the pod', async () => {
  const pod = await startStubPod();
  const rig = await startRig({ a: [pod.address] }, { timeoutMs: 200 });
  ends.push(() => pod.close());
  ends.push(() => rig.close());
  const socket = connected(rig.port.port);
  let got = '';
  socket.on('data', (chunk) => {
    got += chunk.toString();
  });
  socket.write(`${head('content-length: 5000000\r\n')}begun`);
  await until('it is answered', () => got.includes('\r\n\r\n'));
  expect(got.slice(0, 12)).toBe('HTTP/1.1 408');
  expect(rig.gate.load(rig.gate.nowMs()).revisions[0]).toMatchObject({ readyPods: 1, asidePods: 0 });
});

test('a pod that stops reading in the middle of an upload is left aside', async () => {
  const server = createServer((socket) => {
    socket.pause();
    socket.on('error', () => undefined);
    ends.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  const { port } = server.address() as { port: number };
  const key = `127.0.0.1:${port}`;
  const rig = await startRig(
    {
      a: [
        {
          key,
          name: 'deaf',
          http: { host: '127.0.0.1', port },
          grpc: undefined,
          ops: undefined,
          ready: true,
        },
      ],
    },
    { timeoutMs: 500 },
  );
  ends.push(() => rig.close());
  const body = Buffer.alloc(30_000_000);
  let { status } = await ask(rig.port.port, { body });
  // On a busy machine it is the client that has not filled the pod's buffers by then: more time.
  for (let timeoutMs = 1_000; status === 408 && timeoutMs <= 8_000; timeoutMs *= 2) {
    rig.gate.setRoute(route({ timeoutMs }));
    ({ status } = await ask(rig.port.port, { body }));
  }
  expect(status).toBe(504);
  expect(rig.gate.load(rig.gate.nowMs()).revisions[0]).toMatchObject({ asidePods: 1 });
});

test('bodies that are announced and never sent keep nobody else out', async () => {
  const pod = await startStubPod();
  // Room for four bodies of the largest size that is kept.
  const rig = await startRig({ a: [pod.address] }, {}, {}, undefined, new ByteBudget(8_000_000, 4_000_000));
  ends.push(() => pod.close());
  ends.push(() => rig.close());
  for (let i = 0; i < 200; i += 1)
    connected(rig.port.port).write(
      head(i % 2 === 0 ? 'content-length: 1000000\r\n' : 'transfer-encoding: chunked\r\n'),
    );
  await until('all are there', () => rig.gate.open === 200);
  expect((await ask(rig.port.port, { body: Buffer.alloc(500_000) })).status).toBe(200);
});

test.each([
  ['from its beginning', ''],
  ['after a beginning that streams', `120000\r\n${'x'.repeat(0x12_00_00)}\r\n`],
])('a body in chunks of single bytes is refused: %s', async (_name, beginning) => {
  const pod = await startStubPod();
  const rig = await startRig({ a: [pod.address] });
  ends.push(() => pod.close());
  ends.push(() => rig.close());
  const socket = connected(rig.port.port);
  let got = '';
  socket.on('data', (chunk) => {
    got += chunk.toString();
  });
  socket.write(`${head('transfer-encoding: chunked\r\n')}${beginning}${'1\r\nx\r\n'.repeat(100_000)}`);
  await until('it is answered', () => got.includes('\r\n\r\n'));
  expect(got.slice(0, 12)).toBe('HTTP/1.1 400');
  expect(pod.got).toHaveLength(0);
  await until('nothing is left', () => rig.gate.open === 0 && rig.gate.bytes.held === 0);
});

test('answers that nobody reads are kept up to a bound and then end, and others get theirs', async () => {
  const piece = Buffer.alloc(65_536, 'x');
  const pod = await startStubPod((got, response) => {
    if (got.headers['x-small'] !== undefined) return void response.end('{}');
    const more = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    more();
  });
  const rig = await startRig(
    { a: [pod.address] },
    {},
    {},
    undefined,
    undefined,
    new ByteBudget(600_000, 300_000),
  );
  ends.push(() => pod.close());
  ends.push(() => rig.close());
  const sockets = Array.from({ length: 12 }, () => connected(rig.port.port).pause());
  for (const socket of sockets) socket.write(`${head('content-length: 2\r\n')}{}`);
  // Four of 65,536 bytes are below 300,000.
  await until(
    'the rest has ended',
    () => pod.got.length === 12 && rig.gate.open === 4 && rig.gate.unread.held === 4 * 65_536,
  );
  expect((await ask(rig.port.port, { headers: { 'x-small': '1' } })).status).toBe(200);
});

test('an answer whose headers cannot be passed on is 502, and counts as one', async () => {
  const server = createServer((socket) => {
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nx-a: b\u0001c\r\ncontent-length: 2\r\n\r\nok'));
    socket.on('error', () => undefined);
    ends.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  const { port } = server.address() as { port: number };
  const rig = await startRig({
    a: [
      {
        key: 'a',
        name: 'a',
        http: { host: '127.0.0.1', port },
        grpc: undefined,
        ops: undefined,
        ready: true,
      },
    ],
  });
  ends.push(() => rig.close());
  expect((await ask(rig.port.port)).status).toBe(502);
  await until('it is counted', () => rig.gate.recorder.counters.failed === 1);
});

test('a body in crumbs ends its connection at once, where other refused clients are listened to for a while', async () => {
  const pod = await startStubPod();
  const rig = await startRig({ a: [pod.address] });
  ends.push(() => pod.close());
  ends.push(() => rig.close());
  const chunked = head('transfer-encoding: chunked\r\n');
  const crumbs = '1\r\n \r\n'.repeat(20_000);
  const asking = (text: string) => {
    const client = { socket: connected(rig.port.port), got: '', isClosed: false };
    client.socket.on('data', (chunk) => {
      client.got += chunk.toString();
    });
    client.socket.on('close', () => {
      client.isClosed = true;
    });
    client.socket.write(text);
    return client;
  };
  const refusedByHead = chunked.replace('host: ', 'host: x\r\nhost: ');
  const listenedTo = asking(`${refusedByHead}1\r\n \r\n`);
  await until('it is refused', () => listenedTo.got.startsWith('HTTP/1.1 400'));
  const crumbling = asking(chunked + crumbs);
  const refusedBefore = asking(refusedByHead);
  await until('it is refused', () => refusedBefore.got.startsWith('HTTP/1.1 400'));
  refusedBefore.socket.write(crumbs);
  await until('both are closed', () => crumbling.isClosed && refusedBefore.isClosed);
  expect(listenedTo.isClosed).toBe(false);
  expect(rig.gate.open).toBe(0);
});

test('requests pipelined beyond what one connection may ask are not even read, though they came in one piece', async () => {
  const pod = await startStubPod('hold');
  const rig = await startRig({ a: [pod.address] });
  ends.push(() => pod.close());
  ends.push(() => rig.close());
  let read = 0;
  const onRequest = (message: unknown) => {
    if ((message as { socket: Socket }).socket.localPort === rig.port.port) read += 1;
  };
  subscribe('http.server.request.start', onRequest);
  ends.push(() => void unsubscribe('http.server.request.start', onRequest));
  const socket = connected(rig.port.port);
  let isClosed = false;
  socket.on('close', () => {
    isClosed = true;
  });
  socket.write(`${head('content-length: 2\r\n')}{}`.repeat(400));
  await until('it is closed', () => isClosed);
  expect(read).toBeGreaterThanOrEqual(16);
  expect(read).toBeLessThanOrEqual(18);
  await until('all are gone', () => rig.gate.open === 0);
});
