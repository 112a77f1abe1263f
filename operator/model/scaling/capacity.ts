/**
 * What replicas really serve, told by the times in which requests waited all the while: how much less than their service time
 * says, and whether more of them served any more.
 */
import type { Estimates } from './estimate.ts';
import { figure, seconds } from './explain.ts';
import type { SecondsRing } from './ring.ts';
import { servedIn, stepSeconds } from './ring.ts';
import type { Balancing, CapacityLearned, FullStep } from './types.ts';

const rememberedMs = 3_600_000;
const mostSteps = 8;
/** Answers in a step with which it tells anything, and tells a gain from noise. */
const fewestAnswers = 30;
/** What was served may be this much more than was seen: a step is short. */
const margin = 1.1;
const mostSlowdown = 2;
/** So much more replicas, of which less than this part is served more: they are no help. */
const leastGrowth = 1.25;
const leastGain = 0.25;
/** After that long more are tried again: machines come and go. */
const believedMs = 600_000;
/** Fewer replicas that serve so much more than many did: what held those up is over. */
const refuted = 1.25;

export const noCapacity: CapacityLearned = { full: undefined, steps: [] };

/**
 * Whether requests wait at every replica. One shared queue is empty while a replica is free; where each has its own, nearly
 * all must have one.
 */
function isFull(
  { queueLength, oldestWaitMs, readyPods, freshPods, waitingPods, slots, freshness }: Estimates,
  balancing: Balancing,
): boolean {
  if (queueLength === 'unknown' || freshness !== 'ok' || readyPods === 0) return false;
  if (balancing === 'random') return waitingPods >= 0.9 * freshPods && queueLength >= freshPods * slots;
  return queueLength >= Math.max(1, 0.5 * readyPods * slots) || (queueLength >= 1 && oldestWaitMs >= 1_000);
}

/** The memory after this second; `podsRing` tells service times as pods measure them. */
export function followCapacity(
  before: CapacityLearned,
  estimates: Estimates,
  podsRing: SecondsRing,
  balancing: Balancing,
  nowMs: number,
): CapacityLearned {
  const { arrivals, readyPods: replicas, slots } = estimates;
  const steps = before.steps.some(({ atMs }) => nowMs - atMs >= rememberedMs)
    ? before.steps.filter(({ atMs }) => nowMs - atMs < rememberedMs)
    : before.steps;
  if (arrivals === 'unknown' || !isFull(estimates, balancing))
    return before.full === undefined && steps === before.steps ? before : { full: undefined, steps };
  const full = before.full?.replicas === replicas ? before.full : { sinceMs: nowMs, replicas };
  // The newest step that everybody has told of whole.
  const step = Math.floor((arrivals.lastSecond + 1) / stepSeconds) - 1;
  // The ring counts a second by its end: a step begins a second before its own number.
  if (full.sinceMs > (step * stepSeconds - 1) * 1_000 || steps.at(-1)?.step === step) return { full, steps };
  const served = servedIn(arrivals.ring, step);
  const measured = servedIn(podsRing, step);
  if (served.count < fewestAnswers || measured.count === 0) return { full, steps };
  const perSecond = (arrivals.factor * served.count) / stepSeconds;
  const serviceSeconds = measured.sumSeconds / measured.count;
  const latest: FullStep = {
    step,
    atMs: nowMs,
    replicas,
    perSecond,
    serviceSeconds,
    busyShare: Math.min(1, (perSecond * serviceSeconds) / (replicas * slots)),
    answers: served.count,
  };
  const kept = steps.filter(
    (one) =>
      one.replicas !== replicas && !(one.replicas > replicas && refuted * one.perSecond < latest.perSecond),
  );
  return { full, steps: [...kept, latest].slice(-mostSteps) };
}

/** What a request takes of a replica beyond its service time, as a factor: 1 while full replicas were busy all the time. */
export function slowdownOf(learned: CapacityLearned): number {
  if (learned.steps.length === 0) return 1;
  return Math.min(mostSlowdown, Math.max(1, 1 / (margin * Math.max(busiestFull(learned), 0.01))));
}

/** How busy full replicas were at most, by their requests' service times, 0 to 1. */
export const busiestFull = ({ steps }: CapacityLearned): number =>
  steps.reduce((most, { busyShare }) => Math.max(most, busyShare), 0);

/** More replicas that served no more. */
export interface NoGain {
  /** More than this are no help. */
  readonly replicas: number;
  readonly sentence: string;
}

/**
 * Whether the last growth of full replicas was of any use; undefined while it was, or nothing is known. What was seen before
 * a restart holds growth up, and takes nothing of what runs.
 */
export function noGainOf(
  { steps }: CapacityLearned,
  scv: number,
  nowMs: number,
  running = 0,
): NoGain | undefined {
  const most = steps.reduce<FullStep | undefined>(
    (best, one) => (best === undefined || one.replicas > best.replicas ? one : best),
    undefined,
  );
  if (most === undefined || nowMs - most.atMs >= believedMs) return undefined;
  const fewer = steps
    .filter(({ replicas }) => replicas < most.replicas && leastGrowth * replicas <= most.replicas)
    .toSorted((one, other) => one.replicas - other.replicas)
    .find((one) => {
      const noise = 2 * Math.sqrt(scv / one.answers + scv / most.answers);
      const growth = most.replicas / one.replicas - 1;
      return most.perSecond / one.perSecond - 1 + noise < leastGain * growth;
    });
  if (fewer === undefined) return undefined;
  const isKept = most.step < 0 || fewer.step < 0;
  const replicas = Math.max(Math.ceil(leastGrowth * fewer.replicas), isKept ? running : 0);
  const slower = most.serviceSeconds > 1.15 * fewer.serviceSeconds;
  const why = slower
    ? `a request takes ${seconds(most.serviceSeconds)} and not ${seconds(fewer.serviceSeconds)}: replicas slow each other (one full machine, or no CPU of their own)`
    : 'and none is slower than before: something else than the replicas holds requests up (gateway, network, what the model reads)';
  return {
    replicas,
    sentence: `with requests waiting all the time ${fewer.replicas} replicas served ${figure(fewer.perSecond)} req/s and ${most.replicas} served ${figure(most.perSecond)}; ${why}; no more than ${replicas} are asked for`,
  };
}
