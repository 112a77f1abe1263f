/**
 * How long requests take at a given rate and number of replicas: Erlang's C for the chance to wait, Allen and Cunneen's
 * mean wait, an exponential tail, folded with the distribution of service times (taken as log-normal: two moments are known).
 */
import { normalQuantile } from '../../../stats/normal.ts';
import type { Balancing, BatchService, ServiceEstimate } from './types.ts';

const { exp } = Math;

export interface QueueModel {
  readonly service: ServiceEstimate;
  /** Requests that one replica serves at once. */
  readonly slots: number;
  /** Index of dispersion of all arrivals: 1 is Poisson. */
  readonly burstiness: number;
  readonly balancing: Balancing;
  /** Where requests are run in batches; `service.meanSeconds` is then a full batch's time shared out: the capacity. */
  readonly batch?: BatchService | undefined;
  /** Learned: measured waits over predicted ones; absent: 1. */
  readonly waitFactor?: number | undefined;
  /** Learned: what a request takes of a replica over its service time; absent: 1. */
  readonly slowdown?: number | undefined;
}

/** What a request takes of one of a replica's slots, seconds: its service time, and what full replicas lose besides. */
const heldSeconds = ({ service, slowdown = 1 }: QueueModel): number => service.meanSeconds * slowdown;

/** Requests per second that a replica serves when it is always busy. */
export const servesPerSecond = (model: QueueModel): number => model.slots / heldSeconds(model);

/** Parsing, answering and the way through the pod's own HTTP stack, which no service time contains. */
export const overheadSeconds = 0.0005;

/** Cells of probability, finer towards the tail so that a p99 is told from a p95, each with its middle's normal quantile. */
const edges = [
  0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.84, 0.88, 0.9,
  0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.9925, 0.995, 0.9975, 0.999, 1,
];
const cells = edges.slice(1).map((edge, index) => {
  const start = edges[index] ?? 0;
  return { weight: edge - start, z: normalQuantile((start + edge) / 2) };
});

/** Chance that an arriving request waits, with `load` Erlang on `servers`: stable for any size, 1 when overloaded. */
export function erlangC(servers: number, load: number): number {
  if (load >= servers) return 1;
  let blocking = 1;
  for (let server = 1; server <= servers; server += 1)
    blocking = (load * blocking) / (server + load * blocking);
  return blocking / (1 - (load / servers) * (1 - blocking));
}

/** What one queue of the model looks like: the share of the load it gets, its servers, the spread of its arrivals. */
function oneQueue(model: QueueModel, ratePerSecond: number, replicas: number) {
  if (model.balancing === 'least-outstanding')
    return { rate: ratePerSecond, servers: replicas * model.slots, arrivalScv: model.burstiness };
  // Random choice thins the stream: each pod sees a share of it whose burstiness is nearer to Poisson's.
  return {
    rate: ratePerSecond / replicas,
    servers: model.slots,
    arrivalScv: 1 + (model.burstiness - 1) / replicas,
  };
}

/** Share of the time in which a replica's slots are busy. */
export function utilisation(model: QueueModel, ratePerSecond: number, replicas: number): number {
  return (ratePerSecond * heldSeconds(model)) / (replicas * model.slots);
}

/** The run that a replica is in on average at its share of the rate: how long, and how much of the time there is one. */
function runAt(batch: BatchService, perReplica: number): { runSeconds: number; busy: number } {
  const { requests, oneSeconds, fullSeconds } = batch;
  const each = Math.max(0, (fullSeconds - oneSeconds) / (requests - 1));
  const fixed = Math.max(0, oneSeconds - each);
  // What arrives during one run is the next one: b = rate × (α + β·b).
  const steady =
    perReplica * each < 1 ? (perReplica * fixed) / (1 - perReplica * each) : Number.POSITIVE_INFINITY;
  const size = Math.min(requests, Math.max(1, steady));
  const runSeconds = fixed + each * size;
  return { runSeconds, busy: Math.min(1, (perReplica * runSeconds) / size) };
}

/** Where in the run that is under way a request arrives: the middles of four equal parts. */
const residuals = [0.125, 0.375, 0.625, 0.875];

/** Share of the requests (0 to 1) that take longer than `targetSeconds`. */
export function lateShare(
  model: QueueModel,
  ratePerSecond: number,
  replicas: number,
  targetSeconds: number,
): number {
  const { meanSeconds, scv } = model.service;
  const { rate, servers, arrivalScv } = oneQueue(model, ratePerSecond, replicas);
  const held = heldSeconds(model);
  const load = rate * held;
  if (load >= servers) return 1;
  const waits = erlangC(servers, load);
  const meanWaitSeconds = (model.waitFactor ?? 1) * ((arrivalScv + scv) / 2) * (held / (servers - load));
  const sigma = Math.sqrt(Math.log1p(scv));
  const median = meanSeconds / Math.sqrt(1 + scv);
  if (model.batch !== undefined) {
    const { runSeconds, busy } = runAt(model.batch, ratePerSecond / replicas);
    const tail = (slack: number) => (slack <= 0 ? 1 : waits * exp(-slack / meanWaitSeconds));
    const middle = runSeconds / Math.sqrt(1 + scv);
    let share = 0;
    for (const { weight, z } of cells) {
      const slack = targetSeconds - overheadSeconds - middle * exp(sigma * z);
      const behind = residuals.reduce((sum, part) => sum + tail(slack - part * runSeconds), 0) / 4;
      share += weight * ((1 - busy) * tail(slack) + busy * behind);
    }
    return Math.min(1, share);
  }
  let late = 0;
  for (const { weight, z } of cells) {
    const slack = targetSeconds - overheadSeconds - median * exp(sigma * z);
    late += weight * (slack <= 0 ? 1 : waits * exp(-slack / meanWaitSeconds));
  }
  return Math.min(1, late);
}

/** Share of the requests that are late even with no other request about. */
export function lateShareWhenIdle(model: QueueModel, targetSeconds: number): number {
  return lateShare(model, 0, 1, targetSeconds);
}

/** Latency in seconds that a share of `percentile` (0 to 1) of the requests stays within; Infinity when overloaded. */
export function latencySeconds(
  model: QueueModel,
  ratePerSecond: number,
  replicas: number,
  percentile: number,
): number {
  if (utilisation(model, ratePerSecond, replicas) >= 1) return Number.POSITIVE_INFINITY;
  const allowed = 1 - percentile;
  let low = 0;
  let high = overheadSeconds + model.service.meanSeconds;
  while (lateShare(model, ratePerSecond, replicas, high) > allowed) {
    low = high;
    high *= 2;
  }
  for (let step = 0; step < 12; step += 1) {
    const middle = (low + high) / 2;
    if (lateShare(model, ratePerSecond, replicas, middle) > allowed) low = middle;
    else high = middle;
  }
  return high;
}
