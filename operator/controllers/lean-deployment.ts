/** What the caches keep of a child Deployment: of who wrote what, only who else sets its replica count. */
import type { Deployment } from '../../kube/objects.ts';
import { replicasWriters } from '../model/replicas-writers.ts';

/** A copy without `managedFields` other than those of somebody else's `spec.replicas`: as a rule without any. */
export function leanDeployment(deployment: Deployment): Deployment {
  const { managedFields, ...metadata } = deployment.metadata;
  const writers = replicasWriters(managedFields ?? []);
  return {
    ...deployment,
    metadata: writers.length === 0 ? metadata : { ...metadata, managedFields: writers },
  };
}
