/** What the gateway itself answers instead of a pod. */

/** Why: a closed list, label of the metrics. */
export type RefusalReason =
  /** More wait than may. */
  | 'QueueFull'
  /** More bytes are held than may be. */
  | 'BytesHeld'
  /** The predicted wait is more than the promise leaves (`shedAt: SLA`). */
  | 'PredictedWait'
  /** The predicted end is later than the request's deadline. */
  | 'Deadline'
  /** The deadline passed. */
  | 'Timeout'
  /** The body was not complete in time. */
  | 'UploadTooSlow'
  /** No pod became ready in time. */
  | 'NoPod'
  /** More requests wait for the first pod than may. */
  | 'HeldFull'
  /** The pod could not be reached, broke off or answered nonsense. */
  | 'PodFailed'
  /** The gateway shuts down. */
  | 'Stopping'
  /** The request itself cannot be passed on. */
  | 'BadRequest';

/**
 * A refusal, with the seconds after which to come again where that helps. No Error: it is never thrown, and under overload
 * each would pay for a stack that nobody reads.
 */
export class Refusal {
  readonly status: number;
  readonly message: string;
  readonly reason: RefusalReason;
  readonly retryAfterSeconds: number | undefined;
  constructor(status: number, message: string, reason: RefusalReason, retryAfterSeconds?: number) {
    this.status = status;
    this.message = message;
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

const shown = (ms: number) => (ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms));

/** The answer when a deadline passed, milliseconds since the request arrived. */
export const timedOut = (limitMs: number): Refusal =>
  new Refusal(504, `Request timeout expired: not answered within ${shown(limitMs)} ms`, 'Timeout');

/** The answer when the client was still sending at its deadline. */
export const uploadTooSlow = (limitMs: number): Refusal =>
  new Refusal(408, `the request was not complete within ${shown(limitMs)} ms`, 'UploadTooSlow');

/** The answer to a body that comes in crumbs. */
export const inCrumbs = (): Refusal =>
  new Refusal(400, 'the body comes in too many pieces of a few bytes', 'BadRequest');

/** The answer to a body in small pieces while others of its model come so too. */
export const tooManyInCrumbs = (): Refusal =>
  new Refusal(429, 'too many bodies come in pieces of a few bytes at once', 'QueueFull', 1);

/** The answer when no pod became ready while the request waited. */
export const noPod = (model: string, waitedMs: number): Refusal =>
  new Refusal(503, `model '${model}' has no ready pod (waited ${shown(waitedMs)} ms)`, 'NoPod', 1);

/** The answer when the pod broke off, or never answered in HTTP. */
export const podFailed = (message: string): Refusal => new Refusal(502, message, 'PodFailed');
