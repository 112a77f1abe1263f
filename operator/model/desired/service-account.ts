/** The pods' own ServiceAccount: it has no permission and mounts no token. */
import type { ModelDeployment } from '../../../crds/types.ts';
import type { ServiceAccount } from '../../../kube/objects.ts';
import { childMeta } from './child.ts';

/** ServiceAccount of the pods whose ModelDeployment names none. */
export const desiredServiceAccount = (deployment: ModelDeployment): ServiceAccount => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: childMeta(deployment, deployment.metadata.name),
  automountServiceAccountToken: false,
});
