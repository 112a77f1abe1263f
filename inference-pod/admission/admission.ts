/** Pure rules of who may come in: state of the pod, bounds of the queue, deadlines. */
import { ProtocolError } from '../../protocol/errors.ts';

/** A refusal that tells the caller when to come back. */
export class Overloaded extends ProtocolError {
  readonly retryAfterSeconds: number;
  constructor(status: 429 | 503, message: string, retryAfterSeconds: number) {
    super(status, message);
    this.name = 'Overloaded';
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface AdmissionState {
  readonly modelName: string;
  readonly phase: Phase;
  /** Another file than the recorded one is here: it is never served. */
  readonly digestMoved: boolean;
  /** Requests that were let in and are not answered, those in the runner included. */
  readonly admitted: number;
  readonly maxQueue: number;
  readonly bytesHeld: number;
  readonly maxBytesHeld: number;
  /** Seconds that the runner needs for one request, as last measured; undefined before the first. */
  readonly serviceSeconds: number | undefined;
}

/** Life of a pod. Draining still serves, since proxies learn of it with a delay; stopping does no more. */
export type Phase = 'loading' | 'ready' | 'draining' | 'stopping';

/** The refusal of a request that just arrived, or undefined when it may come in. `bodyBytes` is what it announces. */
export const refusalAtArrival = (state: AdmissionState, bodyBytes: number): ProtocolError | undefined => {
  if (state.phase === 'loading' || state.digestMoved)
    return new Overloaded(503, `model '${state.modelName}' is not ready`, 1);
  if (state.phase === 'stopping') return new Overloaded(503, 'the server is shutting down', 1);
  const wait = Math.max(1, Math.ceil((state.serviceSeconds ?? 0) * state.admitted));
  // An empty queue always admits, whatever the size of the body: maxBodyBytes bounds that.
  if (state.admitted === 0) return undefined;
  if (state.admitted >= state.maxQueue)
    return new Overloaded(429, `Exceeds maximum queue size: ${state.admitted} requests wait`, wait);
  if (state.bytesHeld + bodyBytes > state.maxBytesHeld)
    return new Overloaded(429, `Exceeds maximum queue size: bodies of ${state.bytesHeld} bytes wait`, wait);
  return undefined;
};

/** What a caller may wait at most, milliseconds: the deployment's timeout, or less when the caller said so. */
export const allowedMs = (timeoutMs: number, clientMs: number | undefined): number =>
  clientMs !== undefined && clientMs > 0 ? Math.min(timeoutMs, clientMs) : timeoutMs;

/** The caller's own limit: `x-request-timeout-ms`, or what Envoy says it waits. */
export const clientTimeoutMs = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
): number | undefined => {
  const text = headers['x-request-timeout-ms'] ?? headers['x-envoy-expected-rq-timeout-ms'];
  return typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
};

/** The answer when a deadline passed. */
export const timedOut = (limitMs: number): ProtocolError =>
  new ProtocolError(504, `Request timeout expired: not answered within ${limitMs} ms`);

/** The answer when the deadline passed while the caller was still sending. */
export const uploadTooSlow = (limitMs: number): ProtocolError =>
  new ProtocolError(408, `the request was not complete within ${limitMs} ms`);
