/** Every number that a decision is made from, by its name in `status.scaling.lastDecision.inputs`: at most 32. */
import { busiestFull } from './capacity.ts';
import type { Estimates } from './estimate.ts';
import type { Demands } from './load.ts';
import { servesPerSecond } from './queueing.ts';
import { refusedRate } from './refusals.ts';
import type { StartupTime } from './startup.ts';
import type { Known, Observation, ScalingInput, ScalingState } from './types.ts';

/** The inputs; what was learned and what is refused are among them only where there is any. */
export function inputsOf(
  estimates: Estimates,
  demands: Known<Demands>,
  observation: Observation,
  input: ScalingInput,
  startup: StartupTime,
  state: ScalingState,
): Record<string, Known<number>> {
  const { rates, service } = estimates;
  const model = demands === 'unknown' ? 'unknown' : demands.model;
  const busy =
    model === 'unknown' || demands === 'unknown' ? 'unknown' : demands.upRate / servesPerSecond(model);
  const { waits, capacity } = state.learned;
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
    // Learned figures: measured waits over predicted ones, and how busy full replicas were by their own service times.
    ...(waits.stretches === 0 ? {} : { waitFactor: waits.factor }),
    ...(capacity.steps.length === 0 ? {} : { fullBusyShare: busiestFull(capacity) }),
    ...(state.refusals.episode === undefined ? {} : { refusedRate: refusedRate(state.refusals) }),
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
