/** Connections in the fast lane: what is served there, what goes over to node:http and how, and what bad clients can do. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { Turns } from '../../../crowd/turns.ts';
import { until } from '../../testing/pod.ts';
import type { Client } from '../client.ts';
import { FastLane, type LaneOptions } from './lane.ts';

let server: Server;
let lane: FastLane;
let refused: string[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.closeAllConnections();
  lane.closeAll();
  await new Promise((resolve) => server.close(resolve));
});

/** Answers with the name of the lane and the body that came. */
const serve = (client: Client) => {
  const body = client.readBody(1e6, () => undefined) as Buffer;
  client.answer(200, Buffer.from(`fast ${body.length};`), {});
};

const listen = async (options: Partial<LaneOptions> = {}): Promise<number> => {
  server = createServer((request, response) => {
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
    });
    request.on('end', () => response.end(`node ${length};`));
  });
  refused = [];
  lane = new FastLane(server, {
    serve,
    turns: new Turns(),
    maxBodyBytes: 1e6,
    headersTimeout: 60_000,
    keepAliveTimeout: 60_000,
    unreadAnswerMs: 60_000,
    asked: () => undefined,
    refuse: (code, socket) => {
      refused.push(code);
      socket.destroy();
    },
    ...options,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

const open = (port: number): Promise<{ socket: Socket; bodies(): string[]; text(): string }> =>
  new Promise((resolve) => {
    let text = '';
    const bodies = () => text.match(/(?:fast|node) \d+;/g) ?? [];
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true }, () =>
      resolve({ socket, bodies, text: () => text }),
    );
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', () => undefined);
    sockets.push(socket);
  });

const line = 'POST /v2/models/m/infer HTTP/1.1\r\n';
const request = (length: number, fields = '') =>
  `${line}Host: x\r\n${fields}Content-Length: ${length}\r\n\r\n${'b'.repeat(length)}`;
const connections = () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));

test('plain requests stay; the first that is not takes its connection away for good', async () => {
  const { socket, bodies } = await open(await listen());
  for (const [i, text] of [request(1), request(2), request(0)].entries()) {
    socket.write(text);
    await until(() => bodies().length === i + 1);
  }
  expect(bodies()).toEqual(['fast 1;', 'fast 2;', 'fast 0;']);
  socket.write(request(3, 'x:  y\r\n'));
  await until(() => bodies().length === 4);
  socket.write(request(4));
  await until(() => bodies().length === 5);
  expect(bodies().slice(3)).toEqual(['node 3;', 'node 4;']);
});

