/** Estimates from the merged readings: arrival rates, burstiness, service time, queue, and how much of it is known. */
import {
  fewestSamples,
  type MeasuredService,
  measuredBy,
  measuredFrom,
  type Sums,
  servicesOf,
  youngService,
} from './by-revision.ts';
import type { GatewayView } from './gateway-readings.ts';
import { arrivalRates, dispersion } from './rates.ts';
import type { SecondsRing } from './ring.ts';
import { arrivalsIn } from './ring.ts';
import { servingPods } from './serving-revision.ts';
import type {
  BatchService,
  Known,
  Observation,
  PodObservation,
  ScalingState,
  ServiceEstimate,
} from './types.ts';

export interface Estimates {
  /** Offered arrivals per second over the last 2, 10 and 60 seconds, all pods; unknown without a fresh reading. */
  readonly rates: Known<readonly [last2: number, last10: number, last60: number]>;
  /** The same with silent pods taken to be as loaded as the most loaded one: for decisions to do with less. */
  readonly highestFactor: number;
  readonly service: Known<ServiceEstimate>;
  readonly serviceSamples: number;
  readonly burstiness: number;
  readonly slots: number;
  /** What batches cost, of the pod that is in the middle by its capacity; undefined where none tells of batches. */
  readonly batch: BatchService | undefined;
  /** Where the rates come from, the newest second that is complete in it, and what stands for sources that were not heard. */
  readonly arrivals: Known<{
    readonly ring: SecondsRing;
    readonly lastSecond: number;
    readonly factor: number;
  }>;
  /** Requests that wait, in the gateways and in the pods' queues. */
  readonly queueLength: Known<number>;
  readonly oldestWaitMs: number;
  /** Fresh pods in whose own queue something waits. */
  readonly waitingPods: number;
  /** How long the pods' own history reaches back, at most 60 s matters. */
  readonly coveredSeconds: number;
  readonly readyPods: number;
  readonly freshPods: number;
  readonly freshness: 'ok' | 'partial' | 'none';
}

const serviceWindowSlots = 30;

/** Share of ready pods that must have answered before a decrease is thought about. */
const enoughToDecrease = 0.9;
const enoughBehindGateways = 0.5;

type Rates = Pick<GatewayView, 'perSecond' | 'lastSecond' | 'factor'>;

/**
 * With gateways the load is known from them: half of the pods are enough to know how they do. Where gateways should be heard
 * and none is, the pods tell only what was let through to them: no reason for fewer.
 */
function freshnessOf(
  share: number,
  heard: boolean,
  gateways: GatewayView | undefined,
  expectedGateways: number,
): Estimates['freshness'] {
  if (gateways !== undefined) return gateways.complete && share >= enoughBehindGateways ? 'ok' : 'partial';
  if (expectedGateways > 0) return heard ? 'partial' : 'none';
  if (share >= enoughToDecrease) return 'ok';
  return heard ? 'partial' : 'none';
}

/** Steps of ten seconds in which pods started, the newest last: a start takes CPU from its neighbours on a small machine. */
function startStepsOf(before: readonly number[], startingReplicas: number, nowMs: number): readonly number[] {
  const step = Math.floor(nowMs / 10_000);
  if (startingReplicas === 0 || before.at(-1) === step) return before;
  // What is told now happened up to some seconds ago.
  return [...before.filter((one) => step - one <= serviceWindowSlots), step];
}

/**
 * Mean and squared coefficient of variation of the last five minutes' service times; steps that are `left` out count only
 * while there is too little beside them.
 */
function measuredService(ring: SecondsRing, nowMs: number, left: readonly number[]): MeasuredService {
  const calm = left.length === 0 ? undefined : serviceIn(ring, nowMs, left);
  return calm !== undefined && calm.count >= fewestSamples ? calm : serviceIn(ring, nowMs, []);
}

function serviceIn(ring: SecondsRing, nowMs: number, left: readonly number[]): MeasuredService {
  const oldest = Math.floor(nowMs / 10_000) - serviceWindowSlots;
  const sums: Sums = { count: 0, sum: 0, squares: 0 };
  for (let slot = 0; slot < ring.serviceEpoch.length; slot += 1) {
    const step = ring.serviceEpoch[slot] ?? -1;
    if (step < oldest || left.includes(step)) continue;
    sums.count += ring.serviceCount[slot] ?? 0;
    sums.sum += ring.serviceSum[slot] ?? 0;
    sums.squares += ring.serviceSumSquares[slot] ?? 0;
  }
  return measuredFrom(sums);
}

/** Whether the last well-founded service time is of another revision than the one that serves. */
const isAnothers = ({ serviceRevision, revision }: ScalingState) =>
  serviceRevision !== undefined && serviceRevision !== revision;

/** A few measured requests say too little about the spread: then what was known before, else a cautious guess. */
function serviceOf(state: ScalingState, measured: MeasuredService): Known<ServiceEstimate> {
  if (state.service !== 'unknown' && isAnothers(state)) return youngService(measured, state.service);
  if (measured.estimate === 'unknown' || measured.count >= fewestSamples)
    return measured.estimate === 'unknown' ? state.service : measured.estimate;
  if (state.service !== 'unknown') return state.service;
  return { meanSeconds: measured.estimate.meanSeconds, scv: Math.max(1, measured.estimate.scv) };
}

/**
 * What is measured of the revision that serves: by its pods, else by gateways, which see what pods do not tell. Their seconds
 * do not know revisions: of one that began to serve just now their sums do.
 */
