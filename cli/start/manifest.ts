/** The ModelDeployment that `ballast start` applies: the wine sample, or one made for the user's own file. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { load } from 'js-yaml';
import { groupVersion, kind, maxNameLength } from '../../crds/constants.ts';

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; annotations?: Record<string, string> };
  spec: Record<string, unknown>;
}

/** A legal name made from a file's: `My_Model v2.onnx` → `my-model-v2`, `Modèle.onnx` → `modele`. */
export function nameOfFile(file: string): string {
  const name = basename(file, '.onnx')
    .normalize('NFKD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
    .slice(0, maxNameLength)
    .replaceAll(/-+$/g, '');
  return name === '' ? 'model' : name;
}

/** Manifest for a file that pods see under `/models`. */
export function manifestForFile(file: string, name: string | undefined): Manifest {
  return {
    apiVersion: groupVersion,
    kind,
    metadata: { name: name ?? nameOfFile(file) },
    spec: {
      model: { uri: `file:///models/${encodeURIComponent(basename(file))}` },
      sla: { latency: { p95: '100ms' } },
      scaling: { minReplicas: 1, maxReplicas: 4 },
    },
  };
}

/** Manifest in a sample's YAML file. */
export function manifestFromYaml(path: string): Manifest {
  return load(readFileSync(path, 'utf8')) as Manifest;
}

/** Adds what `kubectl apply` would write, so that a later `kubectl apply` of the same file merges as users expect. */
export function asAppliedByKubectl(manifest: Manifest, namespace: string): Manifest {
  const whole = { ...manifest, metadata: { annotations: {}, ...manifest.metadata, namespace } };
  return {
    ...whole,
    metadata: {
      ...whole.metadata,
      annotations: {
        ...whole.metadata.annotations,
        'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(whole)}\n`,
      },
    },
  };
}
