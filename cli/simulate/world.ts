/** From a ModelDeployment to a simulated one. */
import { kind } from '../../crds/constants.ts';
import { manifestProblems, modelDeploymentSchema } from '../../crds/manifest-check.ts';
import type { ModelDeploymentSpec } from '../../crds/types.ts';
import { durationMs } from '../../crds/values.ts';
import { cpusWeighed } from '../../operator/model/gateway/auto.ts';
import { weighHop } from '../../operator/model/gateway/hop.ts';
import { latencyTargetsOf, scalingInputOf } from '../../operator/model/scaling/spec.ts';
import type { LatencyTarget, ScalingInput } from '../../operator/model/scaling/types.ts';
import { chance } from '../../simulator/chance.ts';
import type { DeploymentConfig } from '../../simulator/deployment-config.ts';
import type { Trace } from '../../simulator/traffic/arrivals.ts';
import { meanRate } from '../../simulator/traffic/arrivals.ts';
import { objectsIn } from '../manifest-file.ts';
import type { SimulateOptions } from './options.ts';

/** What is wrong with the manifest, as its message. */
export class ManifestError extends Error {}

export interface Manifest {
  readonly name: string;
  readonly spec: ModelDeploymentSpec;
}

interface Document {
  readonly kind?: unknown;
  readonly metadata?: { readonly name?: unknown };
}

/** The one ModelDeployment of a file, checked and with its defaults, as the API server would return it. */
export function readManifest(file: string, name: string | undefined): Manifest {
  let documents: Document[];
  try {
    documents = objectsIn(file) as Document[];
  } catch (error) {
    throw new ManifestError(`${file}: cannot be read: ${(error as Error).message}`);
  }
  const ours = documents.filter((document) => document?.kind === kind);
  const names = ours.map(({ metadata }) => String(metadata?.name ?? ''));
  const wanted = name === undefined ? ours : ours.filter((_, index) => names[index] === name);
  const [found] = wanted;
  if (found === undefined)
    throw new ManifestError(
      ours.length === 0
        ? `${file}: no ${kind} in it`
        : `${file}: there is no ${kind} "${name}" in it; there are ${names.join(', ')}`,
    );
  if (wanted.length > 1) throw new ManifestError(`${file}: holds ${names.join(', ')}: say which with --name`);
  const problems = manifestProblems(found);
  if (problems.length > 0) throw new ManifestError(`${file}: ${problems.join('\n  ')}`);
  const whole = modelDeploymentSchema().applyDefaults(found) as { spec: ModelDeploymentSpec };
  return { name: String(found.metadata?.name ?? ''), spec: whole.spec };
}

export interface World {
  readonly config: DeploymentConfig;
  readonly input: ScalingInput;
  readonly targets: readonly LatencyTarget[];
  /** How requests reach the pods, in words. */
  readonly path: string;
}

/** What `Auto` would choose once this service time was measured. */
function hopPays(spec: ModelDeploymentSpec, { service, slots }: SimulateOptions): boolean {
  const { mode, latency, maxReplicas } = scalingInputOf(spec);
  const draws = chance(1);
  const times = Array.from({ length: 2_000 }, () => service.sample(draws));
  const meanSeconds = times.reduce((sum, time) => sum + time, 0) / times.length;
  const variance = times.reduce((sum, time) => sum + (time - meanSeconds) ** 2, 0) / times.length;
  const facts = {
    service: { meanSeconds, scv: variance / meanSeconds ** 2 },
    slots,
    latency,
    maxReplicas,
    ...cpusWeighed(spec.runtime, {}),
  };
  return mode === 'SLA' && weighHop(facts).path === 'Gateway';
}

/** The simulated deployment. `Auto` is chosen as the operator chooses it, from the service time that was given. */
export function worldOf({ spec }: Manifest, trace: Trace, options: SimulateOptions): World {
  const path = (spec.traffic as { path?: string } | undefined)?.path ?? 'Auto';
  const zero = (spec.scaling as { scaleToZero?: unknown }).scaleToZero !== undefined;
  const gateway = path === 'Gateway' || (path === 'Auto' && (zero || hopPays(spec, options)));
  const input = scalingInputOf(spec, gateway ? 'least-outstanding' : 'random');
  const targets = latencyTargetsOf(spec);
  const longest = targets.at(-1);
  const timeout = spec.traffic?.timeout;
  const timeoutMs =
    timeout === undefined ? Math.max(1_000, 10 * (longest?.targetMs ?? 0)) : durationMs(timeout);
  const load = (meanRate(trace, 0, 60) * options.service.mean) / options.slots;
  const least = Math.min(input.maxReplicas, Math.max(input.minReplicas, Math.ceil(load / 0.6)));
  return {
    config: {
      trace,
      service: options.service,
      startup: options.startup,
      sloMs: longest?.targetMs ?? timeoutMs,
      slots: options.slots,
      balancing: gateway ? 'gateway' : 'random',
      shedAt: spec.traffic?.shedAt === 'SLA' ? 'SLA' : 'Timeout',
      timeoutMs,
      drainSeconds: 3,
      clusterPods: 10_000,
      initialReplicas: options.initial ?? (input.mode === 'SLA' ? least : input.fixedReplicas),
      wakes: zero,
      seed: options.seed,
    },
    input,
    targets,
    path: gateway ? 'through the gateway' : 'directly, by random choice of a pod',
  };
}
