/** The fast path: a burst that the running and starting pods cannot carry, seen within two seconds and answered at once. */
import type { Estimates } from './estimate.ts';
import { figure, seconds } from './explain.ts';
import { type QueueModel, servesPerSecond } from './queueing.ts';
import { mostReplicas } from './sizing.ts';
import type { ScalingInput } from './types.ts';

/** How sure a rise of the last two seconds must be, in standard deviations, before it is a burst and no noise. */
const confidence = 2;
const fewestArrivals = 3;
/** The first traffic of a new deployment is no burst: there is nothing yet that it rises above. */
const youngSeconds = 30;
/** Where the count rises in a burst, the rise is doubled: pods start at different speeds, and the surplus goes soon after. */
const over = 2;
/**
 * Where each pod has a queue of its own, what waits in one is no help to another: a backlog asks for at most twice what
 * serves. One shared queue is worked off by every pod that comes, and everyone in it is late until it is gone.
 */
const mostGrowth = { 'least-outstanding': 4, random: 2 } as const;
/** A backlog is to be gone after the promise's own time, but not sooner than this. */
const shortestDrainSeconds = { 'least-outstanding': 1, random: 2 } as const;
const busiest = 0.95;
/** After the last sign of a burst. */
export const panicMs = 15_000;

export interface Burst {
  readonly replicas: number;
  /** What it is: the rate alone, or requests that wait already. */
  readonly isBacklog: boolean;
  readonly sentence: string;
}

/** The rate of the last two seconds, as little of it as noise allows. */
export function surelyRate(rate2: number, burstiness: number): number {
  if (rate2 * 2 < fewestArrivals) return 0;
  return Math.max(0, rate2 - confidence * Math.sqrt((rate2 * Math.max(1, burstiness)) / 2));
}

/**
 * Replicas for a burst; undefined where there is none. `sizeOf` is the count that keeps the promise at a rate, `planned` the
 * rate that is planned for anyhow, `serving` the ready and starting pods, `startupSeconds` how long a new one takes.
 */
export function burstOf(
  estimates: Estimates,
  model: QueueModel,
  input: ScalingInput,
  facts: {
    planned: number;
    serving: number;
    startupSeconds: number;
    sizeOf: (rate: number) => number;
    /** The most that is taken for demand, and that is hedged, where refused requests come again. */
    most?: { rate: number; hedged: number } | undefined;
  },
): Burst | undefined {
  const longest = input.latency.at(-1);
  const { rates, queueLength, readyPods } = estimates;
  if (longest === undefined || rates === 'unknown' || queueLength === 'unknown') return undefined;
  const { planned, serving, startupSeconds, sizeOf, most } = facts;
  const targetSeconds = longest.targetMs / 1_000;
  const perReplica = servesPerSecond(model);
  const offered = surelyRate(rates[0], estimates.burstiness);
  const surely = Math.min(offered, most?.rate ?? offered);
  const fast = surely > planned ? sizeOf(surely) : 0;
  const waitSeconds = queueLength / (Math.max(1, readyPods) * perReplica);
  const isLate = waitSeconds > targetSeconds / 2;
  const rises = fast > serving;
  if (!isLate && !rises) return undefined;
  const drainSeconds = Math.max(shortestDrainSeconds[input.balancing], targetSeconds);
  // What piles up until pods that are asked for now are there; with shedAt: SLA what would be late is refused instead.
  const piled =
    input.shedAt === 'SLA' ? 0 : Math.max(0, surely - serving * perReplica) * Math.min(startupSeconds, 10);
  const backlog = isLate ? queueLength + piled : 0;
  const drained = Math.ceil((Math.max(surely, planned) + backlog / drainSeconds) / (busiest * perReplica));
  const wanted = Math.max(
    fast,
    isLate ? Math.min(drained, mostGrowth[input.balancing] * Math.max(1, serving)) : 0,
  );
  // Where each pod has a queue of its own, what waits in one is no help to another: the rise alone is hedged.
  const isHedged =
    estimates.coveredSeconds >= youngSeconds &&
    offered <= (most?.hedged ?? offered) &&
    (rises || input.balancing === 'least-outstanding');
  const hedged =
    wanted > readyPods ? readyPods + Math.ceil((wanted - readyPods) * (isHedged ? over : 1)) : wanted;
  const replicas = Math.min(mostReplicas, hedged);
  const surplus = isHedged
    ? `; ${replicas} are asked for, since half of the starts take more than ${seconds(startupSeconds)}, and the surplus goes soon after`
    : '';
  const told = isLate
    ? `${Math.round(queueLength)} requests wait ${waitSeconds.toFixed(2)}s, more than half of ${longest.targetMs}ms; ${replicas} replicas work them off in ${drainSeconds}s`
    : `${figure(rates[0])} req/s in the last 2s, surely ${figure(surely)}, need ${fast}${surplus}`;
  return { replicas, isBacklog: isLate, sentence: told };
}
