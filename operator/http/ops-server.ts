/** The operator's own HTTP: `/livez`, `/readyz`, `/metrics`. */
import { createServer, type Server } from 'node:http';
import { openProbedPort, type ProbedPort, targetOf } from '../../kube/probed-port.ts';

export interface OpsServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** What keeps the operator from being ready; empty when it is. */
  readonly unready: () => readonly string[];
  /** Metrics in Prometheus' text format. */
  readonly metrics: () => Promise<string>;
}

/** Starts the server. Liveness says only that the event loop turns: a restart never heals an unreachable API server. */
export async function startOpsServer({
  host,
  port,
  unready,
  metrics,
}: OpsServerOptions): Promise<ProbedPort> {
  const server: Server = createServer((request, response) => {
    const send = (code: number, text: string, type = 'text/plain; charset=utf-8') =>
      response.writeHead(code, { 'content-type': type, 'x-content-type-options': 'nosniff' }).end(text);
    const pathname = targetOf(request.url)?.pathname;
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'method not allowed\n');
    if (pathname === '/livez') return send(200, 'ok\n');
    if (pathname === '/readyz') {
      const missing = unready();
      return missing.length === 0 ? send(200, 'ok\n') : send(503, `${missing.join('\n')}\n`);
    }
    if (pathname === '/metrics')
      return metrics().then(
        (text) => send(200, text, 'text/plain; version=0.0.4; charset=utf-8'),
        () => send(500, 'metrics could not be read\n'),
      );
    return send(404, 'not found: /livez, /readyz and /metrics are served\n');
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  return await openProbedPort(server, { port, host });
}
