/** Paths that name no object: discovery, version, health, OpenAPI. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { aggregatedDiscovery, coreVersions, groupList, oneGroup, resourceList } from '../discovery.ts';
import { freezeJson } from '../object.ts';
import { openapiDocument, openapiIndex } from '../openapi/document.ts';
import type { Registry } from '../registry.ts';
import { methodNotAllowed, noSuchPath } from '../status-error.ts';
import { sendValue } from './answer.ts';

/** The Kubernetes version whose behaviour the server follows. */
const servedVersion = { major: '1', minor: '36', gitVersion: 'v1.36.3+ballast-embedded' };

/** Answers a path that names no object; false when it may name one. */
export function handleNonResource(
  registry: Registry,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const path = url.pathname.replace(/(?<=.)\/$/, '');
  const { catalog } = registry.core;
  const health = /^\/(healthz|livez|readyz)(\/.*)?$/.test(path);
  const [root, group, version, more] = path.split('/').slice(1);
  const isDiscovery = (root === 'api' && version === undefined) || (root === 'apis' && more === undefined);
  if (!health && !isDiscovery && path !== '/version' && root !== 'openapi') return false;
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed();
  if (health) {
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.end('ok');
    return true;
  }
  if (path === '/version') {
    sendValue(response, 200, {
      ...servedVersion,
      gitCommit: '',
      gitTreeState: 'clean',
      buildDate: '2026-01-01T00:00:00Z',
      goVersion: '',
      compiler: 'node',
      platform: `${process.platform}/${process.arch}`,
    });
    return true;
  }
  if (root === 'openapi') {
    sendValue(response, 200, openapiAnswer(registry, path));
    return true;
  }
  if (path === '/api' || path === '/apis') {
    const which = path === '/api' ? 'core' : 'groups';
    const aggregated = aggregatedVersion(request.headers.accept ?? '');
    if (aggregated !== undefined) {
      const body = Buffer.from(JSON.stringify(aggregatedDiscovery(catalog, which, aggregated)));
      response.writeHead(200, {
        'Content-Type': `application/json;g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList`,
        'Content-Length': body.length,
        Vary: 'Accept',
        ETag: `"${catalog.generation}"`,
      });
      response.end(body);
    } else sendValue(response, 200, which === 'core' ? coreVersions() : groupList(catalog));
    return true;
  }
  const found =
    root === 'api'
      ? resourceList(catalog, '', group ?? '')
      : version === undefined
        ? oneGroup(catalog, group ?? '')
        : resourceList(catalog, group ?? '', version);
  if (found === undefined) throw noSuchPath();
  sendValue(response, 200, found);
  return true;
}

const instance = randomBytes(6).toString('hex');
const documents = new WeakMap<Registry, Map<string, object>>();

function openapiAnswer(registry: Registry, path: string): object {
  const { catalog } = registry.core;
  if (path === '/openapi/v3') return openapiIndex(catalog, instance);
  const match = /^\/openapi\/v3\/(?:api\/([^/]+)|apis\/([^/]+)\/([^/]+))$/.exec(path);
  // The v2 document is not served: clients fall back to what they have built in.
  if (match === null) throw noSuchPath();
  const known = documents.get(registry) ?? new Map<string, object>();
  documents.set(registry, known);
  const key = `${catalog.generation} ${path}`;
  const found = known.get(key) ?? openapiDocument(catalog, match[2] ?? '', match[3] ?? match[1] ?? '');
  if (found === undefined) throw noSuchPath();
  if (known.size > 100) known.clear();
  known.set(key, freezeJson(found));
  return found;
}

function aggregatedVersion(accept: string): 'v2' | 'v2beta1' | undefined {
  for (const choice of accept.split(',')) {
    if (!choice.includes('as=APIGroupDiscoveryList')) {
      if (choice.trim() === 'application/json') return undefined;
      continue;
    }
    if (/;\s*v=v2(;|\s|$)/.test(choice)) return 'v2';
    if (/;\s*v=v2beta1(;|\s|$)/.test(choice)) return 'v2beta1';
  }
  return undefined;
}
