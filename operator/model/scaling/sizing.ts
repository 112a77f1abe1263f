/** The smallest number of replicas that keeps every promise at a given arrival rate. */
import type { QueueModel } from './queueing.ts';
import { latencySeconds, lateShare, lateShareWhenIdle, utilisation } from './queueing.ts';
import type { Known, LatencyTarget, Percentile } from './types.ts';

/** Share of requests within the target, by name of the percentile. */
export const shareOf: Readonly<Record<Percentile, number>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 };

/** No count is computed beyond this: the schema's own limit. */
export const mostReplicas = 1_000;

export interface Need {
  readonly replicas: number;
  readonly reason: 'Latency' | 'RequestRate' | 'Utilisation' | 'Minimum';
  /** The promise that needs the most replicas, where one decides. */
  readonly binding: LatencyTarget | undefined;
  /** Promises that no number of replicas keeps: the service alone takes longer. What is bounded for them is the wait. */
  readonly infeasible: readonly LatencyTarget[];
}

export interface Demand {
  readonly ratePerSecond: number;
  /** The rate that `requestsPerSecondPerReplica` is held against. */
  readonly floorRate: number;
  /** Unknown until a request has been completed. */
  readonly model: Known<QueueModel>;
  readonly latency: readonly LatencyTarget[];
  readonly requestsPerSecondPerReplica: number | undefined;
  /** 1 to size by the promise itself; 0.5 to ask whether fewer would keep it with room to spare. */
  readonly strictness: number;
}

/** How busy a replica may be on average, whatever was promised: beyond it a small error of the rate is a long queue. */
export function busiestAllowed(model: QueueModel, replicas: number): number {
  if (model.balancing === 'random') return 0.8;
  return replicas * model.slots < 20 ? 0.92 : 0.95;
}

/** First count from `from` on that holds; holding is monotone, so steps double and then halve. */
function smallest(from: number, holds: (replicas: number) => boolean): number {
  let failing = from - 1;
  let step = 1;
  let holding = from;
  while (!holds(holding)) {
    if (holding >= mostReplicas) return mostReplicas;
    failing = holding;
    holding = Math.min(mostReplicas, holding + step);
    step *= 2;
  }
  while (holding - failing > 1) {
    const middle = Math.floor((failing + holding) / 2);
    if (holds(middle)) holding = middle;
    else failing = middle;
  }
  return holding;
}

/**
 * A promise that the service alone breaks is not chased; yet at what busy pods may be, most requests would wait besides.
 * So the wait is bounded: the same percentile within so many times what the service alone takes. A queue in each pod keeps
 * less only with far more replicas.
 */
export const easedShare = { 'least-outstanding': 1.5, random: 3 } as const;

/** Part of a promise's allowance that waiting may always use: a finer split is beyond what the model of queues is good for. */
const leastForWaits = 0.25;

/** Replicas needed, at least 1, and what decides. */
export function sizeFor(demand: Demand): Need {
  const { model, ratePerSecond, requestsPerSecondPerReplica: perReplica } = demand;
  let replicas = 1;
  let reason: Need['reason'] = 'Minimum';
  let binding: LatencyTarget | undefined;
  if (perReplica !== undefined) {
    // Fewer replicas need 5 % of room, so that a rate near the limit does not send the count up and down.
    const margin = demand.strictness < 1 ? 1.05 : 1;
    const byRate = Math.min(mostReplicas, Math.ceil((demand.floorRate * margin) / perReplica));
    if (byRate > replicas) {
      replicas = byRate;
      reason = 'RequestRate';
    }
  }
  if (model === 'unknown') return { replicas, reason, binding, infeasible: [] };

  const byBusy = smallest(
    1,
    (count) => utilisation(model, ratePerSecond, count) <= busiestAllowed(model, count),
  );
  if (byBusy > replicas) {
    replicas = byBusy;
    reason = 'Utilisation';
  }
  const infeasible: LatencyTarget[] = [];
  for (const target of demand.latency) {
    const allowed = 1 - shareOf[target.percentile];
    const seconds = target.targetMs / 1_000;
    if (lateShareWhenIdle(model, seconds) > allowed) {
      infeasible.push(target);
      const eased = {
        ...target,
        targetMs: easedShare[model.balancing] * 1_000 * latencySeconds(model, 0, 1, 1 - allowed),
      };
      const byWait = smallest(
        byBusy,
        (count) => lateShare(model, ratePerSecond, count, eased.targetMs / 1_000) <= allowed,
      );
      if (byWait > replicas) {
        replicas = byWait;
        reason = 'Latency';
        binding = eased;
      }
      continue;
    }
    const idle = lateShareWhenIdle(model, seconds);
    // What is late on an idle pod already cannot be bought back: only the rest of the allowance is tightened. Where that is
    // next to nothing it is no aim for the wait: the 12th replica for 0.2 busy ones took 1 ms off a p99 of 40.
    const limit = idle + Math.max(allowed - idle, leastForWaits * allowed) * demand.strictness;
    const byLatency = smallest(byBusy, (count) => lateShare(model, ratePerSecond, count, seconds) <= limit);
    if (byLatency > replicas) {
      replicas = byLatency;
      reason = 'Latency';
      binding = target;
    }
  }
  return { replicas, reason, binding, infeasible };
}
