/** Pure rules of waiting at the gateway (DESIGN §4, "Waiting and refusing"): whether a request may wait, and how long. */
import { Refusal } from './refusal.ts';

/** What a deployment promises and bounds, from its route. */
export interface WaitRules {
  readonly timeoutMs: number;
  /** The highest promised latency, milliseconds, when `traffic.shedAt` is `SLA`. */
  readonly shedMs: number | undefined;
  readonly maxWaiting: number;
}

export interface WaitState {
  /** Requests that wait in front of this one. */
  readonly waiting: number;
  /** Slots of all pods that may get requests. */
  readonly slots: number;
  /** Mean time that a pod has a request in hand, milliseconds; undefined before the first answer. */
  readonly serviceMs: number | undefined;
  /** What is left until the request's deadline, milliseconds. */
  readonly leftMs: number;
}

/** Part of the promise that the prediction is held to: one that aims at the promise itself breaks it half of the time. */
const promiseShare = 0.8;
const deadlineShare = 0.9;

/**
 * Until a slot is free for a request behind `waiting` others, milliseconds: with every slot busy one gets free each S/slots
 * on average (Little's law), whatever the distribution.
 */
export const predictedWaitMs = ({ waiting, slots, serviceMs }: WaitState): number =>
  serviceMs === undefined || slots === 0 ? 0 : ((waiting + 1) * serviceMs) / slots;

/** The refusal of a request that finds no free slot, or undefined: it may wait. An empty queue always admits. */
export const refusalOfWait = (state: WaitState, rules: WaitRules): Refusal | undefined => {
  const { waiting, serviceMs = 0, leftMs } = state;
  if (waiting === 0) return undefined;
  const waitMs = predictedWaitMs(state);
  if (waiting >= rules.maxWaiting)
    return new Refusal(
      429,
      `Exceeds maximum queue size: ${waiting} requests wait`,
      'QueueFull',
      inSeconds(waitMs),
    );
  if (rules.shedMs !== undefined) {
    // A service time above the promise is the deployment's trouble, said in its status: it must not refuse everything.
    const mostMs = Math.max(promiseShare * rules.shedMs - serviceMs, serviceMs);
    if (waitMs > mostMs)
      return new Refusal(
        429,
        `the predicted wait of ${shown(waitMs)} ms is more than the ${shown(mostMs)} ms that the promised latency of ${shown(rules.shedMs)} ms leaves (spec.traffic.shedAt)`,
        'PredictedWait',
        inSeconds(waitMs - mostMs),
      );
  }
  const endMs = waitMs + serviceMs;
  if (endMs > deadlineShare * leftMs)
    return new Refusal(
      429,
      `the answer is predicted in ${shown(endMs)} ms, too late for the ${shown(leftMs)} ms that the request may take`,
      'Deadline',
      inSeconds(endMs - deadlineShare * leftMs),
    );
  return undefined;
};

const inSeconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000));
const shown = (ms: number) => (ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms));
