/**
 * How far measured waits are from predicted ones: one factor, learned slowly from calm stretches of traffic and bounded. It
 * mends the model of waiting and nothing else: lateness that no wait explains is not learned from.
 */
import type { LatencyHistogram } from '../../../crds/wire.ts';
import type { Estimates } from './estimate.ts';
import { lateShare, type QueueModel, utilisation } from './queueing.ts';
import { arrivalsIn } from './ring.ts';
import type { CalmStretch, WaitsLearned } from './types.ts';

export const leastFactor = 0.5;
export const mostFactor = 3;
/** A stretch is learned from after this long, or later, once it has enough answers. */
const stretchMs = 30_000;
const longestMs = 110_000;
const fewestAnswers = 200;
/** Requests beyond the boundary that is compared must be expected to be at least so many, and at least this share. */
const fewestLate = 10;
const smallestShare = 0.005;
/** Emptier replicas hardly wait; fuller ones have no steady queue within half a minute. */
const [leastBusy, mostBusy] = [0.4, 0.95];
/** Of the requests beyond a boundary the service alone may explain so many: else they say nothing of waits. */
const mostByService = 1 / 3;
/** More than this times what the largest factor predicts is no matter of waiting. */
const explained = 1.5;
/** Weight of a stretch in the factor's logarithm, and the most by which one moves it. */
const weight = 0.1;
const mostStep = 1.1;
/** Within so much of 1 the model is as good as it claims to be, and nothing is corrected. */
const deadBand = 1.25;
/** Before so many stretches nothing is corrected either. */
const fewestStretches = 5;

export const noWaits: WaitsLearned = { factor: 1, stretches: 0, stretch: undefined };

/** A process that counts latencies: a gateway, or a pod that is called directly. */
export interface LatencySource {
  readonly instance: string;
  readonly latency: LatencyHistogram;
}

/** What waits are multiplied by when a count is sized; 1 while there is no reason to correct. */
export function waitFactorOf({ factor, stretches, isUnproven }: WaitsLearned): number {
  if (stretches < fewestStretches) return 1;
  if (factor > deadBand) return factor / deadBand;
  return factor < 1 / deadBand && isUnproven !== true ? factor * deadBand : 1;
}

/** All that these processes have counted; undefined where their boundaries differ. */
function counted(
  sources: readonly LatencySource[],
): Pick<CalmStretch, 'names' | 'boundsMs' | 'counts'> | undefined {
  const boundsMs = sources[0]?.latency.boundsMs;
  if (boundsMs === undefined) return undefined;
  const counts = new Array<number>(boundsMs.length + 1).fill(0);
  for (const { latency } of sources) {
    if (!sameBounds(latency.boundsMs, boundsMs)) return undefined;
    for (let at = 0; at < counts.length; at += 1) counts[at] = (counts[at] ?? 0) + (latency.counts[at] ?? 0);
  }
  return { names: sources.map(({ instance }) => instance).join(' '), boundsMs, counts };
}

const sameBounds = (one: readonly number[], other: readonly number[]) =>
  one === other || (one.length === other.length && one.every((bound, at) => bound === other[at]));

/** The factor with which the model predicts what these answers show; undefined where they say nothing of waits. */
export function factorSeen(
  model: QueueModel,
  ratePerSecond: number,
  replicas: number,
  boundsMs: readonly number[],
  answers: readonly number[],
  before: number,
): { readonly factor: number; readonly expected: number } | undefined {
  const total = answers.reduce((sum, count) => sum + count, 0);
  const predicted = (waitFactor: number, boundMs: number) =>
    lateShare({ ...model, waitFactor }, ratePerSecond, replicas, boundMs / 1_000);
  const enough = Math.max(smallestShare, fewestLate / total);
  let at = boundsMs.findIndex((boundMs) => boundMs > 1_000 * model.service.meanSeconds);
  if (at === -1 || predicted(before, boundsMs[at] as number) < enough) return undefined;
  while (at + 1 < boundsMs.length && predicted(before, boundsMs[at + 1] as number) >= enough) at += 1;
  const boundMs = boundsMs[at] as number;
  const share = predicted(before, boundMs);
  if (lateShare(model, 0, 1, boundMs / 1_000) > mostByService * share) return undefined;
  let beyond = 0;
  for (let bucket = at + 1; bucket < answers.length; bucket += 1) beyond += answers[bucket] ?? 0;
  const seen = beyond / total;
  if (seen > explained * predicted(mostFactor, boundMs)) return undefined;
  let [low, high] = [leastFactor, mostFactor];
  for (let step = 0; step < 10; step += 1) {
    const middle = Math.sqrt(low * high);
    if (predicted(middle, boundMs) < seen) low = middle;
    else high = middle;
  }
  return { factor: Math.sqrt(low * high), expected: share * total };
}

