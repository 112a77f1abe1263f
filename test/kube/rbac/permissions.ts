/** What roles grant, held against what was asked for: nothing missing, nothing unused. */
import { type AuditedRequest, resourceName } from './audit-log.ts';

/** A Kubernetes object of the `rbac.authorization.k8s.io` group, as far as this file reads it. */
export interface RbacObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly {
    readonly apiGroups?: readonly string[];
    readonly resources?: readonly string[];
    readonly verbs: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly nonResourceURLs?: readonly string[];
  }[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly {
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
  }[];
}

/** One verb on one resource that a role grants. */
export interface Grant {
  readonly role: string;
  readonly verb: string;
  readonly resource: string;
  /** Namespaces in which it holds; undefined: everywhere, cluster-scoped objects too. */
  readonly namespaces: readonly string[] | undefined;
  /** The only object that it holds for. */
  readonly name: string | undefined;
}

/** `patch deployments.apps`, with the object's name where the grant is for one alone. */
export const grantText = ({ verb, resource, name, namespaces, role }: Grant): string =>
  `${role}: ${verb} ${resource}${name === undefined ? '' : ` "${name}"`}${namespaces === undefined ? ' in the cluster' : ''}`;

/** Everything that the bindings among `objects` give to a service account. A role that is bound in several namespaces is one. */
export function grantsOf(
  objects: readonly RbacObject[],
  account: { readonly name: string; readonly namespace: string },
): Grant[] {
  const found = new Map<string, Grant>();
  for (const binding of objects.filter(({ kind }) => kind.endsWith('RoleBinding'))) {
    const isOurs = binding.subjects?.some(
      ({ kind, name, namespace }) =>
        kind === 'ServiceAccount' && name === account.name && namespace === account.namespace,
    );
    if (isOurs !== true) continue;
    const where = binding.kind === 'RoleBinding' ? binding.metadata.namespace : undefined;
    const role = objects.find(
      ({ kind, metadata }) =>
        kind === binding.roleRef?.kind &&
        metadata.name === binding.roleRef.name &&
        (kind === 'ClusterRole' || metadata.namespace === where),
    );
    if (role === undefined) throw new Error(`${binding.metadata.name} binds a role that is not there`);
    for (const grant of expand(role)) {
      const key = grantText({ ...grant, namespaces: where === undefined ? undefined : [] });
      const before = found.get(key)?.namespaces ?? [];
      found.set(key, { ...grant, namespaces: where === undefined ? undefined : [...before, where] });
    }
  }
  return [...found.values()];
}

function expand({ metadata, rules = [] }: RbacObject): Omit<Grant, 'namespaces'>[] {
  return rules.flatMap(({ apiGroups = [], resources = [], verbs, resourceNames, nonResourceURLs = [] }) => {
    const names = apiGroups.flatMap((group) =>
      resources.map((resource) => {
        const [plural = '', subresource] = resource.split('/');
        return resourceName(group, plural, subresource);
      }),
    );
    return [...names, ...nonResourceURLs].flatMap((resource) =>
      verbs.flatMap((verb) =>
        (resourceNames ?? [undefined]).map((name) => ({ role: metadata.name, verb, resource, name })),
      ),
    );
  });
}

/** What a request needs: an apply that makes its object is checked for `create` too, which no log shows. */
export function needsOf(request: AuditedRequest): AuditedRequest[] {
  return request.verb === 'patch' && request.code === 201
    ? [request, { ...request, verb: 'create' }]
    : [request];
}

const covers = (grant: Grant, { verb, resource, namespace, name }: AuditedRequest): boolean =>
  grant.verb === verb &&
  grant.resource === resource &&
  (grant.namespaces === undefined || grant.namespaces.includes(namespace)) &&
  // The name of an object that is made is not known when the request is judged, but an apply's is in its path.
  (grant.name === undefined || grant.name === name);

export interface Evidence {
  /** Requests that no grant covers, or that were refused for lack of one. */
  readonly missing: readonly string[];
  /** Grants that no request needed. */
  readonly unused: readonly string[];
  /** Requests that concern the whole cluster. */
  readonly clusterWide: readonly string[];
}

/** Resources without a namespace that Ballast may ever read; a list of anything else without a namespace goes over all. */
const isPath = (resource: string) => resource.startsWith('/');

/** Holds requests against grants. `unseen` are needs that are known from elsewhere than the log. */
export function compare(
  requests: readonly AuditedRequest[],
  grants: readonly Grant[],
  unseen: readonly { readonly verb: string; readonly resource: string }[] = [],
): Evidence {
  const needs = requests.flatMap(needsOf);
  const missing = needs.filter(
    (need) =>
      !isPath(need.resource) && (need.code === 403 ? isRbac(need) : !grants.some((one) => covers(one, need))),
  );
  const unused = grants.filter(
    (grant) =>
      !needs.some((need) => need.code !== 403 && covers(grant, need)) &&
      !unseen.some(({ verb, resource }) => grant.verb === verb && grant.resource === resource),
  );
  const said = ({ verb, resource, namespace, name, code, message }: AuditedRequest) =>
    `${verb} ${resource} ${namespace === '' ? 'in the cluster' : `in ${namespace}`}${name === '' ? '' : ` (${name})`}${code === 403 ? `: ${message}` : ''}`;
  return {
    missing: [...new Set(missing.map(said))].sort(),
    unused: unused.map(grantText).sort(),
    clusterWide: [
      ...new Set(requests.filter((one) => one.namespace === '' && !isPath(one.resource)).map(said)),
    ].sort(),
  };
}

/** RBAC's refusals name the user; quotas, admission policies and namespaces that end say 403 too. */
const isRbac = ({ message, user }: AuditedRequest) => message.includes(`User "${user}" cannot`);
