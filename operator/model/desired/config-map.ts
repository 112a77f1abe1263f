/** What changes without a new pod: `config.json`, which the pods re-read. */
import { podFiles } from '../../../crds/constants.ts';
import type { ModelDeployment, ModelDeploymentSpec } from '../../../crds/types.ts';
import { durationMs } from '../../../crds/values.ts';
import type { LiveConfig } from '../../../crds/wire.ts';
import type { ConfigMap } from '../../../kube/objects.ts';
import { configMapName } from '../names.ts';
import { latencyTargetsOf } from '../scaling/spec.ts';
import type { FetchDefaults } from '../snapshot.ts';
import { childMeta } from './child.ts';

/** Longest wait for an answer: `traffic.timeout`, or the larger of 1 s and ten times the highest promised latency. */
export function timeoutMs(spec: ModelDeploymentSpec): number {
  if (spec.traffic?.timeout !== undefined) return durationMs(spec.traffic.timeout);
  const highest = Math.max(0, ...latencyTargetsOf(spec).map((target) => target.targetMs));
  return Math.max(1_000, 10 * highest);
}

/** The live configuration of a spec; `digests` by revision, for those that are known; `fetch` where a model comes over the network. */
export function liveConfig(
  spec: ModelDeploymentSpec,
  digests: Readonly<Record<string, string>>,
  fetch?: FetchDefaults,
): LiveConfig {
  const { caBundle: _, ...network } = fetch ?? {};
  const bounds = latencyTargetsOf(spec).map((target) => target.targetMs);
  return {
    version: 1,
    timeoutMs: timeoutMs(spec),
    slaLatencyMs: [...new Set(bounds)].sort((a, b) => a - b),
    ...(spec.traffic?.shedAt === undefined ? {} : { shedAt: spec.traffic.shedAt }),
    digests: Object.fromEntries(Object.entries(digests).sort(([a], [b]) => (a < b ? -1 : 1))),
    ...(Object.values(network).some((value) => value !== undefined) ? { fetch: network } : {}),
  };
}

/** The digests by revision in the text of a live configuration; none where it is not one of ours. */
export function configuredDigests(text: string): Readonly<Record<string, string>> {
  try {
    const { digests } = JSON.parse(text) as Partial<LiveConfig>;
    return typeof digests === 'object' && digests !== null ? digests : {};
  } catch {
    return {};
  }
}

/** ConfigMap with the live configuration and, where there is one, the private CA of the model servers. */
export const desiredConfigMap = (
  deployment: ModelDeployment,
  config: LiveConfig,
  caBundle?: string,
): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: childMeta(deployment, configMapName(deployment.metadata.name)),
  data: {
    [podFiles.config]: `${JSON.stringify(config, null, 2)}\n`,
    ...(caBundle === undefined ? {} : { [podFiles.ca]: caBundle }),
  },
});
