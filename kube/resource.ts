/** Names of API resources: how a kind is spelled in a path. */

export interface ResourceType {
  /** API group, '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Key of an object: `namespace/name`, or `name` for cluster-scoped kinds. */
export type ObjectKey = string;

const define = (
  group: string,
  version: string,
  plural: string,
  kind: string,
  namespaced = true,
): ResourceType => ({
  group,
  version,
  plural,
  kind,
  namespaced,
});

export const resources = {
  pods: define('', 'v1', 'pods', 'Pod'),
  services: define('', 'v1', 'services', 'Service'),
  configMaps: define('', 'v1', 'configmaps', 'ConfigMap'),
  secrets: define('', 'v1', 'secrets', 'Secret'),
  serviceAccounts: define('', 'v1', 'serviceaccounts', 'ServiceAccount'),
  persistentVolumeClaims: define('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim'),
  events: define('', 'v1', 'events', 'Event'),
  namespaces: define('', 'v1', 'namespaces', 'Namespace', false),
  nodes: define('', 'v1', 'nodes', 'Node', false),
  deployments: define('apps', 'v1', 'deployments', 'Deployment'),
  replicaSets: define('apps', 'v1', 'replicasets', 'ReplicaSet'),
  controllerRevisions: define('apps', 'v1', 'controllerrevisions', 'ControllerRevision'),
  endpointSlices: define('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice'),
  podDisruptionBudgets: define('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget'),
  networkPolicies: define('networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy'),
  roles: define('rbac.authorization.k8s.io', 'v1', 'roles', 'Role'),
  roleBindings: define('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding'),
  leases: define('coordination.k8s.io', 'v1', 'leases', 'Lease'),
  customResourceDefinitions: define(
    'apiextensions.k8s.io',
    'v1',
    'customresourcedefinitions',
    'CustomResourceDefinition',
    false,
  ),
} as const;

/** `v1` or `group/version`. */
export function apiVersionOf(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** Path of a collection or object below the server's address, each part escaped. */
export function pathOf(
  type: ResourceType,
  where: { namespace?: string; name?: string; subresource?: string } = {},
): string {
  const parts = type.group === '' ? ['api', type.version] : ['apis', type.group, type.version];
  if (type.namespaced && where.namespace !== undefined) parts.push('namespaces', where.namespace);
  parts.push(type.plural);
  if (where.name !== undefined) parts.push(where.name);
  if (where.subresource !== undefined) parts.push(where.subresource);
  return `/${parts.map(encodeURIComponent).join('/')}`;
}