test.each([
  ['in two pieces', [0.5], 'fast 20;'],
  ['with the body behind the head', [request(20).length - 20], 'fast 20;'],
  ['in more pieces than are worth waiting for', Array.from({ length: 20 }, (_, i) => 3 * i + 3), 'node 20;'],
])('a request %s', async (_name, cuts, want) => {
  const { socket, bodies } = await open(await listen({ unfinishedMs: 60_000 }));
  const text = request(20);
  let from = 0;
  for (const cut of [...cuts.map((at) => (at < 1 ? Math.floor(at * text.length) : at)), text.length]) {
    socket.write(text.slice(from, cut));
    from = cut;
    // What is written in one turn can arrive as one piece.
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  await until(() => bodies().length === 1);
  expect(bodies()).toEqual([want]);
});

test('a request that does not go on is left to the timeouts of node:http, which has every byte of it', async () => {
  const { socket, bodies } = await open(await listen());
  const text = request(20);
  let handedOver = 0;
  server.once('request', () => {
    handedOver += 1;
  });
  socket.write(text.slice(0, -5));
  await until(() => handedOver === 1);
  socket.write(text.slice(-5));
  await until(() => bodies().length === 1);
  expect(bodies()).toEqual(['node 20;']);
});

test('unfinished requests of all connections together hold a bounded number of bytes', async () => {
  const port = await listen({ maxKeptBytes: 5_000, unfinishedMs: 600_000 });
  let handedOver = 0;
  server.on('request', () => {
    handedOver += 1;
  });
  const text = request(1_000).slice(0, -1);
  const all = await Promise.all(Array.from({ length: 10 }, () => open(port)));
  for (const { socket } of all) socket.write(text);
  await until(() => handedOver === 6);
  for (const { socket } of all) socket.write('b');
  await until(() => all.every(({ bodies }) => bodies().length === 1));
  expect(all.filter(({ bodies }) => bodies()[0] === 'fast 1000;')).toHaveLength(4);
  // Nothing is counted any more: there is room again.
  const late = await open(port);
  late.socket.write(request(4_900).slice(0, -1));
  await new Promise((resolve) => setTimeout(resolve, 20));
  late.socket.write('b');
  await until(() => late.bodies().length === 1);
  expect(late.bodies()).toEqual(['fast 4900;']);
});

test('so does what they send ahead: beyond it connections are closed', async () => {
  const clients: Client[] = [];
  const port = await listen({ maxKeptBytes: 5_000, serve: (client) => void clients.push(client) });
  const all = await Promise.all(Array.from({ length: 10 }, () => open(port)));
  for (const { socket } of all) socket.write(request(1));
  await until(() => clients.length === 10);
  for (const { socket } of all) socket.write(request(1_000));
  await until(async () => (await connections()) === 4);
  for (const client of clients) serve(client);
  const answered = () => all.filter(({ bodies }) => bodies().join() === 'fast 1;,node 1000;').length;
  await until(() => answered() === 4);
});

test('a body that is larger than the lane takes', async () => {
  const { socket, bodies } = await open(await listen({ maxBodyBytes: 100 }));
  socket.write(request(100));
  await until(() => bodies().length === 1);
  socket.write(request(101));
  await until(() => bodies().length === 2);
  expect(bodies()).toEqual(['fast 100;', 'node 101;']);
});

test('what is sent ahead is answered in its turn', async () => {
  let ask: (() => void) | undefined;
  const port = await listen({
    serve: (client) => {
      ask = () => serve(client);
    },
  });
  const { socket, bodies } = await open(port);
  socket.write(request(1));
  await until(() => ask !== undefined);
  for (let i = 2; i < 5; i += 1) socket.write(request(i));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(bodies()).toEqual([]);
  ask?.();
  await until(() => bodies().length === 4);
  expect(bodies()).toEqual(['fast 1;', 'node 2;', 'node 3;', 'node 4;']);

  const ahead = await open(port);
  ahead.socket.write(request(1) + request(2));
  await until(() => ahead.bodies().length === 2);
  expect(ahead.bodies()).toEqual(['node 1;', 'node 2;']);
});

test('a client that goes away, wholly or after its last word, is told to whoever works for it', async () => {
  let asked = 0;
  let closed = 0;
  const port = await listen({
    serve: (client) => {
      asked += 1;
      client.onClose(() => {
        closed += 1;
      });
    },
  });
  const gone = await open(port);
  gone.socket.write(request(1));
  await until(() => asked === 1);
  gone.socket.destroy();
  await until(() => closed === 1);
  const silent = await open(port);
  silent.socket.write(request(1));
  await until(() => asked === 2);
  silent.socket.end();
  await until(() => closed === 2);
  const early = await open(port);
  early.socket.end(request(5).slice(0, -1));
  await until(() => refused.length === 1);
  expect(refused).toEqual(['HPE_INVALID_EOF_STATE']);
  await until(async () => (await connections()) === 0);
});

test('connections without a request, or without another, end in their time', async () => {
  const port = await listen({ headersTimeout: 50, keepAliveTimeout: 60_000 });
  await open(port);
  await until(async () => refused.length === 1 && (await connections()) === 0);
  expect(refused).toEqual(['ERR_HTTP_REQUEST_TIMEOUT']);
  const { socket, bodies } = await open(port);
  socket.write(request(1));
  await until(() => bodies().length === 1);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(await connections()).toBe(1);
  lane.closeIdle();
  await until(async () => (await connections()) === 0);
});

test('a connection that is asking is no idle one, and says when it is to end', async () => {
  const asking: Client[] = [];
  const port = await listen({ keepAliveTimeout: -990, serve: (client) => void asking.push(client) });
  const { socket, text } = await open(port);
  socket.write(request(1));
  await until(() => asking.length === 1);
  lane.closeIdle();
  // Longer than it may be idle.
  await new Promise((resolve) => setTimeout(resolve, 100));
  asking[0]?.answer(503, Buffer.from('{}'), { close: true, requestId: 'a' });
  await until(async () => (await connections()) === 0);
  expect(text().replace(/Date: .*/, 'Date')).toBe(
    'HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: 2\r\nx-request-id: a\r\nconnection: close\r\nDate\r\n\r\n{}',
  );
  const idle = await open(port);
  idle.socket.write(request(1));
  await until(() => asking.length === 2);
  asking[1]?.answer(200, Buffer.from('{}'), {});
  await until(async () => (await connections()) === 0);
});

test('an answer that nobody takes ends its connection; one that is taken late does not', async () => {
  const large = Buffer.alloc(20_000_000);
  const port = await listen({ unreadAnswerMs: 600, serve: (client) => client.answer(200, large, {}) });
  const greedy = await open(port);
  greedy.socket.pause();
  greedy.socket.write(request(1));
  await until(async () => (await connections()) === 1);
  await until(async () => (await connections()) === 0);
  const late = await open(port);
  late.socket.pause();
  late.socket.write(request(1));
  await new Promise((resolve) => setTimeout(resolve, 20));
  late.socket.resume();
  await until(() => late.socket.bytesRead > large.length);
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(await connections()).toBe(1);
});

test('a slow request goes over to node:http in its turn; one that became whole before that is served in the lane', async () => {
  const waiting: (() => void)[] = [];
  // Turns that the test gives.
  const turns = { isBusy: false, run: (task: () => void) => void waiting.push(task) } as unknown as Turns;
  const port = await listen({ turns, unfinishedMs: 20 });
  const all = await Promise.all(Array.from({ length: 3 }, () => open(port)));
  for (const { socket } of all) socket.write(request(4).slice(0, -2));
  await until(() => waiting.length >= 3);
  for (const { socket } of all.slice(1)) socket.write('bb');
  // Whole before its turn came: it is served in the lane, and has nothing to take along.
  await until(() => all.slice(1).every(({ bodies }) => bodies()[0] === 'fast 4;'));
  for (const task of waiting.splice(0)) task();
  all[0]?.socket.write('bb');
  await until(() => all[0]?.bodies()[0] === 'node 4;');
});
