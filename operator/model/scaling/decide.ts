/** The scaling decision: pure, its clock is data, its memory is returned. See reference/autoscaling.md §3 for the algorithm. */

import { followBursts, unservableSentence } from './bursts.ts';
import { noGainOf } from './capacity.ts';
import { estimate } from './estimate.ts';
import { infeasibleSentence, needSentence, repeatedSentence } from './explain.ts';
import { advanceForecast, keptMarginOf, withMargin } from './forecast.ts';
import { absorbGateways, viewOf } from './gateway-readings.ts';
import { growthOf } from './growth.ts';
import { inputsOf } from './inputs.ts';
import { learn, learnedOf, nothingLearned } from './learned.ts';
import { demandsOf, modelOf } from './load.ts';
import { burstOf, panicMs } from './panic.ts';
import { type QueueModel, servesPerSecond } from './queueing.ts';
import { absorb } from './readings.ts';
import { followRefusals, noRefusals } from './refusals.ts';
import { apartSentence, areApart, needsOf, servingParts, sumOf, together } from './revisions.ts';
import { emptyRing } from './ring.ts';
import { shape } from './shape.ts';
import type { Need } from './sizing.ts';
import { sizeFor } from './sizing.ts';
import { startupOf } from './startup.ts';
import type {
  Decision,
  Known,
  Observation,
  ScalingInput,
  ScalingReason,
  ScalingState,
  Why,
} from './types.ts';

/** Memory of a deployment that was never seen before. */
export const initialState: ScalingState = {
  replicas: undefined,
  instances: new Map(),
  revision: undefined,
  ring: emptyRing,
  burstiness: 1,
  burstinessAtMs: Number.NEGATIVE_INFINITY,
  service: 'unknown',
  serviceRevision: undefined,
  recommendations: [],
  lastDownAtMs: undefined,
  freshSinceMs: undefined,
  rejectedReadings: 0,
  gatewayMarks: new Map(),
  gatewayRing: emptyRing,
  forecast: undefined,
  keptMargin: undefined,
  panicUntilMs: undefined,
  unheardSinceMs: undefined,
  bursts: [],
  learned: nothingLearned,
  refusedByPods: 0,
  refusedByGateways: 0,
  refusals: noRefusals,
  startSteps: [],
};

/** Pods that tell of so much served before anything was decided here: the operator began anew, or another mode decided. */
const tellingSeconds = 60;

