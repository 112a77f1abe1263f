/** `/v2/repository`: the one model can be listed; what would change it is refused, since a revision is immutable. */
import type { Express, Request, Response } from 'express';
import { messageOf, refusals } from '../../protocol/errors.ts';
import { sendError, sendJson } from './answer.ts';

export interface RepositoryContext {
  readonly modelName: string;
  readonly modelVersion: string | undefined;
  /** Undefined when ready, else why not. */
  unreadiness(): { reason: string; message: string } | undefined;
}

/** Longest body of an index request: `{"ready": true}` and nothing else. */
const maxIndexBytes = 4_096;

const post = (app: Express, path: string, handle: (request: Request, response: Response) => void) =>
  app
    .route(path)
    .post(handle)
    .all((_request, response) =>
      sendError(response, 405, 'Method Not Allowed', { headers: { allow: 'POST' } }),
    );

/** True when only models that are ready are asked for. */
const readyOnly = async (request: Request): Promise<boolean> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxIndexBytes) throw refusals.malformed(`more than ${maxIndexBytes} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  if (text.trim() === '') return false;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw refusals.malformed(messageOf(error));
  }
  const ready = typeof body === 'object' && body !== null ? (body as { ready?: unknown }).ready : body;
  if (ready !== undefined && typeof ready !== 'boolean')
    throw refusals.envelope('ready', 'must be true or false');
  return ready === true;
};

/** Adds the routes. */
export const addRepositoryRoutes = (app: Express, context: RepositoryContext): void => {
  const index = (request: Request, response: Response, next: (error: unknown) => void) => {
    readyOnly(request).then((isReadyOnly) => {
      const why = context.unreadiness();
      const model = {
        name: context.modelName,
        ...(context.modelVersion === undefined ? {} : { version: context.modelVersion }),
        state: why === undefined ? 'READY' : 'UNAVAILABLE',
        ...(why === undefined ? {} : { reason: `${why.reason}: ${why.message}` }),
      };
      sendJson(response, 200, JSON.stringify(isReadyOnly && why !== undefined ? [] : [model]));
    }, next);
  };
  app
    .route('/v2/repository/index')
    .post(index)
    .all((_request, response) =>
      sendError(response, 405, 'Method Not Allowed', { headers: { allow: 'POST' } }),
    );
  for (const action of ['load', 'unload'] as const)
    post(app, `/v2/repository/models/:model/${action}`, (_request, response) =>
      sendError(
        response,
        501,
        `${action} is not supported: a revision serves one model as long as it lives. To serve another, change spec.model of the ModelDeployment`,
      ),
    );
  for (const path of ['index', 'models/:model/load', 'models/:model/unload'])
    post(app, `/v2/repository/:repository/${path}`, (_request, response) =>
      sendError(response, 501, "'repository_name' is not supported"),
    );
};
