/** The ops port: probes, metrics and the load report. A plain handler, since a probe must be cheap and always answered. */
import { createServer, type Server } from 'node:http';
import type { GatewayLoadReport } from '../../crds/gateway-load.ts';
import { openProbedPort, type ProbedPort, targetOf } from '../../kube/probed-port.ts';

export interface OpsServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** What keeps the gateway from being ready; empty when it is. */
  unready(): readonly string[];
  load(sinceMs: number): GatewayLoadReport;
  metrics(): Promise<string>;
}

/** Starts it. */
export async function startOpsServer(options: OpsServerOptions): Promise<ProbedPort> {
  const server: Server = createServer((request, response) => {
    const send = (code: number, text: string, type = 'text/plain; charset=utf-8') =>
      response.writeHead(code, { 'content-type': type, 'x-content-type-options': 'nosniff' }).end(text);
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'method not allowed\n');
    const target = targetOf(request.url);
    switch (target?.pathname) {
      // Liveness says only that the event loop turns: a restart never heals an unreachable API server.
      case '/livez':
      case '/healthz':
        return send(200, 'ok\n');
      case '/readyz': {
        const missing = options.unready();
        return missing.length === 0 ? send(200, 'ok\n') : send(503, `${missing.join('\n')}\n`);
      }
      case '/load': {
        const since = Number(target?.searchParams.get('sinceMs') ?? '0');
        const report = options.load(Number.isFinite(since) ? since : 0);
        return send(200, JSON.stringify(report), 'application/json');
      }
      case '/metrics':
        return void options.metrics().then(
          (text) => send(200, text, 'text/plain; version=0.0.4; charset=utf-8'),
          () => send(500, 'metrics could not be read\n'),
        );
      default:
        return send(404, 'not found: /livez, /readyz, /metrics and /load are served\n');
    }
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  return await openProbedPort(server, options);
}
