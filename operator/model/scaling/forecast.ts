/**
 * The arrival rate when a pod that is asked for now will serve: damped Holt on 5 s bins, and beside it how wrong such
 * forecasts have been (a conformal quantile), in units of √rate, which for Poisson traffic does not depend on the rate.
 */
import type { SecondsRing } from './ring.ts';
import { arrivalsIn } from './ring.ts';

const binSeconds = 5;
const levelShare = 0.35;
const trendShare = 0.1;
const damping = 0.9;
/** The trend's part of a forecast, at most this share of the level: a burst's slope is not drawn on for ever. */
const trendLimit = 0.5;
/** 20 minutes of errors. */
const keptErrors = 240;
/** With fewer errors than this, what Poisson traffic would give stands in. */
const fewestErrors = 12;
/** What growth.ts meets need not be in the margin as well: 0.9 took 3 % more replicas on bursts for 0.1 point of late requests. */
const errorShare = 0.85;
/** One burst stays among the errors for 20 minutes: it may not count for more than this many usual errors. */
const mostMedians = 3;
/** The ring's reach, in whole bins. */
const reachBins = 24;
const smallestRate = 0.2;
/** What was seen lately bounds a forecast: two bins against the two before them. */
const keptBins = 4;
const capConfidence = 1.3;

/** Immutable. */
export interface Forecast {
  /** Bins up to this one (its number on our clock) are in. */
  readonly bin: number;
  readonly level: number;
  readonly trend: number;
  /** Rates of the last four bins, oldest first. */
  readonly recent: readonly number[];
  /** Forecasts that are not due yet, oldest first. */
  readonly pending: readonly { readonly bin: number; readonly rate: number }[];
  /** (actual − forecast) / √forecast, oldest first. */
  readonly errors: readonly number[];
  /** What `errorShare` of them did not exceed; undefined while there are too few. Kept, since 240 are sorted for it. */
  readonly margin: number | undefined;
}

const inUnits = (rate: number) => Math.sqrt(Math.max(rate, smallestRate));

/**
 * The most that the last 20 s give reason for: the rate of their second half, its growth over the first drawn on, and what
 * Poisson noise hides of both. After a step Holt's trend would go on rising for half a minute although the rate rests.
 */
function highestAhead(recent: readonly number[], aheadSeconds: number): number {
  if (recent.length < keptBins) return Number.POSITIVE_INFINITY;
  const [first = 0, second = 0, third = 0, fourth = 0] = recent;
  const now = (third + fourth) / 2;
  const growth = Math.max(0, now - (first + second) / 2) / (2 * binSeconds);
  return now + growth * aheadSeconds + capConfidence * Math.sqrt(Math.max(now, smallestRate) / binSeconds);
}

/** The rate so many seconds ahead, requests per second. */
export function rateAhead(
  { level, trend, recent }: Pick<Forecast, 'level' | 'trend' | 'recent'>,
  aheadSeconds: number,
): number {
  const steps = Math.max(0, Math.round(aheadSeconds / binSeconds));
  const sum = (damping * (1 - damping ** steps)) / (1 - damping);
  const limit = trendLimit * level;
  const drawn = level + Math.min(limit, Math.max(-limit, trend * sum));
  return Math.max(0, Math.min(drawn, highestAhead(recent, aheadSeconds)));
}

