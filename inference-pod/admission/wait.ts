/** Pure rules of waiting: whether a request may wait, given what waits already and what that is predicted to take. */
import { Overloaded } from './admission.ts';

/** What is predicted of a request, milliseconds. */
export interface Forecast {
  /** Until the batch that it would be in begins. */
  readonly waitMs: number;
  /** What that batch takes. */
  readonly serviceMs: number;
}

export interface WaitState extends Forecast {
  /** Requests that wait for the runner; the batch that runs is not among them. */
  readonly waiting: number;
  readonly maxQueue: number;
  /** What it has waited already, in its socket: the promise has begun to run. */
  readonly stoodMs: number;
  /** What is left until the deadline: the caller's own or the deployment's. */
  readonly leftMs: number;
  /** The highest promised latency, when `traffic.shedAt` is `SLA`. */
  readonly shedMs: number | undefined;
  /** The part of it that a predicted answer may use: `promiseShare`, or less where promises were broken. */
  readonly usableShare: number;
}

/** Part of the promise that the prediction is held to: one that aims at the promise itself breaks it half of the time. */
export const promiseShare = 0.8;
const deadlineShare = 0.9;

const retryAfter = (excessMs: number) => Math.max(1, Math.ceil(excessMs / 1000));

/** The refusal of a request that would wait too long, or undefined. An empty queue always admits. */
export const refusalOfWait = (state: WaitState): Overloaded | undefined => {
  const { waiting, waitMs, serviceMs, stoodMs, leftMs, shedMs, usableShare } = state;
  if (waiting === 0) return undefined;
  if (waiting >= state.maxQueue)
    return new Overloaded(
      429,
      `Exceeds maximum queue size: ${waiting} requests wait`,
      retryAfter(waitMs),
      'QueueFull',
    );
  if (shedMs !== undefined) {
    // A service time above the promise is the deployment's trouble, said in its status: it must not refuse everything.
    const mostMs = Math.max(usableShare * shedMs - serviceMs - stoodMs, serviceMs);
    if (waitMs > mostMs)
      return new Overloaded(
        429,
        `the predicted wait of ${shown(waitMs)} ms is more than the ${shown(mostMs)} ms that the promised latency of ${shown(shedMs)} ms leaves (spec.traffic.shedAt)`,
        retryAfter(waitMs - mostMs),
        'PredictedWait',
      );
  }
  const endMs = waitMs + serviceMs;
  if (endMs > deadlineShare * leftMs)
    return new Overloaded(
      429,
      `the answer is predicted in ${shown(endMs)} ms, too late for the ${shown(leftMs)} ms that the request may take`,
      retryAfter(endMs - deadlineShare * leftMs),
      'Deadline',
    );
  return undefined;
};

/** What the promise leaves of a request's life once it was let in, milliseconds. */
export interface Promised {
  readonly startedMs: number;
  readonly serviceMs: number;
  readonly shedMs: number | undefined;
  /** From the end of a run until its last answer is written. */
  readonly lastAnswerMs: number;
}

/**
 * When the run of a request must have ended. Infinite without `shedAt: SLA`, and where the service time leaves of the promise
 * no more than itself: what was let in to wait for one run is not dropped for that.
 */
export const promiseEndMs = ({ startedMs, serviceMs, shedMs, lastAnswerMs }: Promised): number =>
  shedMs === undefined || promiseShare * shedMs - serviceMs < serviceMs
    ? Number.POSITIVE_INFINITY
    : startedMs + shedMs - lastAnswerMs;

/** The refusal of a request that waited longer than was predicted, so that its answer would break the promise. */
export const promiseBroken = (endMs: number, shedMs: number): Overloaded =>
  new Overloaded(
    429,
    `the answer is predicted in ${shown(endMs)} ms by now, later than the promised latency of ${shown(shedMs)} ms (spec.traffic.shedAt)`,
    1,
    'PredictedWait',
  );

const shown = (ms: number) => (ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms));
