/** How many replicas' room is to be kept free ahead of need: so many, or what the forecast would need so many seconds ahead. */
import { type Forecast, plannedRate } from './forecast.ts';
import type { QueueModel } from './queueing.ts';
import { sizeFor } from './sizing.ts';
import type { Known, LatencyTarget } from './types.ts';

/** What is asked for: exactly one of the two. */
export type HeadroomWish = { readonly replicas: number } | { readonly forecastSeconds: number };

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
 * Replicas to keep room for, beside those that are asked for. Never more than may still be asked for; unknown while a
 * forecast is wished and there is none: what was kept before stays.
 */
export function headroomReplicas(wish: HeadroomWish, view: HeadroomView): Known<number> {
  const most = Math.max(0, view.maxReplicas - view.replicas);
  if ('replicas' in wish) return Math.min(most, wish.replicas);
  const { forecast, model, latency, requestsPerSecondPerReplica } = view;
  if (forecast === undefined || model === 'unknown') return 'unknown';
  const ratePerSecond = plannedRate(forecast, wish.forecastSeconds, model.burstiness);
  const { replicas } = sizeFor({
    ratePerSecond,
    floorRate: ratePerSecond,
    model,
    latency,
    requestsPerSecondPerReplica,
    strictness: 1,
  });
  return Math.min(most, Math.max(0, replicas - view.replicas));
}
