/** ReplicaSets of a Deployment: which is the newest, their revision numbers, and the object of a new one. Pure. */
import type { Deployment, ReplicaSet } from '../../../kube/objects.ts';
import { byAge, fence, replicasOf, sizeAnnotations } from './scaling.ts';
import { sameTemplate, templateHash, templateHashLabel } from './template-hash.ts';

export const revisionAnnotation = 'deployment.kubernetes.io/revision';

const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  'deployment.kubernetes.io/revision-history',
  sizeAnnotations.desired,
  sizeAnnotations.max,
  'deprecated.deployment.rollback.to',
]);

/** The ReplicaSet of the present template; the oldest one when several have it. */
export function newestOf(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...sets]
    .sort(byAge)
    .find(
      (set) => set.spec.template !== undefined && sameTemplate(set.spec.template, deployment.spec.template),
    );
}

/** Revision number of an object; 0 when it has none. */
export function revisionOf(object: Deployment | ReplicaSet): number {
  const value = Number(object.metadata.annotations?.[revisionAnnotation] ?? 0);
  return Number.isInteger(value) ? value : 0;
}

/** Annotations of the newest ReplicaSet: the Deployment's own, its number and the sizes. */
export function annotationsFor(
  deployment: Deployment,
  existing: Readonly<Record<string, string>> | undefined,
  revision: number,
): Record<string, string> {
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !notCopied.has(key));
  const before = Number(existing?.[revisionAnnotation] ?? 0);
  const history =
    before > 0 && before < revision
      ? [existing?.['deployment.kubernetes.io/revision-history'], String(before)].filter(Boolean).join(',')
      : existing?.['deployment.kubernetes.io/revision-history'];
  return {
    ...existing,
    ...Object.fromEntries(copied),
    [revisionAnnotation]: String(Math.max(revision, before)),
    ...(history === undefined ? {} : { 'deployment.kubernetes.io/revision-history': history }),
    ...sizesFor(deployment),
  };
}

/** The two annotations that let a ReplicaSet remember its Deployment's size. */
export function sizesFor(deployment: Deployment): Record<string, string> {
  return {
    [sizeAnnotations.desired]: String(replicasOf(deployment)),
    [sizeAnnotations.max]: String(replicasOf(deployment) + fence(deployment).surge),
  };
}

/** The object of a new ReplicaSet. */
export function newReplicaSet(
  deployment: Deployment,
  revision: number,
  size: number,
  collisionCount: number,
): ReplicaSet {
  const { template } = deployment.spec;
  const hash = templateHash(template, collisionCount);
  const labels = { ...template.metadata?.labels, [templateHashLabel]: hash };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name ?? ''}-${hash}`,
      ...(deployment.metadata.namespace === undefined ? {} : { namespace: deployment.metadata.namespace }),
      labels,
      annotations: annotationsFor(deployment, undefined, revision),
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          name: deployment.metadata.name ?? '',
          uid: deployment.metadata.uid ?? '',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      replicas: size,
      ...(deployment.spec.minReadySeconds === undefined
        ? {}
        : { minReadySeconds: deployment.spec.minReadySeconds }),
      selector: {
        ...deployment.spec.selector,
        matchLabels: { ...deployment.spec.selector.matchLabels, [templateHashLabel]: hash },
      },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
    // The schema of the API requires the count.
    status: { replicas: 0 },
  };
}

/** Old ReplicaSets beyond the history limit, oldest revision first. */
export function surplusHistory(deployment: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  const kept = old.filter((set) => set.metadata.deletionTimestamp === undefined);
  const surplus = kept.length - limit;
  if (surplus <= 0) return [];
  return [...kept]
    .sort((a, b) => revisionOf(a) - revisionOf(b) || byAge(a, b))
    .slice(0, surplus)
    .filter(
      (set) =>
        (set.spec.replicas ?? 1) === 0 &&
        (set.status?.replicas ?? 0) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    );
}
