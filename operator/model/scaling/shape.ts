/** From what is needed to what is asked for: up at once, down slowly, never down on missing data, within the limits. */
import type { Estimates } from './estimate.ts';
import type {
  Known,
  Observation,
  Recommendation,
  ScalingInput,
  ScalingReason,
  ScalingState,
  Why,
} from './types.ts';

/** A decrease goes to the largest count that was wanted in this time: with 60 s steady Poisson traffic still flaps. */
const downWindowMs = 90_000;
/** A decrease by one, or by a twentieth, saves little and flaps most: it looks back further. */
const smallWindowMs = 150_000;
const smallShare = 0.05;
/** A decrease by half or more, and by four at least, is the end of a burst and no flap: it looks back less far, in larger steps. */
const largeWindowMs = 60_000;
const [largeShare, leastLarge] = [0.5, 4];
/** Complete figures are wanted for this long before a decrease. */
const historyMs = 60_000;
/** Between two steps of a decrease, and what one step takes at most. */
const [downEveryMs, downShare] = [10_000, 0.25];
const [largeEveryMs, largeDownShare] = [5_000, 0.5];
/** Figures that are gone for this long are told; after the second time the count goes back to the last well-founded one. */
const unheardTellMs = 30_000;
const unheardHoldMs = 600_000;

export interface ShapeInput {
  readonly state: ScalingState;
  readonly observation: Observation;
  readonly input: ScalingInput;
  readonly nowMs: number;
  readonly current: number;
  readonly estimates: Estimates;
  /** Replicas needed now. */
  readonly needed: Known<number>;
  /** Replicas that would keep the promise with room to spare: a decrease goes no lower. */
  readonly enough: Known<number>;
  readonly reason: ScalingReason;
  readonly sentence: string;
}

export interface Shaped {
  readonly replicas: number;
  readonly reason: ScalingReason;
  readonly sentence: string;
  readonly limited: Why['limited'];
  readonly next: ScalingState;
}

/** Recommendations of the window, kept as the descending staircase of which the first step is the maximum. */
export function record(
  before: readonly Recommendation[],
  atMs: number,
  replicas: number,
): readonly Recommendation[] {
  const kept = before.filter((step) => step.replicas > replicas && atMs - step.atMs < smallWindowMs);
  return [...kept, { atMs, replicas }];
}

const several = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

/** What stands against fewer replicas now, in words; undefined when nothing does. */
function reasonToWait(shape: ShapeInput, everyMs: number): string | undefined {
  const { state, observation, nowMs, estimates } = shape;
  if (estimates.freshness !== 'ok')
    return `only ${estimates.freshPods} of ${several(estimates.readyPods, 'ready pod', 'ready pods')} gave fresh figures`;
  if (state.panicUntilMs !== undefined && nowMs < state.panicUntilMs)
    return 'a burst was seen in the last 15s';
  if (observation.rolloutInProgress) return 'a rollout is in progress';
  if (estimates.coveredSeconds < historyMs / 1_000)
    return `only ${Math.floor(estimates.coveredSeconds)}s of history, 60s are needed`;
  if (state.freshSinceMs === undefined || nowMs - state.freshSinceMs < historyMs)
    return 'figures have been complete for less than 60s';
  if (state.lastDownAtMs !== undefined && nowMs - state.lastDownAtMs < everyMs)
    return `one step each ${everyMs / 1_000}s`;
  return undefined;
}

