/** The ops port: probes, metrics and the load report. A plain handler, since a probe must be cheap and always answered. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LoadReport } from '../../crds/wire.ts';
import { chooseFormat, contentTypes } from '../metrics/exposition.ts';
import { sendError, sendJson } from './answer.ts';
import type { PodMetrics } from './metrics.ts';

export interface OpsContext {
  readonly metrics: PodMetrics;
  unreadiness(): { reason: string; message: string } | undefined;
  load(): LoadReport;
}

/** Who knows the seconds until then is told the newer ones alone; anything but a number asks for all. */
function after(load: LoadReport, query: string): LoadReport {
  const sinceMs = Number(new URLSearchParams(query).get('sinceMs') ?? '');
  return sinceMs > 0 ? { ...load, seconds: load.seconds.filter(({ endMs }) => endMs > sinceMs) } : load;
}

/** Makes the handler of the ops port. */
export const createOpsHandler =
  (context: OpsContext) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const [path, query = ''] = (request.url ?? '').split('?');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendError(response, 405, 'Method Not Allowed', { headers: { allow: 'GET, HEAD' } });
      return;
    }
    switch (path) {
      case '/livez':
        sendJson(response, 200, '{"live":true}');
        return;
      case '/readyz': {
        const why = context.unreadiness();
        if (why === undefined) sendJson(response, 200, '{"ready":true}');
        else sendJson(response, 503, JSON.stringify({ ready: false, ...why }));
        return;
      }
      case '/load':
        sendJson(response, 200, JSON.stringify(after(context.load(), query)));
        return;
      case '/metrics': {
        const format = chooseFormat(request.headers.accept);
        context.metrics.text(format).then(
          (text) => {
            response.writeHead(200, { 'content-type': contentTypes[format], vary: 'accept' });
            response.end(text);
          },
          (error: unknown) => sendError(response, 500, String(error)),
        );
        return;
      }
      default:
        sendError(response, 404, 'the ops port has /livez, /readyz, /metrics and /load');
    }
  };
