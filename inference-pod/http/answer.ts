/** Writes JSON answers with what every answer of the pod carries. */
import type { ServerResponse } from 'node:http';
import { encodeError } from '../../protocol/encode.ts';

export interface AnswerOptions {
  readonly requestId?: string;
  /** `traceresponse`, for callers that say which trace they belong to. */
  readonly trace?: string | undefined;
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

/** The headers of an answer, in their order; what Node adds to them (date, keep-alive) is not among them. */
export const headersOf = (body: Buffer, options: AnswerOptions): Record<string, string | number> => {
  const { trace, requestId } = options;
  const headers: Record<string, string | number> = trace === undefined ? {} : { traceresponse: trace };
  headers['content-type'] = 'application/json';
  headers['content-length'] = body.length;
  if (options.headers !== undefined) Object.assign(headers, options.headers);
  if (requestId !== undefined) headers['x-request-id'] = requestId;
  if (options.close === true) headers.connection = 'close';
  return headers;
};

/** Sends a body of any type in one write; JSON when the headers do not say. */
export const sendBody = (
  response: ServerResponse,
  status: number,
  body: Buffer,
  options: AnswerOptions = {},
) => {
  response.writeHead(status, headersOf(body, options));
  response.end(body);
};

/** Sends `{"error": message}`. */
export const sendError = (
  response: ServerResponse,
  status: number,
  message: string,
  options: AnswerOptions = {},
) => sendJson(response, status, encodeError(message), options);
