/** From the spec as the API server returns it to what the scaling decision needs. */
import type { ModelDeploymentSpec } from '../../../crds/types.ts';
import { durationMs } from '../../../crds/values.ts';
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

/** The spec's scaling with its defaults (DESIGN §3: maxReplicas follows from minReplicas and from what is promised). */
export function scalingInputOf(spec: ModelDeploymentSpec, balancing: Balancing = 'random'): ScalingInput {
  const { mode, replicas, requestsPerSecondPerReplica, minReplicas = 1 } = spec.scaling;
  const elastic = spec.sla !== undefined || requestsPerSecondPerReplica !== undefined;
  const maxReplicas =
    spec.scaling.maxReplicas ?? (elastic ? Math.max(minReplicas, defaultMaximum) : minReplicas);
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
  };
}