/** The forecast with all bins that have ended by `lastSecond` of the ring; `factor` stands for pods that were not heard. */
export function advanceForecast(
  before: Forecast | undefined,
  ring: SecondsRing,
  lastSecond: number,
  aheadSeconds: number,
  factor = 1,
): Forecast | undefined {
  const newest = Math.floor((lastSecond + 1) / binSeconds) - 1;
  const firstWhole = Math.ceil((Math.floor(ring.firstMs / 1_000) + 1) / binSeconds);
  const oldest = Math.max(newest - reachBins + 1, firstWhole);
  if (newest < oldest) return before;
  const known = before !== undefined && before.bin >= oldest - 1 && before.bin <= newest;
  if (known && before.bin === newest) return before;
  const errors = before === undefined ? [] : [...before.errors];
  const pending = known ? [...before.pending] : [];
  const recent = known ? [...before.recent] : [];
  let level = known ? before.level : undefined;
  let trend = known ? before.trend : 0;
  const rateOf = (bin: number) =>
    (factor * arrivalsIn(ring, (bin + 1) * binSeconds - 1, binSeconds)) / binSeconds;
  const bins = Math.max(1, Math.round(aheadSeconds / binSeconds));
  for (let bin = known ? before.bin + 1 : oldest; bin <= newest; bin += 1) {
    const rate = rateOf(bin);
    recent.push(rate);
    if (recent.length > keptBins) recent.shift();
    if (level === undefined) level = rate;
    else {
      const expected = level + damping * trend;
      const next: number = levelShare * rate + (1 - levelShare) * expected;
      trend = trendShare * (next - level) + (1 - trendShare) * damping * trend;
      level = next;
    }
    while ((pending[0]?.bin ?? Number.POSITIVE_INFINITY) <= bin) {
      const due = pending.shift();
      if (due === undefined || due.bin < bin) continue;
      const actual = bin > oldest ? (rate + rateOf(bin - 1)) / 2 : rate;
      errors.push((actual - due.rate) / inUnits(due.rate));
    }
    const made = rateAhead({ level, trend, recent }, aheadSeconds);
    pending.push({ bin: bin + bins, rate: made });
  }
  const kept = errors.slice(-keptErrors);
  return { bin: newest, level: level ?? 0, trend, recent, pending, errors: kept, margin: marginOf(kept) };
}

/** What `errorShare` of the errors did not exceed, in units of √rate; undefined while there are too few to tell. */
export function marginOf(errors: readonly number[]): number | undefined {
  if (errors.length < fewestErrors) return undefined;
  const sorted = Float64Array.from(errors).sort();
  const sizes = Float64Array.from(errors, Math.abs).sort();
  const high = sorted[Math.min(sorted.length - 1, Math.ceil(errorShare * sorted.length) - 1)] ?? 0;
  const median = sizes[Math.floor(sizes.length / 2)] ?? 0;
  return Math.max(0, Math.min(high, mostMedians * median));
}

/** A margin that was learned by a process that is gone. */
export interface KeptMargin {
  readonly margin: number;
  /** Monotonic milliseconds of this one. */
  readonly untilMs: number;
}

/** Errors of this process, five minutes, with which its own margin is known as well as a kept one. */
export const provenErrors = 60;

/** The kept margin while it is worth more than what this process has seen; then undefined. */
export const keptMarginOf = (
  kept: KeptMargin | undefined,
  forecast: Forecast | undefined,
  nowMs: number,
): KeptMargin | undefined =>
  kept === undefined || nowMs >= kept.untilMs || (forecast?.errors.length ?? 0) >= provenErrors
    ? undefined
    : kept;

/** The forecast with the larger of its own margin and the kept one. */
export const withMargin = (
  forecast: Forecast | undefined,
  kept: KeptMargin | undefined,
): Forecast | undefined =>
  forecast === undefined || kept === undefined
    ? forecast
    : { ...forecast, margin: Math.max(forecast.margin ?? 0, kept.margin) };

/** The rate to plan for: the forecast and the margin for its errors, requests per second. */
export function plannedRate(forecast: Forecast, aheadSeconds: number, burstiness: number): number {
  const rate = rateAhead(forecast, aheadSeconds);
  // Nine of ten, as long as little is known: of a mean over 10 s, and of a level that remembers some 25 s.
  const poisson = 1.28 * Math.sqrt(Math.max(1, burstiness) * (1 / 10 + 1 / 25));
  return rate + (forecast.margin ?? poisson) * inUnits(rate);
}
