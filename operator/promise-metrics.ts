/** `ballast_sla_*`: what each ModelDeployment promises and what its callers get. What is unknown has no series, never a 0. */
import type { ModelDeployment } from '../crds/types.ts';
import { percentFraction } from '../crds/values.ts';
import type { FleetDecision } from './controllers/fleet-decision.ts';
import type { RuntimeSample } from './http/metrics.ts';
import { latencyTargetsOf } from './model/scaling/spec.ts';
import { budgetLeftOf, slaMet } from './model/status/sla.ts';

/** Every gauge with its meaning, `ballast_` left out; the reference page is made from this list. */
export const promiseSeries = [
  {
    name: 'sla_met',
    label: undefined,
    help: '1 while the promise is kept, 0 while it is broken; none while it cannot be judged (the condition `SLAMet`).',
  },
  {
    name: 'sla_latency_seconds',
    label: 'percentile',
    help: 'Latency over `sla.window`, of each promised percentile; none while errors alone fill it.',
  },
  { name: 'sla_latency_target_seconds', label: 'percentile', help: 'The promised latency.' },
  {
    name: 'sla_error_ratio',
    label: undefined,
    help: 'Share of requests refused or failed over `sla.window`.',
  },
  { name: 'sla_error_target_ratio', label: undefined, help: 'The promised error rate.' },
  {
    name: 'sla_budget_left_ratio',
    label: undefined,
    help: 'What is left of the error budget of the promise that is nearest to its end, 0 to 1.',
  },
] as const;

type Name = (typeof promiseSeries)[number]['name'];

/** The series of every ModelDeployment with a promise about which something is measured, without their prefix. */
export function promiseSamples(
  deployments: readonly ModelDeployment[],
  decisionOf: (uid: string) => Pick<FleetDecision, 'measured'> | undefined,
): RuntimeSample[] {
  const samples: RuntimeSample[] = [];
  for (const { metadata, spec } of deployments) {
    const measured = decisionOf(metadata.uid)?.measured;
    if (measured === undefined) continue;
    const labels = { namespace: metadata.namespace, model_deployment: metadata.name };
    const gauge = (name: Name, value: number | 'unknown' | undefined, more: Record<string, string> = {}) => {
      if (typeof value === 'number' && Number.isFinite(value))
        samples.push({ name, kind: 'gauge', labels: { ...labels, ...more }, value });
    };
    const { status } = slaMet(spec, measured);
    if (status !== 'Unknown') gauge('sla_met', status === 'True' ? 1 : 0);
    for (const { percentile, targetMs } of latencyTargetsOf(spec)) {
      const latencyMs = measured.latencyMs[percentile];
      gauge('sla_latency_seconds', latencyMs === 'unknown' ? latencyMs : latencyMs / 1_000, { percentile });
      gauge('sla_latency_target_seconds', targetMs / 1_000, { percentile });
    }
    gauge('sla_error_ratio', measured.errorRate);
    const promised = spec.sla?.errorRate;
    if (promised !== undefined) gauge('sla_error_target_ratio', percentFraction(promised));
    gauge('sla_budget_left_ratio', budgetLeftOf(spec, measured));
  }
  return samples;
}
