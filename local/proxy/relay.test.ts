/** The service proxy's connections: turns, refusals, half-closes, resets. Real sockets on loopback. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { EndpointSlice } from '../../kube/objects.ts';
import { type Backend, backendsOf, RoundRobin } from './backends.ts';
import { relay } from './relay.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

function listen(onSocket: (socket: Socket) => void, options = {}): Promise<Backend> {
  return new Promise((resolve) => {
    const server = createServer({ allowHalfOpen: true, ...options }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      onSocket(socket);
    });
    servers.push(server);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve({ host: '127.0.0.1', port: address.port });
    });
  });
}

async function deadPort(): Promise<Backend> {
  const backend = await listen(() => undefined);
  await new Promise((resolve) => servers.pop()?.close(resolve));
  return backend;
}

const open = new Set<Socket>();
const proxyTo = (backends: () => Backend[]) =>
  listen((client) => relay(client, backends(), open), { pauseOnConnect: true });

/** Sends, half-closes and reads to the end. */
function exchange(to: Backend, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...to, allowHalfOpen: true });
    sockets.add(socket);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', reject);
    socket.on('end', () => resolve(answer));
    socket.end(text);
  });
}

describe('a connection', () => {
  test('keeps half-closes: the answer may come after the request has ended', async () => {
    const backend = await listen((socket) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('end', () => setTimeout(() => socket.end(`got ${text}`), 20));
    });
    const proxy = await proxyTo(() => [backend]);
    expect(await exchange(proxy, 'hello')).toBe('got hello');
    expect(open.size).toBe(0);
  });

  test('goes to the next backend when the first refuses', async () => {
    const backend = await listen((socket) => socket.end('second'));
    const dead = await deadPort();
    const proxy = await proxyTo(() => [dead, backend]);
    expect(await exchange(proxy, 'x')).toBe('second');
  });

  test.each(['no backend', 'only refusing ones'])('with %s is reset', async (which) => {
    const dead = await deadPort();
    const proxy = await proxyTo(() => (which === 'no backend' ? [] : [dead, dead]));
    await expect(exchange(proxy, 'x')).rejects.toThrow(/ECONNRESET/);
  });

  test('that the backend resets is reset for the client, not ended', async () => {
    const backend = await listen((socket) => {
      socket.write('half');
      socket.once('data', () => socket.resetAndDestroy());
    });
    const proxy = await proxyTo(() => [backend]);
    await expect(exchange(proxy, 'x')).rejects.toThrow(/ECONNRESET/);
  });

  test('that the client drops is dropped at the backend', async () => {
    let closed: (value: unknown) => void = () => undefined;
    const gone = new Promise((resolve) => {
      closed = resolve;
    });
    const backend = await listen((socket) => {
      socket.on('close', closed);
      socket.write('x');
    });
    const proxy = await proxyTo(() => [backend]);
    const client = connect(proxy);
    client.on('error', () => undefined);
    client.once('data', () => client.resetAndDestroy());
    await gone;
  });

  test('carries a megabyte both ways unharmed', async () => {
    const backend = await listen((socket) => socket.pipe(socket));
    const proxy = await proxyTo(() => [backend]);
    const text = 'abcdefghij'.repeat(100_000);
    expect(await exchange(proxy, text)).toBe(text);
  });
});

describe('backends', () => {
  const endpoint = (ip: string, ready: boolean, serving = ready, terminating = false) => ({
    addresses: [ip],
    conditions: { ready, serving, terminating },
  });
  const slice = (port: number, ...endpoints: EndpointSlice['endpoints']): EndpointSlice => ({
    metadata: {},
    addressType: 'IPv4',
    ports: [{ name: 'http', port }],
    endpoints,
  });

  test('are the ready ones of the named port, over all slices', () => {
    const slices = [slice(1, endpoint('a', true), endpoint('b', false)), slice(2, endpoint('c', true))];
    expect(backendsOf(slices, 'http')).toEqual([
      { host: 'a', port: 1 },
      { host: 'c', port: 2 },
    ]);
    expect(backendsOf(slices, 'grpc')).toEqual([]);
  });

  test('are those that still serve while they leave, when nothing else is there', () => {
    const leaving = endpoint('a', false, true, true);
    expect(backendsOf([slice(1, leaving, endpoint('b', true))], 'http')).toEqual([{ host: 'b', port: 1 }]);
    expect(backendsOf([slice(1, leaving, endpoint('b', false))], 'http')).toEqual([{ host: 'a', port: 1 }]);
  });

  test('take turns, also when the set changes', () => {
    const turns = new RoundRobin();
    expect(turns.turn()).toEqual([]);
    const [a, b, c] = ['a', 'b', 'c'].map((host) => ({ host, port: 1 })) as [Backend, Backend, Backend];
    turns.set([a, b, c]);
    expect([0, 1, 2, 3].map(() => turns.turn()[0]?.host)).toEqual(['a', 'b', 'c', 'a']);
    expect(turns.turn()).toEqual([b, c, a]);
    expect(turns.turn('127.0.0.9')).toEqual(turns.turn('127.0.0.9'));
    turns.set([c]);
    expect(turns.turn()).toEqual([c]);
  });
});
