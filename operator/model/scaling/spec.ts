/** From the spec as the API server returns it to what the scaling decision needs. */
import type { ModelDeploymentSpec } from '../../../crds/types.ts';
import { durationMs } from '../../../crds/values.ts';
import { costCapOf } from './cost-cap.ts';
import { scheduledFloor } from './schedule.ts';
import type { Balancing, LatencyTarget, ScalingInput } from './types.ts';
import { percentiles } from './types.ts';

/** Default of `scaling.maxReplicas` where something can ask for more than minReplicas. */
const defaultMaximum = 10;

/** The promised latencies of a spec, lowest percentile first. */
export function latencyTargetsOf(spec: ModelDeploymentSpec): LatencyTarget[] {
  const latency = spec.sla?.latency;
  if (latency === undefined) return [];
  return percentiles.flatMap((percentile) => {
    const text = latency[percentile];
    return text === undefined ? [] : [{ percentile, targetMs: durationMs(text) }];
  });
}

/** The spec's scaling at a time of the wall clock (without one no window of its schedule is open), with its defaults (DESIGN §3: maxReplicas follows from minReplicas and from what is promised). */
export function scalingInputOf(
  spec: ModelDeploymentSpec,
  balancing: Balancing = 'random',
  wallMs?: number,
): ScalingInput {
  const { mode, replicas, requestsPerSecondPerReplica, minReplicas = 1, maxHourlyCost } = spec.scaling;
  const price = spec.cost?.perReplicaHour;
  const scheduled = Math.max(0, ...(spec.scaling.schedule ?? []).map((window) => window.minReplicas));
  const elastic = spec.sla !== undefined || requestsPerSecondPerReplica !== undefined || scheduled > 0;
  const maxReplicas =
    spec.scaling.maxReplicas ?? (elastic ? Math.max(minReplicas, scheduled, defaultMaximum) : minReplicas);
  return {
    mode,
    suspended: spec.suspend === true,
    fixedReplicas: replicas,
    minReplicas,
    maxReplicas: Math.max(minReplicas, maxReplicas),
    latency: latencyTargetsOf(spec),
    requestsPerSecondPerReplica,
    balancing,
    shedAt: spec.traffic?.shedAt,
    scheduled: wallMs === undefined ? undefined : scheduledFloor(spec.scaling.schedule, wallMs),
    costCap:
      maxHourlyCost === undefined
        ? undefined
        : costCapOf(Number(maxHourlyCost), price === undefined ? 'unknown' : Number(price), minReplicas),
  };
}
