/** The PodDisruptionBudget: a drained node takes one serving pod at a time, and a broken pod never blocks a drain. */
import type { ModelDeployment } from '../../../crds/types.ts';
import type { PodDisruptionBudget } from '../../../kube/objects.ts';
import { revisionSelector } from '../labels.ts';
import { childMeta } from './child.ts';

/** Budget over the pods of `revision`: the stable one, or the first before there is a stable one. */
export const desiredPodDisruptionBudget = (
  deployment: ModelDeployment,
  revision: string,
): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: childMeta(deployment, deployment.metadata.name),
  spec: {
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
    selector: { matchLabels: revisionSelector(deployment.metadata.name, revision) },
  },
});
