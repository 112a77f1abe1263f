/** As much of an API server as an operator at rest needs: lists in pages, watches that say little, writes that are taken. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { KubeObject } from '../../kube/objects.ts';
import { apiVersionOf } from '../../kube/resource.ts';
import type { Listed } from './objects.ts';

export interface FleetServer {
  readonly url: string;
  /** Writes by kind and verb, Leases and Events left out. */
  readonly writes: ReadonlyMap<string, number>;
  stop(): void;
}

const bookmarkMs = 20_000;

async function bodyOf(request: IncomingMessage): Promise<KubeObject> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as KubeObject;
}

/** Serves the lists of a fleet of so many ModelDeployments on loopback. */
export async function serveFleet(lists: readonly Listed[], deployments: number): Promise<FleetServer> {
  const byPlural = new Map(lists.map((one) => [one.type.plural, one]));
  /** What was written, by path: it is not listed again, since nobody lists twice. */
  const written = new Map<string, KubeObject>();
  const writes = new Map<string, number>();
  const watchers = new Map<string, Set<ServerResponse>>();
  let version = 1;
  const answer = (response: ServerResponse, code: number, body: unknown) => {
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const missing = (response: ServerResponse, what: string) =>
    answer(response, 404, {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      reason: 'NotFound',
      code: 404,
      message: `${what} not found`,
    });

  const list = (response: ServerResponse, plural: string, query: URLSearchParams) => {
    const listed = byPlural.get(plural);
    if (listed === undefined) return missing(response, plural);
    const { type } = listed;
    // Gateways have slices and Deployments of their own; there are none here.
    const isEmpty = /gateway/.test(query.get('labelSelector') ?? '') || query.has('fieldSelector');
    const from = Number(query.get('continue') ?? 0);
    const limit = Number(query.get('limit') ?? 500);
    const items: KubeObject[] = [];
    let index = from;
    // Whole ModelDeployments: a page may be a little longer than asked for.
    for (; !isEmpty && index < deployments && items.length < limit; index += 1)
      items.push(...listed.of(index));
    return answer(response, 200, {
      kind: `${type.kind}List`,
      apiVersion: apiVersionOf(type),
      metadata: {
        resourceVersion: String(version),
        ...(isEmpty || index >= deployments ? {} : { continue: String(index) }),
      },
      items,
    });
  };
  const watch = (response: ServerResponse, plural: string) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const set = watchers.get(plural) ?? new Set();
    watchers.set(plural, set);
    set.add(response);
    response.on('close', () => set.delete(response));
  };
  const tell = (plural: string, type: string, object: KubeObject) => {
    for (const response of watchers.get(plural) ?? [])
      response.write(`${JSON.stringify({ type, object })}\n`);
  };
  const bookmarks = setInterval(() => {
    for (const [plural, { type }] of byPlural)
      tell(plural, 'BOOKMARK', {
        apiVersion: apiVersionOf(type),
        kind: type.kind,
        metadata: { resourceVersion: String(version) },
      });
  }, bookmarkMs);
  const write = async (request: IncomingMessage, response: ServerResponse, path: string, plural: string) => {
    const object = await bodyOf(request);
    const isStatus = path.endsWith('/status');
    const made = request.method === 'POST' ? `/${object.metadata.name}` : '';
    const key = isStatus ? path.slice(0, -'/status'.length) : path + made;
    if (!['leases', 'events'].includes(plural)) {
      const what = `${plural}${isStatus ? '/status' : ''} ${request.method}`;
      writes.set(what, (writes.get(what) ?? 0) + 1);
    }
    version += 1;
    const index = Number(/-(\d+)/.exec(object.metadata.name ?? '')?.[1] ?? Number.NaN);
    const known =
      written.get(key) ??
      (Number.isNaN(index) ? undefined : byPlural.get(plural)?.of(index))?.find(
        ({ metadata }) => metadata.name === object.metadata.name,
      );
    const next = {
      ...(isStatus ? known : undefined),
      ...object,
      metadata: { ...known?.metadata, ...object.metadata, resourceVersion: String(version) },
    };
    if (plural !== 'events') written.set(key, next);
    answer(response, request.method === 'POST' ? 201 : 200, next);
    tell(plural, known === undefined ? 'ADDED' : 'MODIFIED', next);
  };

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server');
    const rest = pathname
      .replace(/^\/(api\/[^/]+|apis\/[^/]+\/[^/]+)\/?/, '')
      .replace(/^namespaces\/[^/]+\//, '');
    const [plural = '', name] = rest.split('/');
    if (request.method !== 'GET') return void write(request, response, pathname, plural);
    if (searchParams.get('watch') === 'true') return watch(response, plural);
    if (name === undefined) return list(response, plural, searchParams);
    const found = written.get(pathname);
    return found === undefined ? missing(response, pathname) : answer(response, 200, found);
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    writes,
    stop() {
      clearInterval(bookmarks);
      server.close();
      server.closeAllConnections();
    },
  };
}
