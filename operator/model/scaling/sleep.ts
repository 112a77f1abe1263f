/** Scale to zero: when the last replica goes, and what ends the sleep. The gateway itself wakes the first one. */
import type { ModelDeploymentSpec } from '../../../crds/types.ts';
import { durationMs } from '../../../crds/values.ts';
import type { Known, ScalingState } from './types.ts';

/** Default of `scaling.scaleToZero.idleAfter`. */
export const defaultIdleAfter = '10m';
/** Default of `scaling.scaleToZero.maxHeldRequests`. */
export const defaultHeldRequests = 1_000;

/**
 * `awake`: replicas as the load needs them. `falling`: 0 is asked for, and the Deployment has not been seen at 0 yet.
 * `asleep`: it has; whoever raises it from then on is the gateway, because a request waits.
 */
export interface SleepState {
  readonly phase: 'awake' | 'falling' | 'asleep';
  /** Since when no request came, monotonic milliseconds. */
  readonly idleSinceMs: number | undefined;
  /** Of `falling`: since when. */
  readonly fallingSinceMs?: number;
}

/** What tells whether anybody wants the model. */
export interface SleepFacts {
  /** Replicas that the Deployments of all revisions ask for at present. */
  readonly asked: number;
  /** When a Deployment was last seen to be lowered to 0, monotonic milliseconds; absent: never. */
  readonly zeroAtMs?: number | undefined;
  readonly rolloutInProgress: boolean;
  /** The Service leads to a gateway: only there a request can wait for a first replica. */
  readonly isHeld: boolean;
  /** Offered requests per second over the last ten seconds. */
  readonly requestRate: Known<number>;
  readonly readyPods: number;
  /** Ready pods with a fresh reading. */
  readonly freshPods: number;
  /** Requests inside the pods. */
  readonly inFlight: number;
}

export interface Sleep {
  readonly state: SleepState;
  /** Why no replica is to run; undefined where replicas are to run. */
  readonly sentence: string | undefined;
}

const awake = (idleSinceMs?: number): Sleep => ({
  state: { phase: 'awake', idleSinceMs },
  sentence: undefined,
});

/** How long nobody must have asked; undefined where the spec wants no scale to zero, or cannot have it. */
export const idleAfterMs = ({ scaling, suspend }: ModelDeploymentSpec): number | undefined =>
  scaling.scaleToZero === undefined || scaling.mode !== 'SLA' || suspend === true
    ? undefined
    : durationMs(scaling.scaleToZero.idleAfter ?? defaultIdleAfter);

/**
 * One step. `before` is undefined at the first sight of a deployment, and `slept` tells whether its status says that 0
 * replicas were wanted: an operator that starts anew wakes nobody.
 *
 * | phase   | seen                                        | becomes                        |
 * | any     | no scaleToZero, a rollout, no gateway       | awake                          |
 * | awake   | requests, or not every ready pod was heard  | awake, the clock starts anew   |
 * | awake   | no request for idleAfter                    | falling                        |
 * | falling | a request                                   | awake                          |
 * | falling | the Deployment at 0                         | asleep                         |
 * | falling | above 0, and at 0 in between                | awake: the gateway was quicker |
 * | asleep  | the Deployment above 0: the gateway woke it | awake, the clock starts anew   |
 *
 * Missing or stale readings never put a model to sleep.
 */
export function sleepOf(
  before: SleepState | undefined,
  spec: ModelDeploymentSpec,
  facts: SleepFacts,
  slept: boolean,
  nowMs: number,
): Sleep {
  const afterMs = idleAfterMs(spec);
  if (afterMs === undefined || facts.rolloutInProgress || !facts.isHeld) return awake();
  const after = spec.scaling.scaleToZero?.idleAfter ?? defaultIdleAfter;
  const stay = (
    phase: 'falling' | 'asleep',
    idleSinceMs: number | undefined,
    fallingSinceMs?: number,
  ): Sleep => ({
    state: { phase, idleSinceMs, ...(fallingSinceMs === undefined ? {} : { fallingSinceMs }) },
    sentence: `no request for scaleToZero.idleAfter (${after}): no replica runs until one comes, which the gateway holds meanwhile`,
  });
  const state: SleepState = before ?? {
    phase: slept && facts.asked === 0 ? 'asleep' : 'awake',
    idleSinceMs: undefined,
  };
  const isHeard = facts.readyPods > 0 && facts.freshPods === facts.readyPods;
  const isIdle = isHeard && facts.requestRate === 0 && facts.inFlight === 0;
  switch (state.phase) {
    case 'asleep':
      return facts.asked > 0 ? awake() : stay('asleep', state.idleSinceMs);
    case 'falling':
      if (facts.asked === 0) return stay('asleep', state.idleSinceMs);
      if ((facts.zeroAtMs ?? Number.NEGATIVE_INFINITY) >= (state.fallingSinceMs ?? nowMs)) return awake();
      return isHeard && !isIdle ? awake() : stay('falling', state.idleSinceMs, state.fallingSinceMs);
    case 'awake': {
      if (!isIdle) return awake();
      const sinceMs = state.idleSinceMs ?? nowMs;
      return nowMs - sinceMs >= afterMs ? stay('falling', sinceMs, nowMs) : awake(sinceMs);
    }
  }
}

/**
 * The scaler's memory at a step of a sleep. Once the last replica is gone, what a burst needed before is no reason to wake to
 * as many: the windows of a decrease would keep them for up to 150 s.
 */
export const memoryOf = ({ phase }: SleepState, state: ScalingState): ScalingState =>
  phase === 'asleep' ? { ...state, replicas: 0, recommendations: [] } : state;
