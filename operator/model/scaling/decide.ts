/** The scaling decision: pure, its clock is data, its memory is returned. See reference/autoscaling.md §3 for the algorithm. */
import type { Estimates } from './estimate.ts';
import { estimate } from './estimate.ts';
import { infeasibleSentence, needSentence } from './explain.ts';
import type { QueueModel } from './queueing.ts';
import { absorb } from './readings.ts';
import { emptyRing } from './ring.ts';
import { shape } from './shape.ts';
import type { Need } from './sizing.ts';
import { mostReplicas, sizeFor } from './sizing.ts';
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
  ring: emptyRing,
  burstiness: 1,
  burstinessAtMs: Number.NEGATIVE_INFINITY,
  service: 'unknown',
  recommendations: [],
  lastDownAtMs: undefined,
  freshSinceMs: undefined,
  rejectedReadings: 0,
};

/**
 * One-sided confidence, in standard deviations, with which a rate is told from noise. A short window is looked at more
 * often than it brings new arrivals, so its chance excesses are more: it must be surer.
 */
const confidence = { 2: 2.5, 10: 2, 60: 2 } as const;

/** A backlog is to be gone after the promise's own time, but not sooner than this. */
const shortestDrainSeconds = 2;

/** What is known about the load, as numbers that the count is computed from. */
export interface Demands {
  /** Arrival rate that the count must carry now: the last minute's, or more where a rise is more than noise. */
  readonly upRate: number;
  /** The same, as little as noise allows: what a fixed rate per replica is held against, so that a rate at the limit does not flap. */
  readonly floorRate: number;
  /** Arrival rate that a smaller count would have to carry. */
  readonly downRate: number;
  readonly model: Known<QueueModel>;
}

/** Rates to size by: a rise counts once it is more than noise, a fall once it is more than noise too. */
function demandsOf(estimates: Estimates, input: ScalingInput): Known<Demands> {
  const { rates, service, slots, burstiness } = estimates;
  if (rates === 'unknown') return 'unknown';
  const covered = Math.max(1, estimates.coveredSeconds);
  const [rate2, rate10, rate60] = rates;
  const spread = (rate: number, over: keyof typeof confidence) =>
    confidence[over] * Math.sqrt((rate * Math.max(1, burstiness)) / Math.min(over, covered));
  const low = (rate: number, over: keyof typeof confidence) => Math.max(0, rate - spread(rate, over));
  const lately = Math.min(rate60, rate10 + spread(rate10, 10));
  // The first seconds of a new deployment say little: until there are ten, only what is surely there counts.
  const steady = covered < 10 ? low(lately, 60) : lately;
  const rising = Math.max(low(rate2, 2), low(rate10, 10));
  const upRate = Math.max(rising, steady);
  const upper = Math.min(rate60 + spread(rate60, 60), rate10 + spread(rate10, 10));
  return {
    upRate,
    floorRate: Math.max(rising, low(steady, 60)),
    downRate: Math.max(upRate, upper) * estimates.highestFactor,
    model: service === 'unknown' ? 'unknown' : { service, slots, burstiness, balancing: input.balancing },
  };
}

interface Backlog {
  readonly replicas: number;
  readonly sentence: string;
}

/** More replicas where the requests that wait already would be late: enough to work them off within the drain time. */
function backlogOf(
  estimates: Estimates,
  demands: Demands,
  input: ScalingInput,
  serving: number,
): Backlog | undefined {
  const { model } = demands;
  const longest = input.latency.at(-1);
  if (model === 'unknown' || longest === undefined || estimates.queueLength === 'unknown') return undefined;
  const perReplica = model.slots / model.service.meanSeconds;
  const waitSeconds = estimates.queueLength / (Math.max(1, estimates.readyPods) * perReplica);
  if (waitSeconds <= longest.targetMs / 2_000) return undefined;
  const drainSeconds = Math.max(shortestDrainSeconds, longest.targetMs / 1_000);
  const wanted = Math.ceil((demands.upRate + estimates.queueLength / drainSeconds) / (0.95 * perReplica));
  // The queue is what piled up while pods were missing: at most twice what runs or starts is asked for because of it.
  const replicas = Math.min(wanted, 2 * Math.max(1, serving), mostReplicas);
  const waiting = Math.round(estimates.queueLength);
  return {
    replicas,
    sentence: `${waiting} requests wait ${waitSeconds.toFixed(2)}s, more than half of ${longest.targetMs}ms; ${replicas} replicas work them off in ${drainSeconds}s`,
  };
}

function inputsOf(
  estimates: Estimates,
  demands: Known<Demands>,
  observation: Observation,
  input: ScalingInput,
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
    plannedRate: demands === 'unknown' ? demands : demands.upRate,
    serviceMs: service === 'unknown' ? service : service.meanSeconds * 1_000,
    serviceScv: service === 'unknown' ? service : service.scv,
    serviceSamples: estimates.serviceSamples,
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
  const { estimates, state: moved } = estimate(absorbed.state, absorbed.usable, observation, nowMs);
  const demands = demandsOf(estimates, input);
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
  const relaxed =
    demands === 'unknown' ? 'unknown' : size(demands.downRate, demands.downRate, demands.model, 0.5);
  const serving = estimates.readyPods + observation.startingReplicas;
  const backlog = demands === 'unknown' ? undefined : backlogOf(estimates, demands, input, serving);

  const inputs = inputsOf(estimates, demands, observation, input);
  let needed: Known<number> = 'unknown';
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
    );
    if (backlog !== undefined && backlog.replicas > needed) {
      needed = backlog.replicas;
      reason = 'Backlog';
      sentence = `${sentence}; ${backlog.sentence}`;
    }
  }
  const shaped = shape({
    state: moved,
    observation,
    input,
    nowMs,
    current,
    estimates,
    needed,
    enough: relaxed === 'unknown' ? 'unknown' : Math.max(relaxed.replicas, needed === 'unknown' ? 1 : needed),
    reason,
    sentence,
  });
  const infeasible = need === 'unknown' ? undefined : need.infeasible.at(0);
  const model = demands === 'unknown' ? 'unknown' : demands.model;
  let limited: Why['limited'] = shaped.limited;
  let told = shaped.sentence;
  if (infeasible !== undefined && model !== 'unknown') {
    const said = infeasibleSentence(infeasible, model);
    limited = { reason: 'SLAInfeasible', sentence: said };
    told = `${told}; ${said}`;
  }
  return {
    replicas: shaped.replicas,
    why: {
      reason: shaped.reason,
      sentence: told,
      inputs: { currentReplicas: current, needed, ...inputs },
      freshness: estimates.freshness,
      needed,
      limited,
    },
    next: shaped.next,
  };
}
