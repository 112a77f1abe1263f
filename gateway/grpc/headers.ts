/** Metadata from one hop to the next, and what a status counts as. */
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, sensitiveHeaders } from 'node:http2';
import { codeOf, encodeStatusMessage } from '../../protocol/grpc/status.ts';
import type { Refusal } from '../queue/refusal.ts';

/** Headers as Node takes them: a list of names and values in turn costs it less than an object. */
export type SentHeaders = OutgoingHttpHeaders | string[];

/** Lists that are longer are not looked through for a name that is there twice. */
const mostLooked = 64;

/**
 * What came, to be sent on: as the list that it came in, unless a name is there twice (Node puts those together as each of them
 * asks for) or some of it must not be kept by compression.
 */
export const asCame = (headers: IncomingHttpHeaders, list: string[]): SentHeaders => {
  if (list.length > mostLooked || isSensitive(headers)) return headers;
  for (let i = 2; i < list.length; i += 2)
    for (let j = 0; j < i; j += 2) if (list[i] === list[j]) return headers;
  return list;
};

const isSensitive = (headers: IncomingHttpHeaders) =>
  ((headers as Record<symbol, readonly string[] | undefined>)[sensitiveHeaders]?.length ?? 0) > 0;

/** Metadata of the call to the pod; `leftMs` undefined leaves a stream without a deadline. */
export const requestHeaders = (
  headers: IncomingHttpHeaders,
  list: string[],
  client: string,
  leftMs: number | undefined,
): SentHeaders => {
  const before = headers['x-forwarded-for'];
  const forwarded = before === undefined ? client : `${String(before)}, ${client}`;
  const via = headers.via === undefined ? '2.0 ballast' : `${headers.via}, 2.0 ballast`;
  const timeout = leftMs === undefined ? undefined : `${coarse(Math.min(99_999_999, leftMs))}m`;
  const came = asCame(headers, list);
  if (!Array.isArray(came)) {
    const passed: OutgoingHttpHeaders = { ...came };
    for (const name of notPassed) delete passed[name];
    passed['x-forwarded-for'] = forwarded;
    passed.via = via;
    passed.te = 'trailers';
    if (timeout !== undefined) passed['grpc-timeout'] = timeout;
    return passed;
  }
  const passed: string[] = [];
  for (let i = 0; i < came.length; i += 2) {
    const name = came[i] as string;
    if (!notPassed.has(name) && !written.has(name)) passed.push(name, came[i + 1] as string);
  }
  passed.push('x-forwarded-for', forwarded, 'via', via, 'te', 'trailers');
  if (timeout !== undefined) passed.push('grpc-timeout', timeout);
  return passed;
};

/** Down to three digits: each number that was not sent before would push others out of the tables of HTTP/2's compression. */
const coarse = (ms: number): number => {
  let step = 1;
  while (ms >= 1_000 * step) step *= 10;
  return ms - (ms % step);
};

const notPassed: ReadonlySet<string> = new Set([
  'grpc-timeout',
  'ballast-deadline-ms',
  'host',
  'http2-settings',
]);
const written: ReadonlySet<string> = new Set(['x-forwarded-for', 'via', 'te']);

/** What an RPC's end counts as, in the statuses that REST would have. One that says none, or none that there is, failed. */
export const httpStatusOf = (grpcStatus: string | string[] | undefined): number =>
  statuses[String(grpcStatus)] ?? 500;

/** By gRPC's codes: what its client did wrong is 400. */
const statuses: Readonly<Record<string, number>> = {
  0: 200,
  1: 499,
  2: 500,
  3: 400,
  4: 504,
  5: 400,
  6: 400,
  7: 400,
  8: 429,
  9: 400,
  10: 400,
  11: 400,
  12: 400,
  13: 500,
  14: 503,
  15: 500,
  16: 400,
};

/** What the head of an answer counts as by itself: a status other than 200 comes from something that speaks no gRPC. */
export const headStatusOf = (headers: IncomingHttpHeaders): number => {
  const status = Number(headers[':status']);
  return understood.has(status) ? status : 500;
};
const understood: ReadonlySet<number> = new Set([200, 429, 503, 504]);

/** What an answer counts as that is a head alone. */
export const wholeStatusOf = (headers: IncomingHttpHeaders): number => {
  const status = headers['grpc-status'];
  return status === undefined && Number(headers[':status']) !== 200
    ? headStatusOf(headers)
    : httpStatusOf(status);
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
