/** Schemas of the built-in kinds, by group, version and kind. */
import type { SchemaNode } from '../../../crds/structural/schema-node.ts';
import { TypeLibrary } from './notation.ts';
import { clusterTypes } from './types/cluster.ts';
import { containerTypes } from './types/containers.ts';
import { definitionTypes } from './types/definitions.ts';
import { metaTypes } from './types/meta.ts';
import { podSpecTypes } from './types/pod-spec.ts';
import { podStatusTypes } from './types/pod-status.ts';
import { serviceTypes } from './types/services.ts';
import { volumeTypes } from './types/volumes.ts';
import { workloadTypes } from './types/workloads.ts';

const library = new TypeLibrary(
  metaTypes,
  podSpecTypes,
  containerTypes,
  podStatusTypes,
  volumeTypes,
  workloadTypes,
  serviceTypes,
  clusterTypes,
  definitionTypes,
);

const groups: Record<string, string> = {
  v1: 'Pod Service Endpoints ConfigMap Secret ServiceAccount PersistentVolumeClaim PersistentVolume Event Namespace Node ResourceQuota LimitRange',
  'apps/v1': 'Deployment ReplicaSet ControllerRevision StatefulSet DaemonSet',
  'discovery.k8s.io/v1': 'EndpointSlice',
  'policy/v1': 'PodDisruptionBudget',
  'networking.k8s.io/v1': 'NetworkPolicy Ingress',
  'coordination.k8s.io/v1': 'Lease',
  'rbac.authorization.k8s.io/v1': 'Role RoleBinding ClusterRole ClusterRoleBinding',
  'apiextensions.k8s.io/v1': 'CustomResourceDefinition',
  'autoscaling/v2': 'HorizontalPodAutoscaler',
  'scheduling.k8s.io/v1': 'PriorityClass',
  'storage.k8s.io/v1': 'StorageClass',
};
const structs = new Map<string, string>(
  Object.entries(groups).flatMap(([groupVersion, kinds]) =>
    kinds.split(' ').map((kind): [string, string] => [`${groupVersion} ${kind}`, kind]),
  ),
);
structs.set('events.k8s.io/v1 Event', 'EventsEvent');

/** Schema of a built-in kind: types, list types, patch keys, static defaults, descriptions. */
export function builtinType(group: string, version: string, kind: string): SchemaNode | undefined {
  const name = structs.get(`${group === '' ? version : `${group}/${version}`} ${kind}`);
  return name === undefined ? undefined : library.struct(name);
}

/** Schema of one struct by its Go name, such as `PodTemplateSpec`. */
export function structType(name: string): SchemaNode {
  return library.struct(name);
}
