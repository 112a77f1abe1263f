/** gRPC's status codes, and which of them an HTTP status stands for. */

export const codes = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;
export type Code = (typeof codes)[keyof typeof codes];

/** How an RPC ends; `metadata` goes with the trailers. */
export interface Status {
  readonly code: Code;
  readonly message: string;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

const codeOfHttp: Readonly<Record<number, Code>> = {
  200: codes.ok,
  404: codes.notFound,
  408: codes.deadlineExceeded,
  413: codes.resourceExhausted,
  429: codes.resourceExhausted,
  499: codes.cancelled,
  501: codes.unimplemented,
  503: codes.unavailable,
  504: codes.deadlineExceeded,
};

/** The gRPC code of a refusal that REST answers with an HTTP status. */
export const codeOf = (httpStatus: number): Code =>
  codeOfHttp[httpStatus] ?? (httpStatus < 500 ? codes.invalidArgument : codes.internal);

const longest = 1000;

/** A status message as HTTP/2 carries it: percent-encoded UTF-8, cut to a length that every client takes. */
export const encodeStatusMessage = (message: string): string =>
  message
    .slice(0, longest)
    .toWellFormed()
    .replace(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent);

const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** Milliseconds of a `grpc-timeout` header; undefined when there is none or it is none. */
export const parseTimeout = (header: string | undefined): number | undefined => {
  const match = /^(\d{1,8})([HMSmun])$/.exec(header ?? '');
  if (match === null) return undefined;
  return Number(match[1]) * (unitMs[match[2] ?? ''] ?? 1);
};
