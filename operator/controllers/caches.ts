/** The operator's view of the cluster: one reflector per kind and namespace, for what carries the ModelDeployment's label. */
import { labels, modelDeployments } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import type { KubeApi } from '../../kube/api.ts';
import type { Clock } from '../../kube/clock.ts';
import type { Log } from '../../kube/log.ts';
import type { Observer } from '../../kube/metrics.ts';
import type {
  ConfigMap,
  ContainerStatus,
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
import { Reflector } from '../../kube/reflector.ts';
import { ReflectorGroup } from '../../kube/reflector-group.ts';
import { type ResourceType, resources } from '../../kube/resource.ts';
import { byLabel, type Indexers } from '../../kube/store.ts';
import type { NodeObject } from '../model/cost.ts';
import { gatewayLabelSelector } from '../model/gateway/children.ts';
import { leanDeployment } from './lean-deployment.ts';
import { leanModelDeployment } from './lean-model-deployment.ts';

/** Name of the index over the ModelDeployment that an object belongs to, as `namespace/name`. */
export const ofDeployment = 'deployment';
/** Name of the index over the namespace. */
export const ofNamespace = 'namespace';

export interface CachesOptions {
  readonly api: KubeApi;
  /** Namespaces to look into; none: all of them. */
  readonly namespaces: readonly string[];
  /** Whether nodes may be read. */
  readonly readNodes: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer;
}

/** The caches, by kind. */
export interface Caches {
  readonly modelDeployments: ReflectorGroup<ModelDeployment & KubeObject>;
  readonly serviceAccounts: ReflectorGroup<ServiceAccount>;
  readonly configMaps: ReflectorGroup<ConfigMap>;
  readonly controllerRevisions: ReflectorGroup<ControllerRevision>;
  readonly services: ReflectorGroup<Service>;
  readonly networkPolicies: ReflectorGroup<NetworkPolicy>;
  readonly deployments: ReflectorGroup<Deployment>;
  readonly podDisruptionBudgets: ReflectorGroup<PodDisruptionBudget>;
  readonly replicaSets: ReflectorGroup<ReplicaSet>;
  readonly pods: ReflectorGroup<Pod>;
  readonly endpointSlices: ReflectorGroup<EndpointSlice>;
  /** Slices and Deployments of the gateways, which belong to a namespace and to no one ModelDeployment. */
  readonly gatewaySlices: ReflectorGroup<EndpointSlice>;
  readonly gatewayDeployments: ReflectorGroup<Deployment>;
  /** Labels and size of nodes; undefined where they may not be read. Nothing waits for them. */
  readonly nodes: Reflector<NodeObject> | undefined;
}

/**
 * What is kept of any object: all but managedFields, which are the larger half of it. A copy, because an object from
 * which a field was deleted is kept by V8 as a hash table: 500 bytes more each.
 */
function lean<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Of a pod, what decisions read: metadata, state and its node. The rest of its spec is the Deployment's template. */
export function leanPod(pod: Pod): Pod {
  const { nodeName } = pod.spec;
  const { phase, reason, message, conditions } = pod.status ?? {};
  const containers = (statuses: readonly ContainerStatus[] | undefined) =>
    statuses?.map(({ name, ready, restartCount, state, lastState }) => ({
      name,
      ready,
      restartCount,
      ...(state === undefined ? {} : { state }),
      ...(lastState === undefined ? {} : { lastState }),
    }));
  // A pod's containers are most of it, and of no use but for the limit of one that passed it.
  const outOfMemory = [pod.status?.initContainerStatuses, pod.status?.containerStatuses]
    .flatMap((statuses) => statuses ?? [])
    .filter(({ state, lastState }) =>
      [state, lastState].some((one) => one?.terminated?.reason === 'OOMKilled'),
    )
    .map(({ name }) => name);
  const kept = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
    .filter(({ name }) => outOfMemory.includes(name))
    .map(({ name, image, resources: asked }) => ({
      name,
      image,
      ...(asked === undefined ? {} : { resources: asked }),
    }));
  const initContainerStatuses = containers(pod.status?.initContainerStatuses);
  const containerStatuses = containers(pod.status?.containerStatuses);
  return {
    ...lean(pod),
    spec: { containers: kept, ...(nodeName === undefined ? {} : { nodeName }) },
    status: {
      ...(phase === undefined ? {} : { phase }),
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
      ...(conditions === undefined ? {} : { conditions }),
      ...(initContainerStatuses === undefined ? {} : { initContainerStatuses }),
      ...(containerStatuses === undefined ? {} : { containerStatuses }),
    },
  };
}

/** Of a ReplicaSet, whether its pods are refused. */
function leanReplicaSet(set: ReplicaSet): ReplicaSet {
  const { conditions } = set.status ?? {};
  const { replicas, selector } = set.spec;
  return {
    ...lean(set),
    spec: { ...(replicas === undefined ? {} : { replicas }), selector },
    ...(conditions === undefined ? {} : { status: { conditions } }),
  };
}

/** Of a node, its name, labels, size and deletion: zones and prices are labels, and a pod pays for its share of the size. */
function leanNode({ metadata, status }: NodeObject): NodeObject {
  const { cpu, memory } = status?.allocatable ?? {};
  const { name, uid, resourceVersion, labels: all, deletionTimestamp } = metadata;
  return {
    apiVersion: 'v1',
    kind: resources.nodes.kind,
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(all === undefined ? {} : { labels: all }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    ...(cpu === undefined || memory === undefined ? {} : { status: { allocatable: { cpu, memory } } }),
  };
}

const byNamespace = { [ofNamespace]: ({ metadata }: KubeObject) => [metadata.namespace ?? ''] };

/** Makes the reflectors; nothing is read before they are started. */
export function createCaches(options: CachesOptions): Caches {
  const { api, namespaces, readNodes, clock, log, observer } = options;
  const common = { api, clock, log, observer };
  const scopes = namespaces.length === 0 ? [{}] : namespaces.map((namespace) => ({ namespace }));
  const reflect = <T extends KubeObject>(
    type: ResourceType,
    labelSelector: string = labels.deployment,
    transform: (object: T) => T = lean,
    indexers: Indexers<T> = { [ofDeployment]: byLabel(labels.deployment) },
  ) =>
    new ReflectorGroup<T>(
      scopes.map(
        (scope) =>
          new Reflector<T>({
            ...common,
            ...scope,
            type,
            labelSelector,
            transform,
            indexers,
          }),
      ),
    );
  return {
    modelDeployments: new ReflectorGroup(
      scopes.map(
        (scope) =>
          new Reflector({ ...common, ...scope, type: modelDeployments, transform: leanModelDeployment }),
      ),
    ),
    serviceAccounts: reflect(resources.serviceAccounts),
    configMaps: reflect(resources.configMaps),
    controllerRevisions: reflect(resources.controllerRevisions),
    services: reflect(resources.services),
    networkPolicies: reflect(resources.networkPolicies),
    deployments: reflect(resources.deployments, labels.deployment, leanDeployment),
    podDisruptionBudgets: reflect(resources.podDisruptionBudgets),
    replicaSets: reflect(resources.replicaSets, labels.deployment, leanReplicaSet),
    pods: reflect(resources.pods, labels.deployment, leanPod),
    // Slices inherit the labels of their Service; those of the callers' Service carry no revision.
    endpointSlices: reflect(resources.endpointSlices, `${labels.deployment},${labels.revision}`),
    gatewaySlices: reflect<EndpointSlice>(resources.endpointSlices, gatewayLabelSelector, lean, byNamespace),
    gatewayDeployments: reflect<Deployment>(resources.deployments, gatewayLabelSelector, lean, byNamespace),
    nodes: readNodes
      ? new Reflector<NodeObject>({ ...common, type: resources.nodes, transform: leanNode })
      : undefined,
  };
}

/** The caches of namespaced kinds. */
export const groupsOf = ({ nodes: _, ...groups }: Caches): ReflectorGroup[] =>
  Object.values(groups) as unknown as ReflectorGroup[];

/** The caches of what belongs to one ModelDeployment each. */
export const groupsOfDeployments = ({
  nodes: _,
  gatewaySlices: __,
  gatewayDeployments: ___,
  ...groups
}: Caches): ReflectorGroup[] => Object.values(groups) as unknown as ReflectorGroup[];

/** Every reflector of the caches. */
export const reflectorsOf = (caches: Caches): Reflector[] => [
  ...groupsOf(caches).flatMap(({ reflectors }) => reflectors),
  ...(caches.nodes === undefined ? [] : [caches.nodes]),
];