/** The factor after a stretch. */
function moved(factor: number, seen: { readonly factor: number; readonly expected: number }): number {
  const share = weight * Math.min(1, seen.expected / (3 * fewestLate));
  const step = Math.min(mostStep, Math.max(1 / mostStep, (seen.factor / factor) ** share));
  return Math.min(mostFactor, Math.max(leastFactor, factor * step));
}

/** Whether the rate of a stretch's halves differs by no more than chance makes them differ. */
function isSteady(arrivals: Exclude<Estimates['arrivals'], 'unknown'>, seconds: number, burstiness: number) {
  const half = Math.floor(seconds / 2);
  const later = arrivalsIn(arrivals.ring, arrivals.lastSecond, half);
  const earlier = arrivalsIn(arrivals.ring, arrivals.lastSecond - half, half);
  return Math.abs(later - earlier) <= 3 * Math.sqrt(Math.max(1, burstiness) * (later + earlier));
}

/**
 * The factor after this second. `model` is the model uncorrected; undefined: nothing calm or nothing whole to learn from (a
 * burst, a rollout, stale or missing figures).
 */
export function followWaits(
  before: WaitsLearned,
  model: QueueModel | undefined,
  sources: () => readonly LatencySource[],
  estimates: Estimates,
  nowMs: number,
): WaitsLearned {
  const { stretch } = before;
  const { arrivals, rates, readyPods: replicas, burstiness } = estimates;
  if (
    model === undefined ||
    arrivals === 'unknown' ||
    rates === 'unknown' ||
    replicas === 0 ||
    utilisation(model, rates[1], replicas) < 0.5 * leastBusy
  )
    return stretch === undefined ? before : { ...before, stretch: undefined };
  const begin = (): WaitsLearned => {
    const now = counted(sources());
    return { ...before, stretch: now === undefined ? undefined : { ...now, fromMs: nowMs, replicas } };
  };
  if (stretch === undefined || stretch.replicas !== replicas) return begin();
  const ageMs = nowMs - stretch.fromMs;
  if (ageMs < stretchMs) return before;
  if (ageMs > longestMs) return begin();
  const seconds = Math.round(ageMs / 1_000);
  const ratePerSecond = (arrivals.factor * arrivalsIn(arrivals.ring, arrivals.lastSecond, seconds)) / seconds;
  if (ratePerSecond * seconds < fewestAnswers) return before;
  const now = counted(sources());
  const next = { ...before, stretch: now === undefined ? undefined : { ...now, fromMs: nowMs, replicas } };
  if (now === undefined || now.names !== stretch.names || !sameBounds(now.boundsMs, stretch.boundsMs))
    return next;
  const answers = now.counts.map((count, at) => count - (stretch.counts[at] ?? 0));
  const busy = utilisation(model, ratePerSecond, replicas);
  if (
    busy < leastBusy ||
    busy > mostBusy ||
    answers.some((count) => count < 0) ||
    answers.reduce((sum, count) => sum + count, 0) < fewestAnswers ||
    !isSteady(arrivals, seconds, burstiness)
  )
    return next;
  const seen = factorSeen(model, ratePerSecond, replicas, stretch.boundsMs, answers, before.factor);
  if (seen === undefined) return next;
  return { ...next, factor: moved(before.factor, seen), stretches: before.stretches + 1, isUnproven: false };
}
