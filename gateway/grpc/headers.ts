/** Metadata from one hop to the next, and what a status counts as. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { codeOf, encodeStatusMessage } from '../../protocol/grpc/status.ts';
import type { Refusal } from '../queue/refusal.ts';

const notPassed = ['grpc-timeout', 'ballast-deadline-ms', 'host', 'http2-settings'] as const;

/** Metadata of the call to the pod; `leftMs` undefined leaves a stream without a deadline. */
export const requestHeaders = (
  headers: IncomingHttpHeaders,
  client: string,
  leftMs: number | undefined,
): OutgoingHttpHeaders => {
  const passed: OutgoingHttpHeaders = { ...headers };
  for (const name of notPassed) delete passed[name];
  const before = headers['x-forwarded-for'];
  passed['x-forwarded-for'] = before === undefined ? client : `${String(before)}, ${client}`;
  const via = headers.via;
  passed.via = via === undefined ? '2.0 ballast' : `${via}, 2.0 ballast`;
  passed.te = 'trailers';
  if (leftMs !== undefined) passed['grpc-timeout'] = `${Math.min(99_999_999, leftMs)}m`;
  return passed;
};

/** What an RPC's end counts as, in the statuses that REST would have. */
export const httpStatusOf = (grpcStatus: string | string[] | undefined): number =>
  statuses[String(grpcStatus ?? '0')] ?? 400;

const statuses: Readonly<Record<string, number>> = {
  0: 200,
  1: 499,
  2: 500,
  4: 504,
  8: 429,
  13: 500,
  14: 503,
  15: 500,
};

/** A refusal as trailers that come alone. */
export const refusalHeaders = ({ status, message, retryAfterSeconds }: Refusal): OutgoingHttpHeaders => ({
  ':status': 200,
  'content-type': 'application/grpc',
  // A pod that broke off is a server that is not there for the moment: what the client's retry rules look for.
  'grpc-status': String(status === 502 ? 14 : codeOf(status)),
  'grpc-message': encodeStatusMessage(message),
  ...(retryAfterSeconds === undefined
    ? {}
    : {
        'retry-after': String(retryAfterSeconds),
        'grpc-retry-pushback-ms': String(retryAfterSeconds * 1000),
      }),
});
