/** Estimates from the merged readings: arrival rates, burstiness, service time, queue, and how much of it is known. */
import type { ArrivalRates } from './rates.ts';
import { arrivalRates, dispersion } from './rates.ts';
import type { Known, Observation, PodObservation, ScalingState, ServiceEstimate } from './types.ts';

export interface Estimates {
  /** Offered arrivals per second over the last 2, 10 and 60 seconds, all pods; unknown without a fresh reading. */
  readonly rates: Known<readonly [last2: number, last10: number, last60: number]>;
  /** The same with silent pods taken to be as loaded as the most loaded one: for decisions to do with less. */
  readonly highestFactor: number;
  readonly service: Known<ServiceEstimate>;
  readonly serviceSamples: number;
  readonly burstiness: number;
  readonly slots: number;
  /** Requests that wait in the pods' queues. */
  readonly queueLength: Known<number>;
  readonly oldestWaitMs: number;
  /** How long the pods' own history reaches back, at most 60 s matters. */
  readonly coveredSeconds: number;
  readonly readyPods: number;
  readonly freshPods: number;
  readonly freshness: 'ok' | 'partial' | 'none';
}

const fewestSamples = 30;
const serviceWindowSlots = 30;
const largestScv = 16;

/** Share of ready pods that must have answered before a decrease is thought about. */
const enoughToDecrease = 0.9;

/** Mean and squared coefficient of variation of the last five minutes' service times. */
function measuredService(
  state: ScalingState,
  nowMs: number,
): { count: number; estimate: Known<ServiceEstimate> } {
  const { ring } = state;
  const oldest = Math.floor(nowMs / 10_000) - serviceWindowSlots;
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (let slot = 0; slot < ring.serviceEpoch.length; slot += 1) {
    if ((ring.serviceEpoch[slot] ?? -1) < oldest) continue;
    count += ring.serviceCount[slot] ?? 0;
    sum += ring.serviceSum[slot] ?? 0;
    squares += ring.serviceSumSquares[slot] ?? 0;
  }
  if (count === 0 || sum <= 0) return { count, estimate: 'unknown' };
  const meanSeconds = sum / count;
  const variance = Math.max(0, squares / count - meanSeconds * meanSeconds);
  return {
    count,
    estimate: { meanSeconds, scv: Math.min(largestScv, variance / (meanSeconds * meanSeconds)) },
  };
}

/** A few measured requests say too little about the spread: then what was known before, else a cautious guess. */
function serviceOf(
  state: ScalingState,
  measured: { count: number; estimate: Known<ServiceEstimate> },
): Known<ServiceEstimate> {
  if (measured.estimate === 'unknown' || measured.count >= fewestSamples)
    return measured.estimate === 'unknown' ? state.service : measured.estimate;
  if (state.service !== 'unknown') return state.service;
  return { meanSeconds: measured.estimate.meanSeconds, scv: Math.max(1, measured.estimate.scv) };
}

/** Smoothed burstiness, at most one step each 2 s. */
function smoothBurstiness(state: ScalingState, rates: ArrivalRates | undefined, nowMs: number): ScalingState {
  if (rates === undefined || nowMs - state.burstinessAtMs < 2_000) return state;
  const measured = dispersion(state, rates.lastSecond) ?? 1;
  const burstiness = Math.min(30, Math.max(0.7, state.burstiness + 0.2 * (measured - state.burstiness)));
  return { ...state, burstiness, burstinessAtMs: nowMs };
}

/** Everything the decision is computed from, and the state with its smoothed values moved on. */
export function estimate(
  before: ScalingState,
  usable: readonly PodObservation[],
  observation: Observation,
  nowMs: number,
): { estimates: Estimates; state: ScalingState } {
  const readyPods = observation.pods.filter((pod) => pod.ready).length;
  const freshPods = usable.filter((pod) => pod.ready).length;
  const share = readyPods === 0 ? 0 : freshPods / readyPods;
  const freshness = share >= enoughToDecrease ? 'ok' : usable.length > 0 ? 'partial' : 'none';
  const rates = arrivalRates(before, usable, observation, nowMs);
  const measured = measuredService(before, nowMs);
  const service = serviceOf(before, measured);
  const state = {
    ...smoothBurstiness(before, rates, nowMs),
    service: measured.count >= fewestSamples ? service : before.service,
    freshSinceMs: freshness === 'ok' ? (before.freshSinceMs ?? nowMs) : undefined,
  };
  const coveredSeconds = Math.min(600, Math.max(0, (nowMs - state.ring.firstMs) / 1_000));
  let queue = 0;
  let oldestWaitMs = 0;
  let slots = Number.POSITIVE_INFINITY;
  for (const { reading } of usable) {
    if (reading === 'unknown') continue;
    queue += reading.report.queueLength;
    oldestWaitMs = Math.max(oldestWaitMs, reading.report.oldestWaitMs);
    slots = Math.min(slots, reading.report.parallelism);
  }
  return {
    state,
    estimates: {
      rates: rates === undefined ? 'unknown' : rates.perSecond,
      highestFactor: rates?.highestFactor ?? 1,
      service,
      serviceSamples: measured.count,
      burstiness: state.burstiness,
      slots: Number.isFinite(slots) ? Math.max(1, slots) : 1,
      queueLength: rates === undefined ? 'unknown' : queue * rates.factor,
      oldestWaitMs,
      coveredSeconds,
      readyPods,
      freshPods,
      freshness,
    },
  };
}
