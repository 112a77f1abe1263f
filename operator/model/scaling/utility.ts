/**
 * What replicas are worth to one deployment: the share of its requests that would keep the promise, over the rates that may
 * come. The rate is followed slowly here (an allocation that chases noise costs a start-up each time it moves a replica).
 */
import type { QueueModel } from './queueing.ts';
import { lateShare, utilisation } from './queueing.ts';
import { shareOf } from './sizing.ts';
import type { Known, LatencyTarget } from './types.ts';

/** The rate is taken this often, of the ten seconds before. */
const rateEveryMs = 10_000;
/** Of a new rate in the level: a level that remembers some 100 s. */
const levelShare = 0.1;
/** 20 minutes of errors. */
const keptErrors = 120;
/** With fewer errors than this, what Poisson traffic would give stands in. */
const fewestErrors = 12;
/** Quantiles of the error that stand for what may come: more of the upper half, where too few replicas hurt. */
const quantiles = [0.1, 0.3, 0.5, 0.7, 0.85, 0.95];
/** The same of a normal distribution. */
const normalQuantiles = [-1.2816, -0.5244, 0, 0.5244, 1.0364, 1.6449];
/** Beyond this utilisation a queue has no steady state that is worth computing: what is served is what counts. */
const saturation = 0.95;
const smallestRate = 0.2;
/**
 * What is served beyond saturation, as a power of the replicas there are to those there should be. Where late requests are
 * refused, what is served keeps the promise. Where they wait till they time out, one missing replica makes all of them late:
 * the last one missing is worth the most, and the first of many little, though not nothing. Measured with Faro's ten jobs on
 * 24 replicas, first in first out: 71.3 % of the requests in time with 1, 77.9 % with 3.
 */
const steepness = { SLA: 1, Timeout: 3 } as const;

/** A slowly followed arrival rate and how wrong its forecasts were; immutable. */
export interface SlowRate {
  readonly level: number;
  readonly takenAtMs: number;
  /** Forecasts that are not due yet, oldest first. */
  readonly pending: readonly { readonly dueAtMs: number; readonly rate: number }[];
  /** (actual − forecast) / √forecast, oldest first. */
  readonly errors: readonly number[];
}

const inUnits = (rate: number) => Math.sqrt(Math.max(rate, smallestRate));

/** The slow rate with the newest mean over ten seconds in it, once each ten seconds; `aheadMs`: until a moved replica serves. */
export function advanceRate(
  before: SlowRate | undefined,
  ratePerSecond: Known<number>,
  aheadMs: number,
  nowMs: number,
): SlowRate | undefined {
  if (ratePerSecond === 'unknown') return before;
  if (before === undefined) return { level: ratePerSecond, takenAtMs: nowMs, pending: [], errors: [] };
  if (nowMs - before.takenAtMs < rateEveryMs) return before;
  const level = before.level + levelShare * (ratePerSecond - before.level);
  const due = before.pending.filter(({ dueAtMs }) => dueAtMs <= nowMs);
  const errors = due.map(({ rate }) => (ratePerSecond - rate) / inUnits(rate));
  return {
    level,
    takenAtMs: nowMs,
    pending: [...before.pending.slice(due.length), { dueAtMs: nowMs + aheadMs, rate: level }],
    errors: [...before.errors, ...errors].slice(-keptErrors),
  };
}

/** Rates that may come, requests per second, each as likely as the others. */
export function ratesAhead({ level, errors }: SlowRate, burstiness: number): number[] {
  const unit = inUnits(level);
  if (errors.length < fewestErrors) {
    const spread = Math.sqrt(Math.max(1, burstiness) / 10);
    return normalQuantiles.map((quantile) => Math.max(0, level + quantile * spread * unit));
  }
  const sorted = errors.toSorted((one, other) => one - other);
  return quantiles.map((quantile) => {
    const error = sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? 0;
    return Math.max(0, level + error * unit);
  });
}

/** Share of the requests that keep the strictest promise, 0 to 1; without a promise: of those that are served at all. */
function keptShare(
  model: QueueModel,
  ratePerSecond: number,
  replicas: number,
  latency: readonly LatencyTarget[],
): number {
  let kept = 1;
  for (const { percentile, targetMs } of latency) {
    // What is allowed to be late is no loss: a p50 promise is not worth more than half of the requests.
    const late = lateShare(model, ratePerSecond, replicas, targetMs / 1_000);
    const share = shareOf[percentile];
    kept = Math.min(kept, Math.min(1, (1 - late) / share));
  }
  return kept;
}

/**
 * What a number of replicas is worth, 0 to 1: mean over the rates that may come of the share that keeps the promise. Beyond
 * saturation, what is served falls as the replicas do, so that each replica still counts and none is worth nothing alone.
 */
export function utility(
  model: QueueModel,
  rates: readonly number[],
  replicas: number,
  latency: readonly LatencyTarget[],
  shedAt: 'Timeout' | 'SLA' = 'Timeout',
): number {
  if (replicas <= 0) return 0;
  let sum = 0;
  for (const rate of rates) {
    if (utilisation(model, rate, replicas) <= saturation) sum += keptShare(model, rate, replicas, latency);
    else {
      const least = Math.max(1, Math.ceil((rate * model.service.meanSeconds) / (model.slots * saturation)));
      sum += keptShare(model, rate, least, latency) * (replicas / least) ** steepness[shedAt];
    }
  }
  return rates.length === 0 ? 1 : sum / rates.length;
}
