import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { report } from '../model/scaling/testing/build.ts';
import type { Puller } from './pull.ts';
import { createPuller } from './pull.ts';

let server: Server;
let puller: Puller;
let connections: number;
let handler: RequestListener;

beforeEach(async () => {
  connections = 0;
  server = createServer((request, response) => handler(request, response));
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  puller = createPuller({ deadlineMs: 300, maxBytes: 64 * 1_024 });
});

afterEach(async () => {
  await puller.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

describe('a pull', () => {
  test('reads /load over one kept-alive connection', async () => {
    const good = report({ rate: 3 });
    const paths: (string | undefined)[] = [];
    handler = (request, response) => {
      paths.push(request.url);
      response.end(JSON.stringify(good));
    };
    for (let pull = 0; pull < 3; pull += 1) expect(await puller.pull(origin())).toEqual({ report: good });
    expect(paths).toEqual(['/load', '/load', '/load']);
    expect(connections).toBe(1);
  });

  test.each<[string, RequestListener, string]>([
    ['an error', (_request, response) => void response.writeHead(503).end('{}'), 'status'],
    [
      'a redirect, which is not followed',
      (_request, response) => void response.writeHead(302, { location: '/x' }).end(),
      'status',
    ],
    ['nonsense', (_request, response) => void response.end('hello'), 'invalid'],
    ['too much', (_request, response) => void response.end('x'.repeat(100_000)), 'too-large'],
    ['nothing', () => undefined, 'timeout'],
    ['half an answer', (_request, response) => void response.write('{"version":'), 'timeout'],
    ['a broken connection', (request) => void request.socket.destroy(), 'unreachable'],
  ])('of %s is a failure with a name', async (_name, answer, failure) => {
    handler = answer;
    expect(await puller.pull(origin())).toMatchObject({ failure });
  });

  test('after a body that was too large the next one works', async () => {
    handler = (_request, response) => void response.end('x'.repeat(100_000));
    await puller.pull(origin());
    handler = (_request, response) => void response.end(JSON.stringify(report({ rate: 1 })));
    expect(await puller.pull(origin())).toHaveProperty('report');
  });

  test('of an address where nobody listens', async () => {
    const gone = origin();
    await new Promise((resolve) => server.close(resolve));
    expect(await puller.pull(gone)).toMatchObject({ failure: 'unreachable' });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  test('ends when the probe stops', async () => {
    handler = () => undefined;
    const stop = new AbortController();
    const asked = puller.pull(origin(), stop.signal);
    stop.abort();
    expect(await asked).toMatchObject({ failure: 'unreachable' });
  });
});
