/** What changes without a new pod: `config.json`, which the pods re-read. */
import type { ModelDeployment, ModelDeploymentSpec } from '../../../crds/types.ts';
import { durationMs } from '../../../crds/values.ts';
import type { LiveConfig } from '../../../crds/wire.ts';
import type { ConfigMap } from '../../../kube/objects.ts';
import { configMapName } from '../names.ts';
import { latencyTargetsOf } from '../scaling/spec.ts';
import { childMeta } from './child.ts';

/** Key of the ConfigMap, and the file's name in the pod. */
const configFile = 'config.json';

/** Longest wait for an answer: `traffic.timeout`, or the larger of 1 s and ten times the highest promised latency. */
export function timeoutMs(spec: ModelDeploymentSpec): number {
  if (spec.traffic?.timeout !== undefined) return durationMs(spec.traffic.timeout);
  const highest = Math.max(0, ...latencyTargetsOf(spec).map((target) => target.targetMs));
  return Math.max(1_000, 10 * highest);
}

/** The live configuration of a spec; `digests` by revision, for those that are known. */
export function liveConfig(spec: ModelDeploymentSpec, digests: Readonly<Record<string, string>>): LiveConfig {
  const bounds = latencyTargetsOf(spec).map((target) => target.targetMs);
  return {
    version: 1,
    timeoutMs: timeoutMs(spec),
    slaLatencyMs: [...new Set(bounds)].sort((a, b) => a - b),
    digests: Object.fromEntries(Object.entries(digests).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** ConfigMap with the live configuration. */
export const desiredConfigMap = (deployment: ModelDeployment, config: LiveConfig): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: childMeta(deployment, configMapName(deployment.metadata.name)),
  data: { [configFile]: `${JSON.stringify(config, null, 2)}\n` },
});
