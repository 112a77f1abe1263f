/** Who else than Ballast wrote the replica count of a child Deployment, from the field managers that the API server keeps. */
import type { KubeObject, ManagedFieldsEntry } from '../../kube/objects.ts';

const replicasOnly = { 'f:spec': { 'f:replicas': {} } };
/** The operator itself, and the gateway that wakes a model. */
const ours = /^ballast-/;

type Fields = Record<string, unknown> | undefined;

const setsReplicas = ({ manager, fieldsV1 }: ManagedFieldsEntry): boolean =>
  manager !== undefined &&
  !ours.test(manager) &&
  (fieldsV1?.['f:spec'] as Fields)?.['f:replicas'] !== undefined;

/** The entries of others that own `spec.replicas`, with nothing but that field: none while nobody interferes. */
export const replicasWriters = (entries: readonly ManagedFieldsEntry[]): ManagedFieldsEntry[] =>
  entries.filter(setsReplicas).map(({ fieldsV1: _, ...entry }) => ({ ...entry, fieldsV1: replicasOnly }));

/** Names of those who own the count of a live Deployment beside Ballast, the last writer first. */
export const writersOf = ({ metadata }: KubeObject): string[] => [
  ...new Set(
    replicasWriters(metadata.managedFields ?? [])
      .toSorted((one, other) => (other.time ?? '').localeCompare(one.time ?? ''))
      .flatMap(({ manager }) => manager ?? []),
  ),
];
