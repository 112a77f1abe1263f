/** The scaling decision: pure, its clock is data, its memory is returned. See reference/autoscaling.md §3 for the algorithm. */

import { followBursts, unservableSentence } from './bursts.ts';
import type { Estimates } from './estimate.ts';
import { estimate } from './estimate.ts';
import { infeasibleSentence, needSentence } from './explain.ts';
import type { Forecast } from './forecast.ts';
import { advanceForecast, plannedRate, rateAhead } from './forecast.ts';
import { absorbGateways, viewOf } from './gateway-readings.ts';
import { burstOf, panicMs } from './panic.ts';
import type { QueueModel } from './queueing.ts';
import { absorb } from './readings.ts';
import { apartSentence, apartSum, sizedApart } from './revisions.ts';
import { emptyRing } from './ring.ts';
import { shape } from './shape.ts';
import type { Need } from './sizing.ts';
import { sizeFor } from './sizing.ts';
import type { StartupTime } from './startup.ts';
import { startupOf } from './startup.ts';
import type {
  Decision,
  Known,
  Observation,
  ScalingInput,
  ScalingReason,
  ScalingState,
  ServiceEstimate,
  Why,
} from './types.ts';

/** Memory of a deployment that was never seen before. */
export const initialState: ScalingState = {
  replicas: undefined,
  instances: new Map(),
  ring: emptyRing,
  burstiness: 1,
  burstinessAtMs: Number.NEGATIVE_INFINITY,
  service: 'unknown',
  recommendations: [],
  lastDownAtMs: undefined,
  freshSinceMs: undefined,
  rejectedReadings: 0,
  gatewayMarks: new Map(),
  gatewayRing: emptyRing,
  forecast: undefined,
  panicUntilMs: undefined,
  unheardSinceMs: undefined,
  bursts: [],
};

const batchScv = 0.1;

/** One-sided confidence, in standard deviations, with which a rate is told from noise while there is no forecast. */
const confidence = 2;

/** From the decision to the pod: reading, patching and placing take this long beside the start-up itself. */
const decisionSeconds = 5;

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
}

/** With batches a request's part of a full one is what counts for capacity: the measured mean falls as the load rises. */
function modelOf(service: ServiceEstimate, estimates: Estimates, input: ScalingInput): QueueModel {
  const { slots, burstiness, batch } = estimates;
  const { balancing } = input;
  if (batch === undefined) return { service, slots, burstiness, balancing };
  const meanSeconds = batch.fullSeconds / batch.requests;
  // The spread of shared-out times is that of batch sizes for the most part; runs themselves spread little.
  const scv = Math.min(batchScv, service.scv);
  return { service: { meanSeconds, scv }, slots, burstiness, balancing, batch };
}

/** Rates to size by. The first seconds of a new deployment say little: until there are ten, only what is surely there counts. */
function demandsOf(
  estimates: Estimates,
  forecast: Forecast | undefined,
  aheadSeconds: number,
  input: ScalingInput,
): Known<Demands> {
  const { rates, service, burstiness, coveredSeconds } = estimates;
  if (rates === 'unknown') return 'unknown';
  const covered = Math.max(1, coveredSeconds);
  const [, rate10, rate60] = rates;
  const spread = (rate: number, over: number) =>
    confidence * Math.sqrt((rate * Math.max(1, burstiness)) / Math.min(over, covered));
  const low = (rate: number, over: number) => Math.max(0, rate - spread(rate, over));
  const isForecast = forecast !== undefined && covered >= 10;
  const forecastRate = isForecast ? rateAhead(forecast, aheadSeconds) : 'unknown';
  const steady = covered < 10 ? low(rate60, 60) : Math.min(rate60, rate10 + spread(rate10, 10));
  const upRate = isForecast ? plannedRate(forecast, aheadSeconds, burstiness) : steady;
  return {
    upRate,
    floorRate: Math.max(low(rate10, 10), low(Math.min(rate60, rate10 + spread(rate10, 10)), 60)),
    downRate: upRate * estimates.highestFactor,
    forecastRate,
    model: service === 'unknown' ? 'unknown' : modelOf(service, estimates, input),
  };
}

