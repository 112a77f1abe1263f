/** A revision's ControllerRevision: what the user wrote, and the pod template as it was rendered that day. */
import { annotations } from '../../../crds/constants.ts';
import type { ModelDeployment, ModelSpec, RuntimeSpec } from '../../../crds/types.ts';
import type { ControllerRevision, PodTemplateSpec } from '../../../kube/objects.ts';
import { revisionSource } from '../hash.ts';
import { revisionChildName } from '../names.ts';
import { childMeta } from './child.ts';

/** Content of a ControllerRevision. It never changes after it was made. */
export interface RevisionData {
  readonly format: 1;
  readonly spec: { readonly model: ModelSpec; readonly runtime?: RuntimeSpec };
  readonly template: PodTemplateSpec;
}

/** Content of a revision that is made now. */
export const newRevisionData = (deployment: ModelDeployment, template: PodTemplateSpec): RevisionData => ({
  format: 1,
  spec: revisionSource(deployment.spec) as RevisionData['spec'],
  template,
});

/** Content of a stored revision; undefined where somebody else wrote something else there. */
export function revisionData(stored: ControllerRevision | undefined): RevisionData | undefined {
  const { data } = stored ?? {};
  if (typeof data !== 'object' || data === null || !('template' in data) || !('spec' in data))
    return undefined;
  return data as RevisionData;
}

/** ControllerRevision of `revision`; `number` orders the history, `sha256` is the digest that its pods must serve. */
export function desiredControllerRevision(
  deployment: ModelDeployment,
  revision: string,
  content: { data: RevisionData; number: number; sha256: string | undefined },
): ControllerRevision {
  const meta = childMeta(deployment, revisionChildName(deployment.metadata.name, revision), revision);
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata:
      content.sha256 === undefined
        ? meta
        : { ...meta, annotations: { [annotations.modelSha256]: content.sha256 } },
    data: content.data,
    revision: content.number,
  };
}
