import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { staticAuth } from './auth.ts';
import { type ClientOptions, createClient, type KubeClient } from './client.ts';
import { HeldClock } from './clock.ts';
import { isConnectionRefused, isForbidden, isNotFound, isProtocolError, isTimeout } from './errors.ts';
import { MetricsRegistry } from './metrics.ts';
import { resources } from './resource.ts';
import { eventually, json, serve, type TestServer } from './testing/http-server.ts';

const pod = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a', namespace: 'ns', resourceVersion: '1' } };
const ref = { namespace: 'ns', name: 'a' };
let server: TestServer | undefined;
let client: KubeClient | undefined;

async function start(
  handle: (request: IncomingMessage, response: ServerResponse, body: string) => void,
  options: ClientOptions = {},
) {
  server = await serve(handle);
  client = createClient(staticAuth(server.url, 'secret'), options);
  return { server, client };
}

afterEach(async () => {
  await client?.close();
  await server?.close();
});

describe('the client', () => {
  test('sends many calls over kept connections, with token and user agent', async () => {
    const seen = new Set<string>();
    const { client, server } = await start(
      (request, response) => {
        seen.add(`${request.headers.authorization} ${request.headers['user-agent']}`);
        json(response, 200, pod);
      },
      { userAgent: 'test/1' },
    );
    for (let i = 0; i < 50; i++) await client.get(resources.pods, ref);
    // undici may open a second one while the first answer is still being read; client-node opens 50.
    expect(server.sockets()).toBeLessThanOrEqual(2);
    expect([...seen]).toEqual(['Bearer secret test/1']);
  });

  test('opens no more sockets than allowed however many calls wait', async () => {
    const { client, server } = await start((_request, response) => json(response, 200, pod), {
      connections: 4,
    });
    await Promise.all(Array.from({ length: 100 }, () => client.get(resources.pods, ref)));
    expect(server.sockets()).toBe(4);
  });

  test('spells every verb as the API wants it', async () => {
    const calls: string[] = [];
    const { client, server } = await start((request, response, body) => {
      calls.push(`${request.headers['content-type'] ?? '-'} ${body}`);
      json(response, 200, pod);
    });
    const object = { metadata: { name: 'a', namespace: 'ns', managedFields: [] } };
    await client.create(resources.pods, { metadata: { name: 'a', namespace: 'ns' } }, { fieldManager: 'me' });
    await client.replace(
      resources.pods,
      { metadata: { name: 'a', namespace: 'ns' } },
      { subresource: 'status' },
    );
    await client.patch(
      resources.pods,
      ref,
      { x: 1 },
      { patchType: 'application/merge-patch+json', dryRun: true },
    );
    await client.apply(resources.pods, object, { fieldManager: 'me' });
    await client.delete(resources.pods, ref, { uid: 'u', propagationPolicy: 'Background' });
    expect(server.requests).toEqual([
      'POST /api/v1/namespaces/ns/pods?fieldManager=me',
      'PUT /api/v1/namespaces/ns/pods/a/status',
      'PATCH /api/v1/namespaces/ns/pods/a?dryRun=All',
      'PATCH /api/v1/namespaces/ns/pods/a?fieldManager=me&force=true',
      'DELETE /api/v1/namespaces/ns/pods/a',
    ]);
    expect(calls[3]).toBe(
      'application/apply-patch+yaml {"metadata":{"name":"a","namespace":"ns"},"apiVersion":"v1","kind":"Pod"}',
    );
    expect(calls[4]).toContain('"preconditions":{"uid":"u"},"propagationPolicy":"Background"');
  });

  test('fills in kind and apiVersion, which lists of built-in kinds leave out', async () => {
    const { client } = await start((_request, response) =>
      json(response, 200, { metadata: { resourceVersion: '7' }, items: [{ metadata: { name: 'a' } }] }),
    );
    const list = await client.list(resources.deployments, { limit: 2, continue: 'c', resourceVersion: '5' });
    expect(list.items[0]).toMatchObject({ kind: 'Deployment', apiVersion: 'apps/v1' });
    expect(server?.requests[0]).toBe('GET /apis/apps/v1/deployments?limit=2&continue=c');
  });

  test('a Status becomes an error with code, reason and a message for people', async () => {
    const { client } = await start((_request, response) =>
      json(response, 403, {
        kind: 'Status',
        code: 403,
        reason: 'Forbidden',
        message: 'pods "a" is forbidden',
      }),
    );
    const error: unknown = await client.get(resources.pods, ref).catch((thrown: unknown) => thrown);
    expect(isForbidden(error)).toBe(true);
    expect(String(error)).toBe('ApiError: get Pod a: 403 Forbidden: pods "a" is forbidden');
  });

  test('HTML from a proxy in between is a message, not a crash; HTML with 200 is a protocol error', async () => {
    let code = 404;
    const { client } = await start((_request, response) => {
      response.writeHead(code);
      response.end('<html>nothing here</html>');
    });
    expect(isNotFound(await client.get(resources.pods, ref).catch((thrown: unknown) => thrown))).toBe(true);
    code = 200;
    expect(isProtocolError(await client.get(resources.pods, ref).catch((thrown: unknown) => thrown))).toBe(
      true,
    );
  });

  test('waits as long as Retry-After says, and not a second less', async () => {
    const clock = new HeldClock();
    let answers = 0;
    const { client, server } = await start(
      (_request, response) => {
        answers += 1;
        if (answers < 3) json(response, 429, { kind: 'Status', code: 429 }, { 'retry-after': '4' });
        else json(response, 200, pod);
      },
      { clock },
    );
    const got = client.get(resources.pods, ref);
    await eventually(() => clock.untilNextMs === 4000, 'the first wait');
    clock.advance(3999);
    expect(server.requests).toHaveLength(1);
    clock.advance(1);
    await eventually(() => server.requests.length === 2 && clock.untilNextMs === 4000, 'the second wait');
    clock.advance(4000);
    expect((await got).metadata.name).toBe('a');
  });

  test('a Retry-After beyond the deadline is told at once, with the time to wait', async () => {
    const { client, server } = await start((_request, response) =>
      json(response, 503, {}, { 'retry-after': '60' }),
    );
    await expect(client.get(resources.pods, ref)).rejects.toMatchObject({ code: 503, retryAfterMs: 60_000 });
    expect(server.requests).toHaveLength(1);
  });

  test('an error without Retry-After is not tried again', async () => {
    const { client, server } = await start((_request, response) => json(response, 500, {}));
    await expect(client.get(resources.pods, ref)).rejects.toMatchObject({ code: 500 });
    expect(server.requests).toHaveLength(1);
  });

  test('a connection that breaks: reads and applies are sent once more, a create never', async () => {
    const { client, server } = await start((request) => request.socket.destroy());
    await expect(client.get(resources.pods, ref)).rejects.toMatchObject({ reason: 'Network' });
    await expect(client.apply(resources.pods, pod, { fieldManager: 'me' })).rejects.toMatchObject({
      reason: 'Network',
    });
    await expect(client.create(resources.pods, pod)).rejects.toMatchObject({ reason: 'Network' });
    expect(server.requests.map((request) => request.split(' ')[0])).toEqual([
      'GET',
      'GET',
      'PATCH',
      'PATCH',
      'POST',
    ]);
  });

  test('nobody listens: refused, at once', async () => {
    const { client, server } = await start(() => {});
    await server.close();
    expect(
      isConnectionRefused(await client.get(resources.pods, ref).catch((thrown: unknown) => thrown)),
    ).toBe(true);
  });

  test('a hung server: every call ends by its deadline, 10 s or 60 s for a list', async () => {
    const clock = new HeldClock();
    const { client, server } = await start(() => {}, { clock });
    const ended: string[] = [];
    const note = (what: string) => (error: unknown) => ended.push(`${what} ${isTimeout(error)}`);
    void client.get(resources.pods, ref).catch(note('get'));
    void client.list(resources.pods).catch(note('list'));
    await eventually(() => server.requests.length === 2, 'both calls sent');
    await clock.run(9_999);
    expect(ended).toEqual([]);
    await clock.run(1);
    expect(ended).toEqual(['get true']);
    await clock.run(50_000);
    expect(ended).toEqual(['get true', 'list true']);
  });

  test('keeps to its rate: the burst at once, the rest at 10 per second', async () => {
    const clock = new HeldClock();
    const observer = new MetricsRegistry();
    const { client, server } = await start((_request, response) => json(response, 200, pod), {
      clock,
      observer,
      qps: 10,
      burst: 5,
    });
    const all = Promise.all(Array.from({ length: 15 }, () => client.get(resources.pods, ref)));
    await eventually(() => server.requests.length === 5, 'the burst');
    await clock.run(500);
    await eventually(() => server.requests.length === 10, 'half a second later');
    await clock.run(500);
    await all;
    expect(server.requests).toHaveLength(15);
    expect(observer.value('client_throttled_total')).toBe(10);
  });

  test('a watch yields events, ends with the server, and asks for bookmarks', async () => {
    const { client, server } = await start((_request, response) => {
      response.write(`${JSON.stringify({ type: 'ADDED', object: pod })}\n{"type":"BOOKMARK",`);
      response.end('"object":{"metadata":{"resourceVersion":"9"}}}\n');
    });
    const types: string[] = [];
    for await (const event of client.watch(resources.pods, { resourceVersion: '1', timeoutSeconds: 5 }))
      types.push(event.type);
    expect(types).toEqual(['ADDED', 'BOOKMARK']);
    expect(server.requests[0]).toBe(
      'GET /api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=1&timeoutSeconds=5',
    );
  });

  test('a black-holed watch is ended 30 s after the server should have', async () => {
    const clock = new HeldClock();
    const { client, server } = await start((_request, response) => void response.flushHeaders(), { clock });
    const seen = (async () => {
      for await (const _event of client.watch(resources.pods, { resourceVersion: '1', timeoutSeconds: 60 }));
    })().catch((thrown: unknown) => thrown);
    await eventually(() => server.requests.length === 1 && clock.pending === 1, 'the watch is open');
    clock.advance(89_999);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect(isTimeout(await seen)).toBe(true);
  });
});
