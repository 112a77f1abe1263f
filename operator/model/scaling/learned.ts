/** What was learned of a revision while it served: how long requests really wait, and what full replicas really serve. */
import { followCapacity, noCapacity, slowdownOf } from './capacity.ts';
import type { Estimates } from './estimate.ts';
import type { QueueModel } from './queueing.ts';
import type { GatewayObservation, Learned, PodObservation, ScalingInput, ScalingState } from './types.ts';
import { followWaits, type LatencySource, noWaits, waitFactorOf } from './waits.ts';

export const nothingLearned: Learned = { revision: undefined, waits: noWaits, capacity: noCapacity };

/** The corrections of a queue model; none of them while there is no reason for any. */
export function correctionsOf({ waits, capacity }: Learned): Pick<QueueModel, 'waitFactor' | 'slowdown'> {
  const waitFactor = waitFactorOf(waits);
  const slowdown = slowdownOf(capacity);
  return { ...(waitFactor === 1 ? {} : { waitFactor }), ...(slowdown === 1 ? {} : { slowdown }) };
}

/** What was learned of this revision: nothing, where it was learned of another. */
export const learnedOf = (learned: Learned, revision: string | undefined): Learned =>
  revision === undefined || learned.revision === undefined || learned.revision === revision
    ? learned
    : { ...nothingLearned, revision };

/** What is seen in a second that may be learned from. */
export interface LearnedFrom {
  /** Moved on by this second's readings. */
  readonly state: ScalingState;
  readonly pods: readonly PodObservation[];
  readonly gateways: readonly GatewayObservation[];
  readonly estimates: Estimates;
  /** Without corrections; undefined while nothing is known of the service time. */
  readonly model: QueueModel | undefined;
  readonly input: ScalingInput;
  readonly rolloutInProgress: boolean;
  /** A burst is under way, or pods start. */
  readonly isBurst: boolean;
  readonly nowMs: number;
}

/** Clients' latencies where gateways hold the queue, the pods' own elsewhere. */
function sourcesOf({ pods, gateways }: LearnedFrom): LatencySource[] {
  if (gateways.length > 0)
    return gateways.flatMap(({ report: { instance, models } }) =>
      models[0] === undefined ? [] : [{ instance, latency: models[0].latency }],
    );
  return pods.flatMap(({ ready, reading }) =>
    ready && reading !== 'unknown'
      ? [{ instance: reading.report.instance, latency: reading.report.latency }]
      : [],
  );
}

/** What is known after this second. Two revisions at once teach nothing; once another one serves it starts anew. */
export function learn(before: Learned, seen: LearnedFrom): Learned {
  const { state, pods, estimates, model, input, nowMs } = seen;
  const ready = pods.filter((pod) => pod.ready);
  const revision = state.revision ?? before.revision;
  const known = revision === before.revision ? before : { ...nothingLearned, revision };
  const isOne = !seen.rolloutInProgress && ready.every((pod) => pod.revision === revision);
  const isCalm = isOne && !seen.isBurst && estimates.freshness === 'ok';
  const mayRead = isCalm && model !== undefined;
  const waits = followWaits(
    known.waits,
    mayRead ? model : undefined,
    mayRead ? () => sourcesOf(seen) : () => [],
    estimates,
    nowMs,
  );
  const capacity = isOne
    ? followCapacity(known.capacity, estimates, state.ring, input.balancing, nowMs)
    : { ...known.capacity, full: undefined };
  return waits === known.waits && capacity === known.capacity ? known : { revision, waits, capacity };
}
