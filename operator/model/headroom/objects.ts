/** What keeps room for replicas that are not asked for yet: a CapacityBuffer where the cluster has that API, placeholder pods elsewhere. */
import { labels } from '../../../crds/constants.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { Deployment, KubeObject, PodTemplateSpec } from '../../../kube/objects.ts';
import { ownerReference } from '../desired/child.ts';
import { containerSecurity } from '../desired/container-security.ts';
import { managedBy } from '../labels.ts';
import { revisionChildName } from '../names.ts';

/** `CapacityBuffer`: the node autoscaler keeps the room itself. `Placeholders`: pods that do nothing hold it and give way. */
export type HeadroomForm = 'CapacityBuffer' | 'Placeholders';

/** Versions under which the API is served, the newest first: what is written here is the same in both. */
export const bufferVersions = ['v1beta1', 'v1alpha1'] as const;
export type BufferVersion = (typeof bufferVersions)[number];

const bufferGroup = 'autoscaling.x-k8s.io';

/**
 * What Karpenter (feature gate CapacityBuffer) and Cluster Autoscaler 1.34 and later read, in the form in which `kube/`
 * names kinds.
 */
export const bufferType = (version: BufferVersion) => ({
  group: bufferGroup,
  version,
  plural: 'capacitybuffers',
  kind: 'CapacityBuffer',
  namespaced: true,
});

export interface CapacityBuffer extends KubeObject {
  readonly spec: {
    readonly scalableRef: { readonly apiGroup: string; readonly kind: string; readonly name: string };
    readonly replicas: number;
  };
  readonly status?: {
    readonly replicas?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
      readonly observedGeneration?: number;
    }[];
  };
}

/** Name of the object that keeps the room. */
export const headroomName = (name: string): string => `${name}-headroom`;

/**
 * Not the label that children carry: placeholders are no replicas, and neither a Service, a budget nor the count of pods
 * may ever find them.
 */
const headroomLabels = (name: string): Record<string, string> => ({
  [labels.headroom]: name,
  [labels.managedBy]: managedBy,
  [labels.appName]: 'ballast-headroom',
  [labels.appInstance]: name,
});

const meta = (deployment: ModelDeployment) => ({
  name: headroomName(deployment.metadata.name),
  namespace: deployment.metadata.namespace,
  labels: headroomLabels(deployment.metadata.name),
  ownerReferences: [ownerReference(deployment)],
});

/** Asks the node autoscaler to keep room for so many more pods of a revision's Deployment, wherever those may stand. */
export const capacityBuffer = (
  deployment: ModelDeployment,
  revision: string,
  replicas: number,
  version: BufferVersion,
): CapacityBuffer => ({
  apiVersion: `${bufferGroup}/${version}`,
  kind: 'CapacityBuffer',
  metadata: meta(deployment),
  spec: {
    scalableRef: {
      apiGroup: 'apps',
      kind: 'Deployment',
      name: revisionChildName(deployment.metadata.name, revision),
    },
    replicas,
  },
});

export interface PlaceholderSettings {
  /** An image that holds Node.js at /nodejs/bin/node: for models whose own image is not known to. */
  readonly image: string;
  /** Class of a priority below every model's; empty where there is none. */
  readonly priorityClassName: string;
}

/** Sleeps for the longest time that a timer takes, 24 days, and then anew: a placeholder has nothing to do. */
const sleeps = ['/nodejs/bin/node', '--max-old-space-size=16', '-e', 'setInterval(() => {}, 2147483647)'];

/**
 * Pods as large as the model's, in the same places, that do nothing. Where the model's image is Ballast's own they run it,
 * so that a new node has pulled it before the first replica comes. They end at once: nothing waits for them.
 */
export function placeholders(
  deployment: ModelDeployment,
  template: PodTemplateSpec,
  replicas: number,
  settings: PlaceholderSettings,
): Deployment {
  const { name } = deployment.metadata;
  const { spec } = template;
  const [serve] = spec.containers;
  const isOwnImage = deployment.spec.runtime?.image === undefined && serve !== undefined;
  const labelled = headroomLabels(name);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta(deployment),
    spec: {
      replicas,
      selector: { matchLabels: { [labels.headroom]: name } },
      // A change of size makes new ones: the old ones may go first, nobody uses them.
      strategy: { type: 'Recreate' },
      revisionHistoryLimit: 0,
      template: {
        metadata: {
          labels: labelled,
          annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' },
        },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 0,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          ...(settings.priorityClassName === '' ? {} : { priorityClassName: settings.priorityClassName }),
          ...(spec.serviceAccountName === undefined ? {} : { serviceAccountName: spec.serviceAccountName }),
          ...(spec.nodeSelector === undefined ? {} : { nodeSelector: spec.nodeSelector }),
          ...(spec.tolerations === undefined ? {} : { tolerations: spec.tolerations }),
          ...(spec.affinity === undefined ? {} : { affinity: spec.affinity }),
          ...(spec.imagePullSecrets === undefined ? {} : { imagePullSecrets: spec.imagePullSecrets }),
          containers: [
            {
              name: 'placeholder',
              image: isOwnImage ? serve.image : settings.image,
              command: [...sleeps],
              ...(serve?.resources === undefined ? {} : { resources: serve.resources }),
              securityContext: containerSecurity,
            },
          ],
        },
      },
    },
  };
}

/** Whether an object of the name is this ModelDeployment's. */
export const isOwnHeadroom = (object: KubeObject, deployment: ModelDeployment): boolean =>
  object.metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid) === true;
