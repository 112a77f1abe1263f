/** One request on a resource, with what its handlers share. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Kind } from '../kind.ts';
import type { AnyObject } from '../object.ts';
import { patchTypes } from '../patching.ts';
import type { Registry } from '../registry.ts';
import type { Wanted } from './accept.ts';
import { addWarning, sendValue } from './answer.ts';
import { compact, writeQuery } from './query.ts';
import type { ResourcePath } from './request-info.ts';
import { shapeFor } from './shape.ts';

export interface Exchange {
  readonly registry: Registry;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: ResourcePath;
  readonly query: URLSearchParams;
  readonly kind: Kind;
}

/** Write options of the query, with a manager named after the client where it names none, and warnings wired up. */
export function writeOptions(exchange: Exchange) {
  const { fieldManager, dryRun, fieldValidation } = writeQuery(exchange.query, exchange.request.method);
  const agent = exchange.request.headers['user-agent'] ?? '';
  const fallback = agent.split('/')[0]?.slice(0, 128);
  const isApply = exchange.request.headers['content-type']?.startsWith(patchTypes.apply) ?? false;
  const manager = fieldManager ?? (isApply ? undefined : fallback === '' ? 'unknown' : fallback);
  return {
    ...compact({ fieldManager: manager }),
    dryRun,
    fieldValidation,
    warn: (text: string) => addWarning(exchange.response, text),
  };
}

/** Sends one object in the form that the client wants. */
export function sendObject(exchange: Exchange, wanted: Wanted, code: number, object: AnyObject): void {
  const shape = object.kind === exchange.kind.kind ? shapeFor(exchange, wanted) : undefined;
  sendValue(exchange.response, code, shape?.object(object) ?? object, wanted.format);
}
