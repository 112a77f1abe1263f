/** Pure rules of who may come in: state of the pod, bounds of what it holds, deadlines. How long one may wait: wait.ts. */
import { ProtocolError } from '../../protocol/errors.ts';

/** Why a request was refused, for metrics and the access log. */
export type RefusalReason =
  | 'NotReady'
  | 'Stopping'
  | 'TooManyInFlight'
  | 'BytesHeld'
  | 'QueueFull'
  | 'PredictedWait'
  | 'Deadline'
  | 'Timeout'
  | 'UploadTooSlow';

/** A refusal that tells the caller when to come back. */
export class Overloaded extends ProtocolError {
  readonly retryAfterSeconds: number;
  readonly reason: RefusalReason;
  constructor(status: 429 | 503, message: string, retryAfterSeconds: number, reason: RefusalReason) {
    super(status, message);
    this.name = 'Overloaded';
    this.retryAfterSeconds = retryAfterSeconds;
    this.reason = reason;
  }
}

/** A deadline that passed. */
class Late extends ProtocolError {
  readonly reason: RefusalReason;
  constructor(status: 408 | 504, message: string, reason: RefusalReason) {
    super(status, message);
    this.name = 'Late';
    this.reason = reason;
  }
}

export interface AdmissionState {
  readonly modelName: string;
  readonly phase: Phase;
  /** Another file than the recorded one is here: it is never served. */
  readonly digestMoved: boolean;
  /** Requests that were let in and are not answered: those that upload, wait and run. */
  readonly inFlight: number;
  readonly maxInFlight: number;
  readonly bytesHeld: number;
  readonly maxBytesHeld: number;
}

/** Life of a pod. Draining still serves, since proxies learn of it with a delay; stopping does no more. */
export type Phase = 'loading' | 'ready' | 'draining' | 'stopping';

/** The refusal of a request that just arrived, or undefined when it may come in. `bodyBytes` is what it announces. */
export const refusalAtArrival = (state: AdmissionState, bodyBytes: number): ProtocolError | undefined => {
  if (state.phase === 'loading' || state.digestMoved) return notReady(state.modelName);
  if (state.phase === 'stopping') return new Overloaded(503, 'the server is shutting down', 1, 'Stopping');
  // A pod that holds nothing admits, whatever the size of the body: maxBodyBytes bounds that.
  if (state.inFlight === 0) return undefined;
  if (state.inFlight >= state.maxInFlight)
    return new Overloaded(429, `Exceeds maximum requests in flight: ${state.inFlight}`, 1, 'TooManyInFlight');
  return refusalOfBytes(state, bodyBytes);
};

/** The refusal of more bytes than fit beside those that are held, or undefined. */
export const refusalOfBytes = (
  state: Pick<AdmissionState, 'bytesHeld' | 'maxBytesHeld'>,
  more: number,
): ProtocolError | undefined =>
  more > 0 && state.bytesHeld > 0 && state.bytesHeld + more > state.maxBytesHeld
    ? new Overloaded(
        429,
        `Exceeds maximum queue size: bodies of ${state.bytesHeld} bytes are held`,
        1,
        'BytesHeld',
      )
    : undefined;

/** The refusal while there is no model to ask. */
export const notReady = (modelName: string): Overloaded =>
  new Overloaded(503, `model '${modelName}' is not ready`, 1, 'NotReady');

/** The limit in the parameters of a request: `timeout` in microseconds, as Triton has it. */
export const parameterTimeoutMs = (timeout: unknown): number | undefined => {
  const micros = typeof timeout === 'string' && /^\d{1,12}$/.test(timeout) ? Number(timeout) : timeout;
  return typeof micros === 'number' && micros > 0 && micros <= Number.MAX_SAFE_INTEGER
    ? micros / 1000
    : undefined;
};

/** The answer when a deadline passed. */
export const timedOut = (limitMs: number): ProtocolError =>
  new Late(
    504,
    `Request timeout expired: not answered within ${Math.round(limitMs * 10) / 10} ms`,
    'Timeout',
  );

/** The answer when the deadline passed while the caller was still sending. */
export const uploadTooSlow = (limitMs: number): ProtocolError =>
  new Late(408, `the request was not complete within ${Math.round(limitMs)} ms`, 'UploadTooSlow');
