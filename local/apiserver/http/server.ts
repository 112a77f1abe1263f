/** The HTTP face of the embedded API server. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, isIPv4 } from 'node:net';
import type { Clock } from '../../../kube/clock.ts';
import { startControllers } from '../controllers.ts';
import { Registry } from '../registry.ts';
import { unauthorized } from '../status-error.ts';
import { sendFailure, sendText } from './answer.ts';
import { loopbackCertificate } from './certificate.ts';
import { handleNonResource } from './non-resource.ts';
import { parseResourcePath } from './request-info.ts';
import { handleResource } from './resource-handler.ts';

export interface ApiServerOptions {
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** 0 (default) takes a free port. */
  readonly port?: number;
  /** Bearer token that clients must send; default a random one. */
  readonly token?: string;
  readonly clock?: Clock;
  /** Serve TLS with a certificate made for this start: kubectl and helm send their token only then. Default false. */
  readonly tls?: boolean;
  /** Events kept for watches; default 10,000. */
  readonly historyLimit?: number;
}

export interface ApiServer {
  readonly url: string;
  readonly token: string;
  /** The certificate to trust, PEM; undefined without TLS. */
  readonly caPem?: string;
  readonly registry: Registry;
  close(): Promise<void>;
}

const publicPaths = new Set(['/healthz', '/livez', '/readyz', '/version']);

/** Starts the server and the controllers that belong to it (namespaces, garbage collection, event expiry, CRDs). */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const token = options.token ?? randomBytes(24).toString('base64url');
  const registry = new Registry({
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.historyLimit === undefined ? {} : { historyLimit: options.historyLimit }),
  });
  const isAllowed = tokenCheck(token);
  const host = options.host ?? '127.0.0.1';
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    serve(registry, isAllowed, request, response).catch((error: unknown) => sendFailure(response, error));
  };
  const certificate =
    options.tls === true
      ? loopbackCertificate([...new Set([host, '127.0.0.1'])].filter(isIPv4), Date.now())
      : undefined;
  const stopControllers = startControllers(registry, certificate?.cert ?? '');
  const server =
    certificate === undefined ? createServer(onRequest) : createTlsServer(certificate, onRequest);
  // Watches idle for minutes, and kubectl keeps its connections: neither is a fault.
  server.keepAliveTimeout = 120_000;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, () => resolve());
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://${address}:${port}`,
    token,
    ...(certificate === undefined ? {} : { caPem: certificate.cert }),
    registry,
    close: async () => {
      stopControllers();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function tokenCheck(token: string): (request: IncomingMessage) => boolean {
  const wanted = Buffer.from(`Bearer ${token}`);
  return (request) => {
    const given = Buffer.from(request.headers.authorization ?? '');
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  };
}

/** What the real server's outermost handler says of paths that nobody has. */
function sendPlainNotFound(response: ServerResponse): void {
  response.writeHead(404, {
    'Content-Type': 'text/plain; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end('404 page not found\n');
}

async function serve(
  registry: Registry,
  isAllowed: (request: IncomingMessage) => boolean,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (
    publicPaths.has(url.pathname.replace(/(?<=^\/(healthz|livez|readyz))\/.*/, '')) === false &&
    !isAllowed(request)
  )
    throw unauthorized();
  if (handleNonResource(registry, url, request, response)) return;
  const path = parseResourcePath(url.pathname);
  if (path === undefined) {
    if (url.pathname === '/')
      return sendText(
        response,
        200,
        '{"paths":["/api","/apis","/healthz","/livez","/openapi/v3","/readyz","/version"]}',
      );
    return sendPlainNotFound(response);
  }
  if (registry.core.catalog.hasGroupVersion(path.group, path.version) === false)
    return sendPlainNotFound(response);
  await handleResource(registry, request, response, path, url.searchParams);
}
