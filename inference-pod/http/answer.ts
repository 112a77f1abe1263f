/** Writes JSON answers with what every answer of the pod carries. */
import type { ServerResponse } from 'node:http';
import { encodeError } from '../../protocol/encode.ts';

export interface AnswerOptions {
  readonly requestId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Tells the client to open a new connection next time: this pod is going away. */
  readonly close?: boolean;
}

/** Sends a JSON body in one write. */
export const sendJson = (
  response: ServerResponse,
  status: number,
  text: string,
  options: AnswerOptions = {},
) => sendBody(response, status, Buffer.from(text), options);

/** Sends a body of any type in one write; JSON when the headers do not say. */
export const sendBody = (
  response: ServerResponse,
  status: number,
  body: Buffer,
  options: AnswerOptions = {},
) => {
  const headers: Record<string, string | number> = {
    'content-type': 'application/json',
    'content-length': body.length,
    ...options.headers,
  };
  if (options.requestId !== undefined) headers['x-request-id'] = options.requestId;
  if (options.close === true) headers.connection = 'close';
  response.writeHead(status, headers);
  response.end(body);
};

/** Sends `{"error": message}`. */
export const sendError = (
  response: ServerResponse,
  status: number,
  message: string,
  options: AnswerOptions = {},
) => sendJson(response, status, encodeError(message), options);
