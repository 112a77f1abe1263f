/** The one error of this room and the questions that callers ask of it. */
import type { Status } from './objects.ts';

/** Why a call failed where the server gave no `Status.reason`. */
export type ClientFault =
  /** The connection was refused: nobody listens. */
  | 'ConnectionRefused'
  /** Any other fault of the network: reset, unreachable, closed half way. */
  | 'Network'
  /** The deadline of the call passed. */
  | 'Timeout'
  /** The caller's signal was aborted. */
  | 'Aborted'
  /** The server sent something that is not its protocol: a line that does not parse, a body that is no JSON. */
  | 'Protocol'
  /** The call was not sent: this process may not write now (kube/leader-gate.ts). */
  | 'NotLeading';

export interface ApiErrorDetails {
  /** HTTP status; 0 when no answer came. */
  readonly code: number;
  /** `Status.reason` of the server, or a `ClientFault`. */
  readonly reason: string;
  readonly message: string;
  readonly status?: Status | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** Failure of one call to the API server. The message holds no port, time or random name, so it may stand in a condition. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly status: Status | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(details: ApiErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'ApiError';
    this.code = details.code;
    this.reason = details.reason;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
  }
}

const isApiError = (error: unknown): error is ApiError => error instanceof ApiError;
const hasReason = (error: unknown, ...reasons: string[]) =>
  isApiError(error) && reasons.includes(error.reason);

/** 404: the object (or the kind) is not there. */
export const isNotFound = (error: unknown): boolean => isApiError(error) && error.code === 404;

/** 409 because of a stale resourceVersion, a failed precondition or another field manager; not `AlreadyExists`. */
export const isConflict = (error: unknown): boolean =>
  isApiError(error) && error.code === 409 && error.reason !== 'AlreadyExists';

/** 409 because an object of that name is there. */
export const isAlreadyExists = (error: unknown): boolean => hasReason(error, 'AlreadyExists');

/** 410: the resourceVersion or continue token is older than what the server keeps. */
export const isGone = (error: unknown): boolean =>
  isApiError(error) && (error.code === 410 || error.reason === 'Expired' || error.reason === 'Gone');

/** 403: the caller lacks a permission, or an admission rule or quota refuses. */
export const isForbidden = (error: unknown): boolean => isApiError(error) && error.code === 403;

/**
 * 400 or 422: the object itself is wrong, so the same call will fail again. Server-side apply says so with a 500 where a
 * field does not exist or has the wrong type: every real server up to 1.36 does.
 */
export const isInvalid = (error: unknown): boolean =>
  isApiError(error) && (error.code === 422 || error.code === 400 || isNotTyped(error));
const isNotTyped = ({ code, message }: ApiError) =>
  code === 500 && message.includes('failed to create typed patch object');

/** 429: asked too often. */
export const isTooManyRequests = (error: unknown): boolean => isApiError(error) && error.code === 429;

/** The deadline of the call passed before it ended. */
export const isTimeout = (error: unknown): boolean => hasReason(error, 'Timeout') || isServerTimeout(error);
const isServerTimeout = (error: unknown) => isApiError(error) && error.code === 504;

/** The caller gave the call up. */
export const isAborted = (error: unknown): boolean => hasReason(error, 'Aborted');

/** Nobody listens at the server's address. */
export const isConnectionRefused = (error: unknown): boolean => hasReason(error, 'ConnectionRefused');

/** The server broke its own protocol. */
export const isProtocolError = (error: unknown): boolean => hasReason(error, 'Protocol');

/** The same call may succeed later: network and time faults, 408, 429 and 5xx, a conflict after a new read. */
export const isRetryable = (error: unknown): boolean =>
  isApiError(error) &&
  (hasReason(error, 'ConnectionRefused', 'Network', 'Timeout', 'Protocol') ||
    error.code === 408 ||
    error.code === 409 ||
    error.code === 429 ||
    error.code >= 500);

/** The server is away or overloaded: no answer, 429 or 5xx. It says nothing about the object of the call. */
export const isUnavailable = (error: unknown): boolean =>
  isApiError(error) &&
  !isNotTyped(error) &&
  (error.code === 429 || error.code >= 500 || (error.code === 0 && isRetryable(error)));

/**
 * Whether a failure speaks of this very write, so that its words are worth telling if it fails again and again: not that
 * the server was out of reach or had too much to do, which all writes share, nor that the store was behind.
 */
export const isOfThisWrite = (error: unknown): boolean =>
  !isApiError(error) || (error.code !== 0 && error.code !== 429 && !isConflict(error));

/** How long the server asked to wait, milliseconds; undefined when it did not say. */
export const retryAfterMs = (error: unknown): number | undefined =>
  isApiError(error) ? error.retryAfterMs : undefined;

/** Thrown by a reconciler for a fault that no retry heals: counted and logged, tried again only on a change. */
export class TerminalError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'TerminalError';
  }
}

const faultOfCode: Record<string, ClientFault> = {
  ECONNREFUSED: 'ConnectionRefused',
  UND_ERR_CONNECT_TIMEOUT: 'Timeout',
  UND_ERR_HEADERS_TIMEOUT: 'Timeout',
  UND_ERR_BODY_TIMEOUT: 'Timeout',
};

/** Code of the system error below an error: undici and `AggregateError` (several addresses) wrap it. */
function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('errors' in error && Array.isArray(error.errors)) return systemErrorCode(error.errors[0]);
  return 'cause' in error ? systemErrorCode(error.cause) : undefined;
}

/** Makes an `ApiError` of whatever the HTTP client threw. */
export function networkError(what: string, error: unknown): ApiError {
  if (isApiError(error)) return error;
  const code = systemErrorCode(error);
  const reason = (code === undefined ? undefined : faultOfCode[code]) ?? 'Network';
  return new ApiError({ code: 0, reason, message: `${what}: ${code ?? 'network fault'}`, cause: error });
}

/** Makes an `ApiError` of an answer that is not 2xx; `body` is what the server sent, a `Status` as a rule. */
export function answerError(
  what: string,
  code: number,
  headers: { readonly [name: string]: string | string[] | undefined },
  body: string,
  nowMs: number,
): ApiError {
  const status = parseStatus(body);
  const fromHeader = parseRetryAfter(headers['retry-after'], nowMs);
  const seconds = status?.details?.retryAfterSeconds;
  const text = status?.message ?? (body.trim() === '' ? 'no message' : body.trim().slice(0, 300));
  return new ApiError({
    code,
    reason: status?.reason ?? `HTTP${code}`,
    message: `${what}: ${code} ${status?.reason ?? ''}${status?.reason ? ': ' : ''}${text}`,
    status,
    retryAfterMs: fromHeader ?? (seconds === undefined || seconds <= 0 ? undefined : seconds * 1000),
  });
}

/** Makes an `ApiError` of an `ERROR` event inside a watch. */
export function statusError(what: string, status: Status): ApiError {
  const code = status.code ?? 500;
  return new ApiError({
    code,
    reason: status.reason ?? `HTTP${code}`,
    message: `${what}: ${code} ${status.reason ?? ''}: ${status.message ?? 'no message'}`,
    status,
  });
}

function parseStatus(body: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status')
      return value as Status;
  } catch {
    // Proxies answer in HTML or plain text: the caller keeps the text as the message.
  }
  return undefined;
}

/** Milliseconds of a `Retry-After` header: seconds, or a date. */
function parseRetryAfter(value: string | string[] | undefined, nowMs: number): number | undefined {
  const text = Array.isArray(value) ? value[0] : value;
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text.trim())) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
