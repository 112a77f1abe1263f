/** What every child has in common: who owns it and what it is called. */
import { groupVersion, kind } from '../../../crds/constants.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { ObjectMeta, OwnerReference } from '../../../kube/objects.ts';
import { childLabels, revisionLabels } from '../labels.ts';

/**
 * The owner of every child. The garbage collector deletes children with their owner, so a ModelDeployment needs no
 * finalizer: nothing outside the cluster is to be cleaned up, and a namespace is deletable while no operator runs.
 */
export const ownerReference = (deployment: ModelDeployment): OwnerReference => ({
  apiVersion: groupVersion,
  kind,
  name: deployment.metadata.name,
  uid: deployment.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
});

/** Metadata of a child; `revision` where it belongs to one. */
export function childMeta(deployment: ModelDeployment, name: string, revision?: string): ObjectMeta {
  return {
    name,
    namespace: deployment.metadata.namespace,
    labels:
      revision === undefined
        ? childLabels(deployment.metadata.name)
        : revisionLabels(deployment.metadata.name, revision),
    ownerReferences: [ownerReference(deployment)],
  };
}
