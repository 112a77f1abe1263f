/** `GET /v2/models/stats` and its forms for one model: the statistics extension. */
import type { Request, Response } from 'express';
import { refusals } from '../../protocol/errors.ts';
import type { ModelStatistics } from '../inference/statistics.ts';
import { sendJson } from './answer.ts';

type Get = (path: string, handle: (request: Request, response: Response) => void) => void;

export interface StatisticsContext {
  readonly modelName: string;
  readonly modelVersion: string | undefined;
  statistics(): ModelStatistics;
}

/** Refuses a model or a version that is not the one served. */
export const checkModel = (
  request: Request,
  context: { readonly modelName: string; readonly modelVersion: string | undefined },
): void => {
  const { model, version } = request.params as { model?: string; version?: string };
  if (model !== context.modelName) throw refusals.unknownModel(model ?? '');
  if (version !== undefined && version !== context.modelVersion)
    throw refusals.unknownVersion(model, version);
};

/** Adds the routes; before those of `/v2/models/:model`, for which "stats" would be a name. */
export const addStatisticsRoutes = (get: Get, context: StatisticsContext): void => {
  const send = (response: Response) =>
    sendJson(response, 200, JSON.stringify({ model_stats: [context.statistics()] }));
  get('/v2/models/stats', (_request, response) => send(response));
  for (const path of ['/v2/models/:model/stats', '/v2/models/:model/versions/:version/stats'])
    get(path, (request, response) => {
      checkModel(request, context);
      send(response);
    });
};
