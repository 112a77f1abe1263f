/** The load that a count is for, and the model that it is sized by. */
import type { Estimates } from './estimate.ts';
import { type Forecast, plannedRate, rateAhead } from './forecast.ts';
import { correctionsOf } from './learned.ts';
import type { QueueModel } from './queueing.ts';
import { mostDemand } from './refusals.ts';
import type { Known, ScalingInput, ScalingState, ServiceEstimate } from './types.ts';

const batchScv = 0.1;

/** One-sided confidence, in standard deviations, with which a rate is told from noise while there is no forecast. */
const confidence = 2;

/** What is known about the load, as numbers that the count is computed from. */
export interface Demands {
  /** Arrival rate that the count must carry: the forecast and the margin for its errors. */
  readonly upRate: number;
  /** The same, as little as noise allows: what a fixed rate per replica is held against, so that a rate at the limit does not flap. */
  readonly floorRate: number;
  /** Arrival rate that a smaller count would have to carry. */
  readonly downRate: number;
  /** The forecast without its margin; unknown while there is too little history. */
  readonly forecastRate: Known<number>;
  readonly model: Known<QueueModel>;
  /** The most that is taken for demand, and that is hedged, where refused requests come again. */
  readonly most?: { readonly rate: number; readonly hedged: number } | undefined;
}

/** With batches a request's part of a full one is what counts for capacity: the measured mean falls as the load rises. */
export function modelOf(
  service: ServiceEstimate,
  { slots, burstiness, batch }: Pick<Estimates, 'slots' | 'burstiness' | 'batch'>,
  input: ScalingInput,
): QueueModel {
  const { balancing } = input;
  if (batch === undefined) return { service, slots, burstiness, balancing };
  const meanSeconds = batch.fullSeconds / batch.requests;
  // The spread of shared-out times is that of batch sizes for the most part; runs themselves spread little.
  const scv = Math.min(batchScv, service.scv);
  return { service: { meanSeconds, scv }, slots, burstiness, balancing, batch };
}

/** Rates to size by. The first seconds of a new deployment say little: until there are ten, only what is surely there counts. */
export function demandsOf(
  estimates: Estimates,
  forecast: Forecast | undefined,
  aheadSeconds: number,
  input: ScalingInput,
  { learned, refusals }: ScalingState,
): Known<Demands> {
  const { rates, service, burstiness, coveredSeconds } = estimates;
  if (rates === 'unknown') return 'unknown';
  const most = mostDemand(refusals);
  const within = (rate: number) => Math.min(rate, most?.rate ?? Number.POSITIVE_INFINITY);
  const covered = Math.max(1, coveredSeconds);
  const [, rate10, rate60] = rates;
  const spread = (rate: number, over: number) =>
    confidence * Math.sqrt((rate * Math.max(1, burstiness)) / Math.min(over, covered));
  const low = (rate: number, over: number) => Math.max(0, rate - spread(rate, over));
  const isForecast = forecast !== undefined && covered >= 10;
  const forecastRate = isForecast ? rateAhead(forecast, aheadSeconds) : 'unknown';
  const steady = covered < 10 ? low(rate60, 60) : Math.min(rate60, rate10 + spread(rate10, 10));
  const upRate = within(isForecast ? plannedRate(forecast, aheadSeconds, burstiness) : steady);
  return {
    upRate,
    floorRate: within(Math.max(low(rate10, 10), low(Math.min(rate60, rate10 + spread(rate10, 10)), 60))),
    downRate: upRate * estimates.highestFactor,
    forecastRate,
    model:
      service === 'unknown'
        ? 'unknown'
        : { ...modelOf(service, estimates, input), ...correctionsOf(learned) },
    most,
  };
}
