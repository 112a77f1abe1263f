/** How many replicas' room is to be kept free ahead of need: so many, or what the forecast would need so many seconds ahead. */
import { durationMs } from '../../../crds/values.ts';
import { type Forecast, plannedRate } from './forecast.ts';
import type { QueueModel } from './queueing.ts';
import { sizeFor } from './sizing.ts';
import type { Decision, Known, LatencyTarget, ScalingInput } from './types.ts';

/** What is asked for: at least one of the two, of both the larger. */
export interface HeadroomWish {
  readonly replicas?: number | undefined;
  readonly forecastSeconds?: number | undefined;
}

/** `spec.scaling.headroom` as it is asked for; undefined for none. */
export function headroomWishOf(
  headroom: { readonly replicas?: number | undefined; readonly forecast?: string | undefined } | undefined,
): HeadroomWish | undefined {
  if (headroom === undefined) return undefined;
  const { replicas, forecast } = headroom;
  return { replicas, forecastSeconds: forecast === undefined ? undefined : durationMs(forecast) / 1_000 };
}

/** What is known when it is sized. */
export interface HeadroomView {
  /** Replicas that are asked for now, and the most that may be. */
  readonly replicas: number;
  readonly maxReplicas: number;
  readonly forecast: Forecast | undefined;
  readonly model: Known<QueueModel>;
  readonly latency: readonly LatencyTarget[];
  readonly requestsPerSecondPerReplica: number | undefined;
}

/**
 * Replicas to keep room for, beside those that are asked for. Never more than may still be asked for; unknown while
 * nothing but a forecast is wished and there is none: what was kept before stays.
 */
export function headroomReplicas(wish: HeadroomWish, view: HeadroomView): Known<number> {
  const most = Math.max(0, view.maxReplicas - view.replicas);
  const fixed = wish.replicas === undefined ? 'unknown' : Math.min(most, wish.replicas);
  const { forecast, model, latency, requestsPerSecondPerReplica } = view;
  if (wish.forecastSeconds === undefined || forecast === undefined || model === 'unknown') return fixed;
  const ratePerSecond = plannedRate(forecast, wish.forecastSeconds, model.burstiness);
  const { replicas } = sizeFor({
    ratePerSecond,
    floorRate: ratePerSecond,
    model,
    latency,
    requestsPerSecondPerReplica,
    strictness: 1,
  });
  return Math.min(most, Math.max(fixed === 'unknown' ? 0 : fixed, replicas - view.replicas));
}

/** Replicas and room together, at their highest lately: what a lull gives up would have to be bought again. */
export interface HeadroomPeak {
  readonly total: number;
  readonly atMs: number;
}

/** Room by forecast shrinks only to what was wanted in this time. */
const peakMs = 60_000;

/**
 * The headroom of a decision of which `replicas` were let through, and the peak to remember.
 *
 * | suspended, another mode, asleep | wish      | forecast | room                                             |
 * | yes                             | any       | any      | 0                                                |
 * | no                              | replicas  | any      | so many, up to maxReplicas and to maxHourlyCost  |
 * | no                              | forecast  | known    | what it needs more, at its highest of the minute |
 * | no                              | forecast  | unknown  | unknown: what is kept stays                      |
 * | no                              | both      | any      | the larger; replicas while there is no forecast  |
 */
export function headroomOf(
  wish: HeadroomWish,
  decided: Pick<Decision, 'next'>,
  model: Known<QueueModel>,
  replicas: number,
  input: ScalingInput,
  peak: HeadroomPeak | undefined,
  nowMs: number,
): { readonly replicas: Known<number>; readonly peak: HeadroomPeak | undefined } {
  if (input.suspended || input.mode !== 'SLA' || replicas === 0) return { replicas: 0, peak: undefined };
  const paid = input.costCap?.replicas ?? 'unknown';
  const maxReplicas = paid === 'unknown' ? input.maxReplicas : Math.min(input.maxReplicas, paid);
  const room = headroomReplicas(wish, {
    replicas,
    maxReplicas,
    forecast: decided.next.forecast,
    model,
    latency: input.latency,
    requestsPerSecondPerReplica: input.requestsPerSecondPerReplica,
  });
  if (wish.forecastSeconds === undefined || room === 'unknown') return { replicas: room, peak };
  const total = replicas + room;
  const next =
    peak === undefined || total >= peak.total || nowMs - peak.atMs >= peakMs ? { total, atMs: nowMs } : peak;
  const most = Math.max(0, maxReplicas - replicas);
  return { replicas: Math.min(most, Math.max(0, next.total - replicas)), peak: next };
}
