/** Connections that bring nothing, against those that do. */
import { createServer, get, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { until } from '../testing/pod.ts';
import { ConnectionGuard } from './connections.ts';

let server: Server;
const sockets: Socket[] = [];
let counts = { taken: 0, closed: 0 };
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const listen = async (unreadMs: number, limit: number, answer: string | Buffer, unsentBytes = 1e9) => {
  server = createServer();
  const mine = { taken: 0, closed: 0 };
  counts = mine;
  const guard = new ConnectionGuard(server, {
    connections: limit,
    unreadAnswerMs: unreadMs,
    unsentBytes,
  });
  server.on('request', (request, response) => {
    if (!guard.isTaken(request.socket, response)) return;
    mine.taken += 1;
    response.once('close', () => {
      mine.closed += 1;
    });
    if (request.url !== '/never') response.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};
const open = (port: number, text: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(text);
      resolve(socket);
    });
    socket.on('error', reject);
    sockets.push(socket);
  });
const ask = (port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on('error', reject);
  });

test('slow headers give way, the oldest first, and a client that asks is always let in', async () => {
  const port = await listen(60_000, 10, 'ok');
  const slow: Socket[] = [];
  for (let i = 0; i < 10; i += 1) slow.push(await open(port, 'GET / HTTP/1.1\r\nx: '));
  await until(
    async () =>
      (await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))) === 10,
  );
  for (let i = 0; i < 5; i += 1) expect(await ask(port)).toBe(200);
  await until(
    () => slow[0]?.destroyed === true || slow[0]?.readableEnded === true || slow[0]?.closed === true,
  );
  expect(slow[9]?.closed).toBe(false);
});

test('kept-alive connections without a question give way when nothing else can', async () => {
  const port = await listen(60_000, 10, 'ok');
  for (let i = 0; i < 10; i += 1) {
    const socket = await open(port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
  }
  expect(await ask(port)).toBe(200);
});

test('an answer that nobody reads is thrown away; one that is still being made is waited for', async () => {
  const port = await listen(200, 10, Buffer.alloc(50_000_000));
  const greedy = await open(port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  greedy.pause();
  const patient = await open(port, 'GET /never HTTP/1.1\r\nhost: x\r\n\r\n');
  const count = () => new Promise((resolve) => server.getConnections((_error, n) => resolve(n)));
  await until(async () => (await count()) === 2);
  await until(async () => (await count()) === 1);
  // Three times the limit later the patient one is still there.
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(await count()).toBe(1);
  expect(patient.closed).toBe(false);
});

test('beyond a sum of unread bytes those that read nothing lose theirs, long before their time is up', async () => {
  const port = await listen(60_000, 100, Buffer.alloc(10_000_000), 25_000_000);
  for (let i = 0; i < 6; i += 1) (await open(port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n')).pause();
  const count = () => new Promise((resolve) => server.getConnections((_error, n) => resolve(n)));
  await until(async () => counts.taken === 6 && Number(await count()) <= 3);
  expect(await count()).toBeGreaterThanOrEqual(2);
  // One that reads gets it all.
  expect(await ask(port)).toBe(200);
});

test('a connection that sends more than 16 requests ahead is closed, and all of them hear of it; one that waits for answers never is', async () => {
  const port = await listen(60_000, 100, 'ok');
  const flood = await open(port, 'GET /never HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(500));
  await new Promise((resolve) => flood.once('close', resolve));
  expect(counts.taken).toBe(16);
  await until(() => counts.closed === 16);
  const steady = await open(port, '');
  let text = '';
  const answers = () => text.split('HTTP/1.1 200').length - 1;
  steady.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  for (let sent = 0; sent < 300; sent += 10) {
    steady.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(10));
    await until(() => answers() >= sent + 5);
  }
  await until(() => answers() === 300);
});
