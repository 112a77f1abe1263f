/** Role-based access of a rendering, and what it must never hold. */
import { type Manifest, ofKind } from './render.ts';

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** All Roles and ClusterRoles with their rules. */
export const rolesOf = (objects: readonly Manifest[]): { role: string; rules: readonly Rule[] }[] =>
  [...ofKind(objects, 'Role'), ...ofKind(objects, 'ClusterRole')].map((role) => ({
    role: `${role.kind} ${role.metadata.namespace ?? ''}/${role.metadata.name}`,
    rules: role.rules as Rule[],
  }));

const read = ['list', 'watch'];
const own = ['list', 'watch', 'create', 'patch', 'delete'];
/** The most that the operator may ever have, by resource. */
const most: Readonly<Record<string, readonly string[]>> = {
  'modeldeployments.ballast.dev': [...read, 'get', 'create', 'delete'],
  'modeldeployments/status.ballast.dev': ['get', 'patch'],
  'modeldeployments/finalizers.ballast.dev': ['update'],
  'deployments.apps': own,
  'deployments/scale.apps': ['get', 'patch'],
  'controllerrevisions.apps': own,
  services: own,
  configmaps: own,
  serviceaccounts: own,
  'poddisruptionbudgets.policy': own,
  'networkpolicies.networking.k8s.io': own,
  'capacitybuffers.autoscaling.x-k8s.io': ['list', 'create', 'patch', 'delete'],
  pods: read,
  'replicasets.apps': read,
  'endpointslices.discovery.k8s.io': read,
  events: ['create', 'patch'],
  'leases.coordination.k8s.io': ['get', 'create', 'update'],
  // The gateway's, by name: nobody can grant what he does not have.
  'roles.rbac.authorization.k8s.io': ['get', 'create', 'patch'],
  'rolebindings.rbac.authorization.k8s.io': ['get', 'create', 'patch'],
  nodes: read,
};

/** What no role of the operator may say; roles for people (aggregation) are not the operator's. */
export function ruleViolations(objects: readonly Manifest[]): string[] {
  const operators = objects.filter(
    ({ metadata }) => !Object.keys(metadata.labels ?? {}).some((label) => label.includes('aggregate-to-')),
  );
  return rolesOf(operators).flatMap(({ role, rules }) =>
    rules.flatMap((rule) => oneRule(rule).map((fault) => `${role}: ${fault}`)),
  );
}

function oneRule({ apiGroups, resources, verbs, resourceNames, ...rest }: Rule): string[] {
  const found: string[] = [];
  if (Object.keys(rest).length > 0) found.push(`has ${Object.keys(rest).join()}`);
  if ([...apiGroups, ...resources, ...verbs].some((word) => word.includes('*'))) found.push('has a wildcard');
  for (const group of apiGroups)
    for (const resource of resources) {
      const name = group === '' ? resource : `${resource}.${group}`;
      const allowed = most[name];
      if (allowed === undefined) found.push(`gives ${name}`);
      else for (const verb of verbs) if (!allowed.includes(verb)) found.push(`gives ${verb} on ${name}`);
      if (group === 'rbac.authorization.k8s.io' && resourceNames?.join() !== 'ballast-gateway')
        found.push(`gives ${verbs.join()} on every one of ${resource}`);
      // A Lease of somebody else is somebody else's leadership.
      if (resource === 'leases' && resourceNames === undefined && verbs.join() !== 'create')
        found.push(`gives ${verbs.join()} on every Lease`);
    }
  return found;
}