function inputsOf(
  estimates: Estimates,
  demands: Known<Demands>,
  observation: Observation,
  input: ScalingInput,
  startup: StartupTime,
): Record<string, Known<number>> {
  const { rates, service } = estimates;
  const model = demands === 'unknown' ? 'unknown' : demands.model;
  const busy =
    model === 'unknown' || demands === 'unknown'
      ? 'unknown'
      : (demands.upRate * model.service.meanSeconds) / model.slots;
  return {
    arrivalRate2s: rates === 'unknown' ? rates : rates[0],
    arrivalRate10s: rates === 'unknown' ? rates : rates[1],
    arrivalRate60s: rates === 'unknown' ? rates : rates[2],
    forecastRate: demands === 'unknown' ? demands : demands.forecastRate,
    plannedRate: demands === 'unknown' ? demands : demands.upRate,
    startupSeconds: startup.d90Seconds,
    ...(startup.nodeSeconds === undefined ? {} : { nodeSeconds: startup.nodeSeconds }),
    serviceMs: service === 'unknown' ? service : service.meanSeconds * 1_000,
    serviceScv: service === 'unknown' ? service : service.scv,
    serviceSamples: estimates.serviceSamples,
    batchRequests: estimates.batch?.requests ?? 1,
    burstiness: estimates.burstiness,
    slotsPerReplica: estimates.slots,
    busyReplicas: busy,
    queueLength: estimates.queueLength,
    readyPods: estimates.readyPods,
    freshPods: estimates.freshPods,
    startingPods: observation.startingReplicas,
    crashingPods: observation.crashingReplicas,
    blockedPods: observation.blockedReplicas,
    coveredSeconds: Math.floor(estimates.coveredSeconds),
    minReplicas: input.minReplicas,
    maxReplicas: input.maxReplicas,
    ...Object.fromEntries(
      input.latency.map(({ percentile, targetMs }) => [`${percentile}TargetMs`, targetMs]),
    ),
  };
}

/** Modes in which Ballast does not choose: the count and its reason pass through. */
function passedThrough(state: ScalingState, input: ScalingInput): Decision {
  const [reason, replicas, sentence] = input.suspended
    ? (['Suspended', 0, 'spec.suspend is true: no replica runs'] as const)
    : ([
        input.mode === 'Fixed' ? 'Fixed' : 'External',
        input.fixedReplicas,
        input.mode === 'Fixed'
          ? `scaling.mode is Fixed: scaling.replicas says ${input.fixedReplicas}`
          : `scaling.mode is External: the scale subresource says ${input.fixedReplicas}`,
      ] as const);
  return {
    replicas,
    why: { reason, sentence, inputs: { replicas }, freshness: 'none', needed: replicas, limited: undefined },
    next: { ...initialState, service: state.service, replicas },
  };
}

