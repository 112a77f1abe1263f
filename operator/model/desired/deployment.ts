/** The Deployment of one revision. Its template comes from the ControllerRevision, never from the spec. */
import type { ModelDeployment } from '../../../crds/types.ts';
import type { Deployment, PodTemplateSpec } from '../../../kube/objects.ts';
import { revisionSelector } from '../labels.ts';
import { revisionChildName } from '../names.ts';
import { childMeta } from './child.ts';

/** Pod annotation that `rollout.restartedAt` sets: a change makes the Deployment replace its pods, a few at a time. */
export const restartedAtAnnotation = 'ballast.dev/restarted-at';

/**
 * Deployments judge progress by themselves, but Ballast judges it over a whole rollout and by what pods say, so that
 * condition is kept out of the way: a day.
 */
const progressDeadlineSeconds = 86_400;

/** Deployment of `revision` with `replicas` pods of the stored template; `givesWay` where no node has room for a surge. */
export function desiredDeployment(
  deployment: ModelDeployment,
  revision: string,
  template: PodTemplateSpec,
  replicas: number,
  givesWay = false,
): Deployment {
  const { name } = deployment.metadata;
  const restartedAt = deployment.spec.rollout?.restartedAt;
  const restarted: PodTemplateSpec =
    restartedAt === undefined
      ? template
      : {
          ...template,
          metadata: {
            ...template.metadata,
            annotations: { ...template.metadata?.annotations, [restartedAtAnnotation]: restartedAt },
          },
        };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: childMeta(deployment, revisionChildName(name, revision), revision),
    spec: {
      replicas,
      selector: { matchLabels: revisionSelector(name, revision) },
      template: restarted,
      // Within one revision pods are replaced only by `restartedAt`: one more is ready before one goes, where it has room.
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: '25%', maxUnavailable: givesWay ? 1 : 0 },
      },
      // Our own ReplicaSets hold nothing to go back to: the ControllerRevisions are the history.
      revisionHistoryLimit: 1,
      progressDeadlineSeconds,
    },
  };
}