/** The count that is asked for, with the reason and the sentence that people read. */
export function shape(input: ShapeInput): Shaped {
  const { nowMs, observation, needed, enough, sentence } = input;
  const { scheduled, costCap } = input.input;
  const paid =
    costCap === undefined || costCap.replicas === 'unknown' ? Number.POSITIVE_INFINITY : costCap.replicas;
  const maxReplicas = Math.min(input.input.maxReplicas, paid);
  const minReplicas = Math.min(maxReplicas, Math.max(input.input.minReplicas, scheduled?.replicas ?? 0));
  const byCost = paid < input.input.maxReplicas;
  const bySchedule = scheduled !== undefined && scheduled.replicas > input.input.minReplicas;
  const least = bySchedule
    ? `the schedule (${scheduled.window}) wants at least ${scheduled.replicas}`
    : `minReplicas is ${minReplicas}`;
  const atLeast = bySchedule ? 'Schedule' : 'Minimum';
  const clamp = (count: number) => Math.min(Math.max(count, minReplicas), maxReplicas);
  const held = clamp(input.current);
  const recommendations =
    enough === 'unknown' ? input.state.recommendations : record(input.state.recommendations, nowMs, enough);
  const ready = input.estimates.readyPods;
  const unheardSinceMs =
    needed === 'unknown' && ready > 0 ? (input.state.unheardSinceMs ?? nowMs) : undefined;
  const state = { ...input.state, recommendations, unheardSinceMs };
  const done = (
    replicas: number,
    reason: ScalingReason,
    text: string,
    limited: Why['limited'] = undefined,
    lastDownAtMs = state.lastDownAtMs,
  ): Shaped => ({ replicas, reason, sentence: text, limited, next: { ...state, replicas, lastDownAtMs } });

  if (needed === 'unknown' || enough === 'unknown') {
    if (input.current === 0 && observation.pods.length === 0)
      return done(held, 'Minimum', `nothing runs yet: starts with ${several(held, 'replica', 'replicas')}`);
    const unheardMs = nowMs - (unheardSinceMs ?? nowMs);
    const silent =
      ready === 0
        ? 'no pod is ready yet'
        : `${ready === 1 ? 'the one ready pod gave no' : `none of ${ready} ready pods gave`} fresh figures`;
    // The largest count that was needed when figures last came; while all is well it is no more than what runs.
    const founded = clamp(recommendations[0]?.replicas ?? 0);
    const back = unheardMs >= unheardHoldMs && founded > held;
    const text = back
      ? `${silent} for ${Math.floor(unheardMs / 60_000)}min: back to ${founded}, what was needed when figures last came`
      : `${silent}: ${held} kept`;
    return done(
      back ? founded : held,
      'HoldUnknown',
      text,
      unheardMs >= unheardTellMs ? { reason: 'MetricsUnknown', sentence: text } : undefined,
    );
  }

  // The schedule is a floor within what is paid for: where it wants more, that is no quiet "2 wanted, between 1 and 4".
  const unpaid = byCost && bySchedule && scheduled.replicas > maxReplicas && needed <= maxReplicas;
  const limited: Why['limited'] = unpaid
    ? {
        reason: 'AtMaximum',
        sentence: `${sentence}; ${least}; but ${costCap?.sentence ?? ''}: raise scaling.maxHourlyCost, or ask for less in scaling.schedule`,
      }
    : needed > maxReplicas
      ? {
          reason: 'AtMaximum',
          sentence: byCost
            ? `${sentence}; ${costCap?.sentence ?? ''}: raise scaling.maxHourlyCost, or promise less`
            : `${sentence}; maxReplicas is ${maxReplicas}: raise scaling.maxReplicas to ${needed}, or promise less`,
        }
      : undefined;
  const wanted = clamp(needed);
  if (wanted > held) {
    // Pods that crash or find no room are not helped by more of their kind.
    if (observation.crashingReplicas >= Math.max(1, input.current / 4))
      return done(
        held,
        'HoldCrashing',
        `${sentence}; but ${several(observation.crashingReplicas, 'pod crashes', 'pods crash')} again and again: ${held} kept`,
        limited,
      );
    // A node autoscaler sees those that wait, and brings nodes for them; once they run, the rest is asked for.
    if (observation.blockedReplicas > 0) {
      const text = `${sentence}; but the cluster has no room for ${several(observation.blockedReplicas, 'pod', 'pods')}: ${held} kept`;
      return done(held, 'HoldBlocked', text, limited ?? { reason: 'NoRoom', sentence: text });
    }
  }
  if (limited !== undefined && wanted >= held)
    return done(wanted, byCost ? 'CostCap' : 'Maximum', limited.sentence, limited);
  if (wanted >= held) {
    if (wanted === minReplicas && needed <= minReplicas)
      return done(wanted, atLeast, `${sentence}; ${least}`, limited);
    return done(wanted, input.reason, sentence, limited);
  }

  const mostIn = (windowMs: number) =>
    clamp(
      recommendations.reduce(
        (most, step) => (nowMs - step.atMs < windowMs ? Math.max(most, step.replicas) : most),
        0,
      ),
    );
  const [lastMinute, lately] = [mostIn(largeWindowMs), mostIn(downWindowMs)];
  const isLarge = held - lastMinute >= Math.max(leastLarge, largeShare * held);
  const isSmall = held - lately <= Math.max(1, smallShare * held);
  const [windowMs, floor] = isLarge
    ? [largeWindowMs, lastMinute]
    : isSmall
      ? [smallWindowMs, mostIn(smallWindowMs)]
      : [downWindowMs, lately];
  if (floor >= held)
    return done(
      held,
      'HoldDown',
      `${sentence}; ${held} kept: in the last ${windowMs / 1_000}s as many were needed to have room to spare`,
    );
  const wait = reasonToWait(input, isLarge ? largeEveryMs : downEveryMs);
  if (wait !== undefined) return done(held, 'HoldDown', `${sentence}; ${held} kept: ${wait}`);
  const share = isLarge ? largeDownShare : downShare;
  const replicas = Math.max(floor, held - Math.max(1, Math.floor(held * share)));
  const reason = floor <= minReplicas ? atLeast : input.reason;
  const steps = replicas > floor ? `, step by step to ${floor}` : '';
  return done(replicas, reason, `${sentence}; down from ${held} to ${replicas}${steps}`, undefined, nowMs);
}