/** How many replicas run, why, and what to remember. Under 1 ms at 200 replicas. */
export function decide(
  state: ScalingState,
  observation: Observation,
  input: ScalingInput,
  nowMs: number,
): Decision {
  if (input.suspended || input.mode !== 'SLA') return passedThrough(state, input);
  const absorbed = absorb(state, observation.pods, nowMs);
  const told = absorbGateways(absorbed.state, observation.gateways ?? [], nowMs);
  const view = viewOf(told.state, told.usable, observation);
  const { estimates, state: estimated } = estimate(told.state, absorbed.usable, observation, nowMs, view);
  const startup = startupOf(observation.startups, observation.blockedReplicas > 0);
  const aheadSeconds = startup.d90Seconds + decisionSeconds;
  const { arrivals } = estimates;
  const forecast =
    arrivals === 'unknown'
      ? estimated.forecast
      : advanceForecast(
          estimated.forecast,
          arrivals.ring,
          arrivals.lastSecond,
          aheadSeconds,
          arrivals.factor,
        );
  const moved = { ...estimated, forecast };
  const demands = demandsOf(estimates, forecast, aheadSeconds, input);
  const size = (
    ratePerSecond: number,
    floorRate: number,
    model: Known<QueueModel>,
    strictness: number,
  ): Need =>
    sizeFor({
      ratePerSecond,
      floorRate,
      model,
      latency: input.latency,
      requestsPerSecondPerReplica: input.requestsPerSecondPerReplica,
      strictness,
    });

  const known = state.replicas ?? observation.replicas;
  // Before anything is known, what exists is the least that may be asked for.
  const current = known === 'unknown' ? observation.pods.length : known;
  const need = demands === 'unknown' ? 'unknown' : size(demands.upRate, demands.floorRate, demands.model, 1);
  const apart =
    demands === 'unknown' || demands.model === 'unknown'
      ? []
      : sizedApart(
          absorbed.usable,
          told.usable,
          demands.upRate,
          demands.model,
          (rate, model) => size(rate, rate, model, 1).replicas,
        );
  const relaxed =
    demands === 'unknown' ? 'unknown' : size(demands.downRate, demands.downRate, demands.model, 0.5);
  const serving = estimates.readyPods + observation.startingReplicas;
  const burst =
    demands === 'unknown' || demands.model === 'unknown'
      ? undefined
      : burstOf(estimates, demands.model, input, {
          planned: demands.upRate,
          serving,
          startupSeconds: startup.d50Seconds,
          // What is surely there counts against a fixed rate per replica too.
          sizeOf: (rate) => size(rate, Math.max(rate, demands.floorRate), demands.model, 1).replicas,
        });
  const inputs = inputsOf(estimates, demands, observation, input, startup);
  let needed: Known<number> = 'unknown';
  let steady = 1;
  let reason: ScalingReason = 'HoldUnknown';
  let sentence = 'no pod has given fresh figures';
  if (need !== 'unknown' && demands !== 'unknown') {
    needed = need.replicas;
    reason = need.reason;
    sentence = needSentence(
      need,
      demands.upRate,
      demands.model,
      input.latency,
      input.requestsPerSecondPerReplica,
      estimates.rates === 'unknown' ? 'unknown' : estimates.rates[1],
      demands.floorRate,
    );
    steady = need.replicas;
    const together = demands.model === 'unknown' ? 0 : apartSum(apart, demands.model);
    if (together > steady) {
      needed = together;
      steady = together;
      sentence = `${sentence}; ${apartSentence(apart, together)}`;
    }
    if (burst !== undefined && burst.replicas > needed) {
      needed = burst.replicas;
      reason = burst.isBacklog ? 'Backlog' : 'Latency';
      sentence = `${sentence}; ${burst.sentence}`;
    }
  }
  const servable = demands === 'unknown' || demands.model === 'unknown' ? 'unknown' : demands.model;
  const bursts =
    estimates.rates === 'unknown' || servable === 'unknown'
      ? moved.bursts
      : followBursts(
          moved.bursts,
          estimates.rates[0],
          burst === undefined
            ? undefined
            : (Math.max(1, estimates.readyPods) * servable.slots) / servable.service.meanSeconds,
          nowMs,
        );
  const shaped = shape({
    state: { ...moved, bursts, ...(burst === undefined ? {} : { panicUntilMs: nowMs + panicMs }) },
    observation,
    input,
    nowMs,
    current,
    estimates,
    needed,
    enough: relaxed === 'unknown' ? 'unknown' : Math.max(relaxed.replicas, steady),
    reason,
    sentence,
  });
  const infeasible = need === 'unknown' ? undefined : need.infeasible.at(0);
  const model = demands === 'unknown' ? 'unknown' : demands.model;
  let limited: Why['limited'] = shaped.limited;
  let words = shaped.sentence;
  if (input.costCap?.replicas === 'unknown') words = `${words}; ${input.costCap.sentence}`;
  if (infeasible !== undefined && model !== 'unknown') {
    const said = infeasibleSentence(infeasible, model);
    limited = { reason: 'SLAInfeasible', sentence: said };
    words = `${words}; ${said}`;
  }
  const unservable = unservableSentence(bursts, startup.d50Seconds, nowMs);
  if (unservable !== undefined && limited === undefined) {
    limited = { reason: 'BurstUnservable', sentence: unservable };
    words = `${words}; ${unservable}`;
  }
  return {
    replicas: shaped.replicas,
    why: {
      reason: shaped.reason,
      sentence: words,
      inputs: { currentReplicas: current, needed, ...inputs },
      freshness: estimates.freshness,
      needed,
      limited,
      ...(apart.length === 0 ? {} : { revisions: apart }),
    },
    next: shaped.next,
  };
}
