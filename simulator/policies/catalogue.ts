/** Policies by the names that tables and command lines use. */
import type { ModelDeploymentSpec } from '../../crds/types.ts';
import { scalingInputOf } from '../../operator/model/scaling/spec.ts';
import type { ScalingInput } from '../../operator/model/scaling/types.ts';
import type { DeploymentConfig } from '../deployment-config.ts';
import type { Pipeline } from './ballast.ts';
import { BallastPolicy } from './ballast.ts';
import { fixed } from './fixed.ts';
import { HpaCpu, HpaRps } from './hpa.ts';
import { Keda } from './keda.ts';
import { Knative } from './knative.ts';
import type { Limits, Policy } from './policy.ts';
import { Ray, rayDefaults } from './ray.ts';

export interface PolicyContext {
  readonly config: DeploymentConfig;
  readonly limits: Limits;
  /** The promised percentile: `p99`. */
  readonly percentile: 'p50' | 'p90' | 'p95' | 'p99';
  readonly pipeline?: Pipeline | undefined;
  /** Milliseconds of a clock, to measure decisions with. */
  readonly clock?: (() => number) | undefined;
}

/** What the operator would derive from a ModelDeployment with these limits and this promise. */
export function scalingInput({ config, limits, percentile }: PolicyContext): ScalingInput {
  const spec = {
    model: { uri: 'file:///model.onnx' },
    sla: { latency: { [percentile]: `${Math.max(1, Math.round(config.sloMs))}ms` } },
    scaling: { mode: 'SLA', replicas: 1, ...limits },
    traffic: { shedAt: config.shedAt },
  };
  return scalingInputOf(
    spec as unknown as ModelDeploymentSpec,
    config.balancing === 'gateway' ? 'least-outstanding' : 'random',
  );
}

/** Requests that one pod serves per second when it is always busy. */
function perPodRate({ service, slots, batch }: DeploymentConfig): number {
  const size = batch?.maxSize ?? 1;
  const share = batch === undefined ? 1 : 1 - batch.share + batch.share * size;
  return (slots * size) / (service.mean * share);
}

/** Names with an example each, for help and messages. */
export const policyNames =
  'ballast, hpa-cpu60, hpa-rps70, keda70, kpa70 (the number is the target in percent), ray (2 ongoing), ray1 (1 ongoing), static:20';

const percent = /^(hpa-cpu|hpa-rps|keda|kpa)([1-9]\d{0,2})$/;

/** Whether there is a policy of that name. */
export const isPolicyName = (name: string): boolean =>
  name === 'ballast' ||
  /^ray([1-9]\d{0,2})?$/.test(name) ||
  /^static:\d{1,4}$/.test(name) ||
  percent.test(name);

/** The policy of that name; throws for a name that is none. */
export function policyOf(name: string, context: PolicyContext): Policy {
  const { config, limits } = context;
  if (name === 'ballast')
    return new BallastPolicy(scalingInput(context), config.seed, context.pipeline, context.clock);
  if (name === 'ray') return new Ray({ ...rayDefaults, targetOngoing: 2 * config.slots }, limits);
  if (name.startsWith('ray'))
    return new Ray({ ...rayDefaults, targetOngoing: Number(name.slice(3)) * config.slots }, limits, name);
  if (name.startsWith('static:')) return fixed(Number(name.slice(7)), name);
  const [, kind, text] = percent.exec(name) ?? [];
  const share = Number(text) / 100;
  if (kind === 'hpa-cpu') return new HpaCpu(share, limits);
  if (kind === 'hpa-rps') return new HpaRps(share, perPodRate(config), limits);
  if (kind === 'keda') return new Keda(share, perPodRate(config), limits);
  if (kind === 'kpa') return new Knative(share, config.slots, limits);
  throw new Error(`there is no policy "${name}"; there are ${policyNames}`);
}
