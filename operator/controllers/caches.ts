/** The operator's view of the cluster: one reflector per kind, scoped to what carries the ModelDeployment's label. */
import { labels } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import type { KubeApi } from '../../kube/api.ts';
import type { Clock } from '../../kube/clock.ts';
import type { Log } from '../../kube/log.ts';
import type { Observer } from '../../kube/metrics.ts';
import type {
  ConfigMap,
  ControllerRevision,
  Deployment,
  EndpointSlice,
  KubeObject,
  NetworkPolicy,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  Service,
  ServiceAccount,
} from '../../kube/objects.ts';
import { Reflector, withoutManagedFields } from '../../kube/reflector.ts';
import { type ResourceType, resources } from '../../kube/resource.ts';
import { byLabel } from '../../kube/store.ts';
import { modelDeployments } from './kinds.ts';

/** Name of the index over the ModelDeployment that an object belongs to, as `namespace/name`. */
export const ofDeployment = 'deployment';

export interface CachesOptions {
  readonly api: KubeApi;
  /** Default: all namespaces. */
  readonly namespace?: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer;
}

/** The caches, by kind. */
export interface Caches {
  readonly modelDeployments: Reflector<ModelDeployment & KubeObject>;
  readonly serviceAccounts: Reflector<ServiceAccount>;
  readonly configMaps: Reflector<ConfigMap>;
  readonly controllerRevisions: Reflector<ControllerRevision>;
  readonly services: Reflector<Service>;
  readonly networkPolicies: Reflector<NetworkPolicy>;
  readonly deployments: Reflector<Deployment>;
  readonly podDisruptionBudgets: Reflector<PodDisruptionBudget>;
  readonly replicaSets: Reflector<ReplicaSet>;
  readonly pods: Reflector<Pod>;
  readonly endpointSlices: Reflector<EndpointSlice>;
}

/** Of a pod, what decisions read: metadata and status. Its spec is the Deployment's template. */
function withoutPodSpec(pod: Pod): Pod {
  pod.spec = { containers: [] };
  return withoutManagedFields(pod);
}

function withoutTemplate(set: ReplicaSet): ReplicaSet {
  delete set.spec.template;
  return withoutManagedFields(set);
}

/** Makes the reflectors; nothing is read before they are started. */
export function createCaches(options: CachesOptions): Caches {
  const { api, namespace, clock, log, observer } = options;
  const where = namespace === undefined ? {} : { namespace };
  const reflect = <T extends KubeObject>(
    type: ResourceType,
    labelSelector: string = labels.deployment,
    transform: (object: T) => T = withoutManagedFields,
  ) =>
    new Reflector<T>({
      ...where,
      api,
      type,
      clock,
      log,
      observer,
      labelSelector,
      transform,
      indexers: { [ofDeployment]: byLabel(labels.deployment) },
    });
  return {
    modelDeployments: new Reflector({ ...where, api, type: modelDeployments, clock, log, observer }),
    serviceAccounts: reflect(resources.serviceAccounts),
    configMaps: reflect(resources.configMaps),
    controllerRevisions: reflect(resources.controllerRevisions),
    services: reflect(resources.services),
    networkPolicies: reflect(resources.networkPolicies),
    deployments: reflect(resources.deployments),
    podDisruptionBudgets: reflect(resources.podDisruptionBudgets),
    replicaSets: reflect(resources.replicaSets, labels.deployment, withoutTemplate),
    pods: reflect(resources.pods, labels.deployment, withoutPodSpec),
    // Slices inherit the labels of their Service; those of the callers' Service carry no revision.
    endpointSlices: reflect(resources.endpointSlices, `${labels.deployment},${labels.revision}`),
  };
}

/** Every reflector of the caches. */
export const reflectorsOf = (caches: Caches): Reflector<KubeObject>[] =>
  Object.values(caches) as unknown as Reflector<KubeObject>[];
