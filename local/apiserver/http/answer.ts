/** Writes answers: JSON or YAML, Status bodies, warnings. */
import type { ServerResponse } from 'node:http';
import { dump } from 'js-yaml';
import { encodeFrozen } from '../object.ts';
import { internalError, StatusError } from '../status-error.ts';
import type { Wanted } from './accept.ts';

/** Adds a Warning header that kubectl prints. */
export function addWarning(response: ServerResponse, text: string): void {
  const clean = text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/["\\]/g, '\\$&');
  // Node writes headers as latin-1.
  const ascii = clean.replaceAll(/[^\x20-\x7e]/g, '?');
  response.appendHeader('Warning', `299 - "${ascii}"`);
}

/** Sends a value as the body. */
export function sendValue(
  response: ServerResponse,
  code: number,
  value: object,
  format: Wanted['format'] = 'json',
): void {
  sendText(response, code, format === 'yaml' ? dump(value, { noRefs: true }) : encodeFrozen(value), format);
}

/** Sends text that is JSON or YAML already. */
export function sendText(
  response: ServerResponse,
  code: number,
  text: string,
  format: Wanted['format'] = 'json',
): void {
  if (response.destroyed || response.headersSent) return;
  const body = Buffer.from(text);
  response.writeHead(code, {
    'Content-Type': format === 'yaml' ? 'application/yaml' : 'application/json',
    'Content-Length': body.length,
    'Cache-Control': 'no-cache, private',
  });
  response.end(body);
}

/** Sends a failure as a Status; what is no StatusError is a fault of ours and says so. */
export function sendFailure(response: ServerResponse, error: unknown): void {
  const failure =
    error instanceof StatusError
      ? error
      : internalError(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const retryAfter = failure.status.details?.retryAfterSeconds;
  if (retryAfter !== undefined && !response.headersSent)
    response.setHeader('Retry-After', String(retryAfter));
  sendValue(response, failure.code, failure.status);
}
