/** `GET /v1/models` and `GET /v1/models/NAME`: what KServe's V1 protocol has beside `:predict`. */
import type { Request, Response } from 'express';
import { sendJson } from './answer.ts';
import { checkModel } from './statistics.ts';

type Get = (path: string, handle: (request: Request, response: Response) => void) => void;

export interface V1Context {
  readonly modelName: string;
  readonly modelVersion: string | undefined;
  /** Undefined when ready, else why not. */
  unreadiness(): { reason: string; message: string } | undefined;
}

/** Adds the routes, and `GET /v2/models`, which KServe's own server has too. */
export const addV1Routes = (get: Get, context: V1Context): void => {
  for (const path of ['/v1/models', '/v2/models'])
    get(path, (_request, response) =>
      sendJson(response, 200, JSON.stringify({ models: [context.modelName] })),
    );
  get('/v1/models/:model', (request, response) => {
    checkModel(request, context);
    const why = context.unreadiness();
    const body = { name: context.modelName, ready: why === undefined };
    if (why === undefined) sendJson(response, 200, JSON.stringify(body));
    else sendJson(response, 503, JSON.stringify({ ...body, error: `${why.reason}: ${why.message}` }));
  });
};