/** From the decision to the pod: reading, patching and placing take this long beside the start-up itself. */
const decisionSeconds = 5;

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
    next: {
      ...initialState,
      revision: state.revision,
      service: state.service,
      serviceRevision: state.serviceRevision,
      learned: state.learned,
      replicas,
    },
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
  const ownForecast =
    arrivals === 'unknown'
      ? estimated.forecast
      : advanceForecast(
          estimated.forecast,
          arrivals.ring,
          arrivals.lastSecond,
          aheadSeconds,
          arrivals.factor,
        );
  const keptMargin = keptMarginOf(estimated.keptMargin, ownForecast, nowMs);
  const forecast = withMargin(ownForecast, keptMargin);
  const refusals = followRefusals(
    estimated.refusals,
    estimated.refusedByPods + estimated.refusedByGateways,
    estimates.rates === 'unknown' ? 0 : estimates.rates[0],
    nowMs,
  );
  const learnedBefore = learnedOf(estimated.learned, estimated.revision);
  const moved = { ...estimated, forecast, keptMargin, refusals, learned: learnedBefore };
  const demands = demandsOf(estimates, forecast, aheadSeconds, input, moved);
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
  const parts = servingParts(absorbed.usable, told.usable, { estimates, input, learned: learnedBefore });
  const isApart = demands !== 'unknown' && areApart(parts, demands.model);
  const apartAt = (rate: number, strictness: number) =>
    needsOf(parts, rate, (own, model) => size(own, own, model, strictness).replicas);
  const apart = demands === 'unknown' ? [] : apartAt(demands.upRate, 1);
  const relaxed =
    demands === 'unknown' ? 'unknown' : size(demands.downRate, demands.downRate, demands.model, 0.5);
  const serving = estimates.readyPods + observation.startingReplicas;
  const servable =
    demands === 'unknown' || demands.model === 'unknown' ? 'unknown' : together(parts, demands.model);
  // What is surely there counts against a fixed rate per replica too.
  const sizeAt = (rate: number) =>
    demands === 'unknown'
      ? 0
      : Math.max(
          size(rate, Math.max(rate, demands.floorRate), demands.model, 1).replicas,
          isApart ? sumOf(apartAt(rate, 1)) : 0,
        );
  const burst =
    demands === 'unknown' || servable === 'unknown'
      ? undefined
      : burstOf(estimates, servable, input, {
          planned: demands.upRate,
          serving,
          startupSeconds: startup.d50Seconds,
          most: demands.most,
          sizeOf: sizeAt,
        });
  const isPanic = nowMs < (moved.panicUntilMs ?? Number.NEGATIVE_INFINITY);
  const growth =
    demands === 'unknown' || servable === 'unknown'
      ? undefined
      : growthOf({
          estimates,
          capacity: estimates.readyPods * servesPerSecond(servable),
          isBurst: burst !== undefined || isPanic,
          startupSeconds: startup.d50Seconds,
          mostRate: demands.most?.hedged ?? Number.POSITIVE_INFINITY,
        });
  const inputs = inputsOf(estimates, demands, observation, input, startup, moved);
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
    if (
      demands.most !== undefined &&
      Math.max(demands.upRate, estimates.rates === 'unknown' ? 0 : estimates.rates[0]) >= demands.most.rate
    )
      sentence = `${sentence}; ${repeatedSentence(moved.refusals, demands.most.rate)}`;
    steady = need.replicas;
    const sum = isApart ? sumOf(apart) : 0;
    if (sum > steady) {
      needed = sum;
      steady = sum;
      sentence = `${sentence}; ${apartSentence(apart, sum)}`;
    }
    const grown = growth === undefined ? 0 : sizeAt(growth.ratePerSecond);
    // What was asked for ahead of a rise stays as long as what a forecast asked for; in a burst nothing is taken back anyhow.
    if (burst === undefined && !isPanic) steady = Math.max(steady, grown);
    if (growth !== undefined && grown > needed) {
      needed = grown;
      reason = 'Latency';
      sentence = `${sentence}; ${growth.sentence} need ${grown}`;
    }
    if (burst !== undefined && burst.replicas > needed) {
      needed = burst.replicas;
      reason = burst.isBacklog ? 'Backlog' : 'Latency';
      sentence = `${sentence}; ${burst.sentence}`;
    }
  }
  const relaxedApart = demands !== 'unknown' && isApart ? sumOf(apartAt(demands.downRate, 0.5)) : 0;
  const noGain =
    servable === 'unknown'
      ? undefined
      : noGainOf(moved.learned.capacity, servable.service.scv, nowMs, current);
  const isVain = noGain !== undefined && needed !== 'unknown' && needed > noGain.replicas;
  if (isVain) {
    needed = noGain.replicas;
    reason = 'HoldNoGain';
    sentence = `${sentence}; ${noGain.sentence}`;
  }
  const bursts =
    estimates.rates === 'unknown' || servable === 'unknown'
      ? moved.bursts
      : followBursts(
          moved.bursts,
          estimates.rates[0],
          burst === undefined ? undefined : Math.max(1, estimates.readyPods) * servesPerSecond(servable),
          nowMs,
        );
  const isBurst = burst !== undefined && !isVain;
  const learned = learn(moved.learned, {
    state: moved,
    pods: absorbed.usable,
    gateways: told.usable,
    estimates,
    model: estimates.service === 'unknown' ? undefined : modelOf(estimates.service, estimates, input),
    input,
    rolloutInProgress: observation.rolloutInProgress,
    // Pods that start may slow those that serve, which is no matter of waiting.
    isBurst: burst !== undefined || observation.startingReplicas > 0 || isPanic,
    nowMs,
  });
  // What runs was decided upon by somebody who is gone, on a past that pods still tell of: a decrease looks back as far as ever.
  const isFirst =
    moved.recommendations.length === 0 && needed !== 'unknown' && estimates.coveredSeconds >= tellingSeconds;
  const recommendations = isFirst ? [{ atMs: nowMs, replicas: current }] : moved.recommendations;
  const shaped = shape({
    state: {
      ...moved,
      recommendations,
      bursts,
      learned,
      ...(isBurst ? { panicUntilMs: nowMs + panicMs } : {}),
    },
    observation,
    input,
    nowMs,
    current,
    estimates,
    needed,
    enough:
      relaxed === 'unknown'
        ? 'unknown'
        : Math.min(
            Math.max(relaxed.replicas, relaxedApart, steady),
            isVain ? noGain.replicas : Number.POSITIVE_INFINITY,
          ),
    reason,
    sentence,
  });
  const infeasible = need === 'unknown' ? undefined : need.infeasible.at(0);
  const model = demands === 'unknown' ? 'unknown' : demands.model;
  let limited: Why['limited'] = shaped.limited;
  let words = shaped.sentence;
  if (input.costCap?.replicas === 'unknown') words = `${words}; ${input.costCap.sentence}`;
  // What replicas that slow each other take says nothing of the model alone.
  if (isVain) limited = { reason: 'NoGain', sentence: noGain.sentence };
  else if (infeasible !== undefined && model !== 'unknown') {
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
