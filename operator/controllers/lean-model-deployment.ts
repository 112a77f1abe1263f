/** What the caches keep of a ModelDeployment: of who wrote what, only the owners of its replica count. */
import type { ModelDeployment } from '../../crds/types.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { replicasOwners } from '../model/scale-owner.ts';

/** A copy without `managedFields` other than those of `spec.scaling.replicas`: an autoscaler may be among them. */
export function leanModelDeployment(object: ModelDeployment & KubeObject): ModelDeployment & KubeObject {
  const { managedFields, ...metadata } = object.metadata;
  const owners = replicasOwners(managedFields ?? []);
  return { ...object, metadata: owners.length === 0 ? metadata : { ...metadata, managedFields: owners } };
}