function measuredOf(
  before: ScalingState,
  { gateways = [] }: Observation,
  isByGateways: boolean,
  nowMs: number,
  startSteps: readonly number[],
): MeasuredService {
  const byPods = measuredService(before.ring, nowMs, startSteps);
  if (byPods.count >= fewestSamples || !isByGateways) return byPods;
  const byGateways = measuredService(before.gatewayRing, nowMs, startSteps);
  if (byGateways.count >= fewestSamples || !isAnothers(before)) return byGateways;
  const own = servicesOf([], gateways).find(({ revision }) => revision === before.revision);
  return own === undefined || own.samples <= byGateways.count ? byGateways : measuredBy(own);
}

/** Smoothed burstiness, at most one step each 2 s. */
function smoothBurstiness(state: ScalingState, arrivals: Estimates['arrivals'], nowMs: number): ScalingState {
  if (arrivals === 'unknown' || nowMs - state.burstinessAtMs < 2_000) return state;
  const measured = dispersion(arrivals.ring, arrivals.lastSecond) ?? 1;
  const burstiness = Math.min(30, Math.max(0.7, state.burstiness + 0.2 * (measured - state.burstiness)));
  return { ...state, burstiness, burstinessAtMs: nowMs };
}

/** How much higher the last ten seconds were than what the ring knows of them: sources that fell silent are taken along. */
function unheardFactor(ring: SecondsRing, { perSecond, lastSecond, factor }: Rates): number {
  if (factor === 1) return 1;
  const covered = Math.max(1, Math.min(10, lastSecond - Math.floor(ring.firstMs / 1_000)));
  const known = arrivalsIn(ring, lastSecond, 10) / covered;
  return known > 0 ? Math.max(1, perSecond[1] / known) : 1;
}

/** Requests that each of these pods serves at once, at least. */
export function slotsOf(usable: readonly PodObservation[]): number {
  const least = usable.reduce(
    (slots, { reading }) => (reading === 'unknown' ? slots : Math.min(slots, reading.report.parallelism)),
    Number.POSITIVE_INFINITY,
  );
  return Number.isFinite(least) ? Math.max(1, least) : 1;
}

/** What batches cost by these pods, of the one in the middle; undefined where too few tell of any. */
export function batchOf(usable: readonly PodObservation[]): BatchService | undefined {
  const told = usable.flatMap(({ reading }) =>
    reading === 'unknown' || reading.report.batch === undefined ? [] : [reading.report.batch],
  );
  if (told.length === 0 || 2 * told.length < usable.length) return undefined;
  told.sort((one, other) => one.fullMs / one.requests - other.fullMs / other.requests);
  const { requests, oneMs, fullMs } = told[told.length >> 1] as (typeof told)[number];
  // A figure that says that batches gain nothing, or take no time, is no reason to size by them.
  if (!(requests >= 2 && oneMs > 0 && fullMs > 0 && fullMs < requests * oneMs)) return undefined;
  return { requests, oneSeconds: oneMs / 1_000, fullSeconds: fullMs / 1_000 };
}

/** Everything the decision is computed from, and the state with its smoothed values moved on. */
export function estimate(
  before: ScalingState,
  usable: readonly PodObservation[],
  observation: Observation,
  nowMs: number,
  gateways?: GatewayView,
): { estimates: Estimates; state: ScalingState } {
  const readyPods = observation.pods.filter((pod) => pod.ready).length;
  const freshPods = usable.filter((pod) => pod.ready).length;
  const share = readyPods === 0 ? 0 : freshPods / readyPods;
  const freshness = freshnessOf(
    share,
    usable.length > 0,
    gateways,
    observation.expectedGateways ?? observation.gateways?.length ?? 0,
  );
  const fromPods = arrivalRates(before, usable, observation, nowMs);
  const rates = gateways ?? fromPods;
  const arrivals =
    rates === undefined
      ? 'unknown'
      : {
          ring: gateways === undefined ? before.ring : before.gatewayRing,
          lastSecond: rates.lastSecond,
          factor: unheardFactor(gateways === undefined ? before.ring : before.gatewayRing, rates),
        };
  const startSteps = startStepsOf(before.startSteps, observation.startingReplicas, nowMs);
  const measured = measuredOf(before, observation, gateways !== undefined, nowMs, startSteps);
  const service = serviceOf(before, measured);
  const state = {
    ...smoothBurstiness(before, arrivals, nowMs),
    startSteps,
    ...(measured.count >= fewestSamples && measured.estimate !== 'unknown'
      ? { service, serviceRevision: before.revision }
      : {}),
    freshSinceMs: freshness === 'ok' ? (before.freshSinceMs ?? nowMs) : undefined,
  };
  const firstMs = arrivals === 'unknown' ? state.ring.firstMs : arrivals.ring.firstMs;
  const coveredSeconds = Math.min(600, Math.max(0, (nowMs - firstMs) / 1_000));
  let queue = 0;
  let waitingPods = 0;
  let oldestWaitMs = gateways?.oldestWaitMs ?? 0;
  for (const { reading } of usable) {
    if (reading === 'unknown') continue;
    queue += reading.report.queueLength;
    if (reading.report.queueLength > 0) waitingPods += 1;
    oldestWaitMs = Math.max(oldestWaitMs, reading.report.oldestWaitMs);
  }
  const serving = servingPods(usable, before.revision);
  return {
    state,
    estimates: {
      rates: rates === undefined ? 'unknown' : rates.perSecond,
      highestFactor: gateways === undefined ? (fromPods?.highestFactor ?? 1) : 1,
      arrivals,
      service,
      serviceSamples: measured.count,
      burstiness: state.burstiness,
      batch: batchOf(serving),
      slots: slotsOf(serving),
      queueLength:
        rates === undefined ? 'unknown' : queue * (fromPods?.factor ?? 1) + (gateways?.queueLength ?? 0),
      oldestWaitMs,
      waitingPods,
      coveredSeconds,
      readyPods,
      freshPods,
      freshness,
    },
  };
}
