/** Everything on the serving port but infer: health, metadata and the page, by express. */
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { encodeModelMetadata } from '../../protocol/encode.ts';
import { messageOf } from '../../protocol/errors.ts';
import type { AccessLog } from '../log/access-log.ts';
import { traceOfHeaders, traceResponse } from '../log/trace.ts';
import { sendError, sendJson } from './answer.ts';
import { extensions } from './extensions.ts';
import { addPageRoutes, type PageContext } from './page/routes.ts';
import { addRepositoryRoutes } from './repository.ts';
import { requestIdOf } from './request-id.ts';
import { addStatisticsRoutes, checkModel, type StatisticsContext } from './statistics.ts';
import { addV1Routes } from './v1-models.ts';

export interface AppContext extends PageContext, StatisticsContext {
  readonly accessLog: AccessLog;
  nowMs(): number;
}

/** Asked every few seconds by machines: no line in the log. */
const isProbe = /^\/v2\/(health\/|models\/.*\/ready\/?$)/;

/** Makes the express application. */
export const createApp = (context: AppContext): Express => {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('case sensitive routing', true);
  app.use((request, response, next) => {
    const requestId = requestIdOf(request);
    const trace = traceOfHeaders(request.headers);
    response.setHeader('x-request-id', requestId);
    if (trace !== undefined) response.setHeader('traceresponse', traceResponse(trace));
    if (!isProbe.test(request.path)) {
      const startedMs = context.nowMs();
      const path = request.path.slice(0, 200);
      response.once('finish', () => {
        const atMs = context.nowMs();
        const latencyMs = atMs - startedMs;
        context.accessLog.write(atMs, {
          protocol: 'http',
          path,
          requestId,
          trace,
          status: response.statusCode,
          latencyMs,
        });
      });
    }
    next();
  });

  const get = (path: string, handle: (request: Request, response: Response) => void) => {
    app
      .route(path)
      .get(handle)
      .all((_request, response) => {
        sendError(response, 405, 'Method Not Allowed', { headers: { allow: 'GET, HEAD' } });
      });
  };
  addPageRoutes(get, context);
  get('/v2', (_request, response) => {
    sendJson(response, 200, JSON.stringify({ name: 'ballast', version: context.serverVersion, extensions }));
  });
  get('/v2/health/live', (_request, response) => sendJson(response, 200, '{"live":true}'));
  get('/v2/health/ready', (_request, response) => {
    const why = context.unreadiness();
    if (why === undefined) sendJson(response, 200, '{"live":true,"ready":true}');
    else
      sendJson(
        response,
        503,
        JSON.stringify({ live: true, ready: false, error: `${why.reason}: ${why.message}` }),
      );
  });
  addStatisticsRoutes(get, context);
  addRepositoryRoutes(app, context);
  addV1Routes(get, context);
  const model = (path: string, handle: (response: Response) => void) =>
    get(path, (request, response) => {
      checkModel(request, context);
      handle(response);
    });
  for (const base of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    model(base, (response) => {
      const signature = context.signature();
      if (signature === undefined) sendError(response, 503, `model '${context.modelName}' is not ready`);
      else sendJson(response, 200, encodeModelMetadata(signature, context.modelVersion));
    });
    model(`${base}/ready`, (response) => {
      const why = context.unreadiness();
      const body = { name: context.modelName, ready: why === undefined };
      if (why === undefined) sendJson(response, 200, JSON.stringify(body));
      else
        sendJson(
          response,
          503,
          JSON.stringify({ ...body, error: `Model version not ready: ${why.reason}: ${why.message}` }),
        );
    });
  }
  app.use((request, response) =>
    sendError(response, 404, `there is nothing at ${request.path.slice(0, 200)}`),
  );
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    const status = (error as { status?: unknown }).status;
    const known = typeof status === 'number' && status >= 400 && status < 500;
    const message = messageOf(error);
    sendError(response, known ? status : 500, message.slice(0, 1000));
  });
  return app;
};
