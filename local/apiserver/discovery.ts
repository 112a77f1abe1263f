/** Discovery: which groups, versions and resources are served, plain and aggregated. */
import type { Catalog } from './catalog.ts';
import { groupVersionOf, type Kind } from './kind.ts';

interface Group {
  name: string;
  versions: Map<string, Kind[]>;
}

/** Order of the groups in answers, as the real server lists them; others follow by name. */
const groupOrder = [
  '',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'policy',
  'networking.k8s.io',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
];

function groupsOf(catalog: Catalog): Group[] {
  const groups = new Map<string, Group>();
  for (const kind of catalog.all()) {
    let group = groups.get(kind.group);
    if (group === undefined) {
      group = { name: kind.group, versions: new Map() };
      groups.set(kind.group, group);
    }
    const kinds = group.versions.get(kind.version) ?? [];
    kinds.push(kind);
    group.versions.set(kind.version, kinds);
  }
  const rank = (name: string) => {
    const index = groupOrder.indexOf(name);
    return index === -1 ? groupOrder.length : index;
  };
  for (const group of groups.values())
    group.versions = new Map([...group.versions].sort(([a], [b]) => compareVersions(a, b)));
  return [...groups.values()].sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}

/** Kubernetes' version priority: GA before beta before alpha, then higher numbers first. */
function compareVersions(a: string, b: string): number {
  const parse = (version: string) => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
    if (match === null) return { stage: -1, major: 0, minor: 0 };
    return {
      stage: match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1,
      major: Number(match[1]),
      minor: Number(match[3] ?? 0),
    };
  };
  const [x, y] = [parse(a), parse(b)];
  return y.stage - x.stage || y.major - x.major || y.minor - x.minor || (a < b ? -1 : a > b ? 1 : 0);
}

const subresourcesOf = (kind: Kind) => {
  const found: { name: string; kind: string; group: string; version: string; verbs: readonly string[] }[] =
    [];
  const verbs = ['get', 'patch', 'update'];
  for (const [name, sub] of Object.entries(kind.subresources))
    found.push({
      name,
      kind: sub.kind,
      group: sub.group ?? kind.group,
      version: sub.version ?? kind.version,
      verbs: sub.verbs,
    });
  if (kind.scale !== undefined)
    found.push({ name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs });
  if (kind.hasStatus)
    found.push({ name: 'status', kind: kind.kind, group: kind.group, version: kind.version, verbs });
  return found;
};

/** Built-in kinds leave group and version to the entry that holds them, as the real server does. */
const responseKind = (kind: Kind) =>
  kind.custom
    ? { group: kind.group, version: kind.version, kind: kind.kind }
    : { group: '', version: '', kind: kind.kind };

const named = (kind: Kind) => ({
  ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
  ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
});

/** `GET /api` or `/apis`, aggregated (APIGroupDiscoveryList). */
export function aggregatedDiscovery(
  catalog: Catalog,
  which: 'core' | 'groups',
  version: 'v2' | 'v2beta1',
): object {
  const groups = groupsOf(catalog).filter((group) => (group.name === '') === (which === 'core'));
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: { ...(group.name === '' ? {} : { name: group.name }), creationTimestamp: null },
      versions: [...group.versions].map(([name, kinds]) => ({
        version: name,
        freshness: 'Current',
        resources: kinds.map((kind) => ({
          resource: kind.plural,
          responseKind: responseKind(kind),
          scope: kind.namespaced ? 'Namespaced' : 'Cluster',
          singularResource: kind.singular,
          verbs: kind.verbs,
          ...named(kind),
          ...(subresourcesOf(kind).length === 0
            ? {}
            : {
                subresources: subresourcesOf(kind).map((sub) => ({
                  subresource: sub.name,
                  responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
                  verbs: sub.verbs,
                })),
              }),
        })),
      })),
    })),
  };
}

/** `GET /api`, plain. */
export function coreVersions(): object {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1' }],
  };
}

function apiGroup(group: Group) {
  const versions = [...group.versions.keys()].map((version) => ({
    groupVersion: `${group.name}/${version}`,
    version,
  }));
  return { name: group.name, versions, preferredVersion: versions[0] };
}

/** `GET /apis`, plain. */
export function groupList(catalog: Catalog): object {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groupsOf(catalog)
      .filter((group) => group.name !== '')
      .map(apiGroup),
  };
}

/** `GET /apis/‹group›`; undefined when it is not served. */
export function oneGroup(catalog: Catalog, name: string): object | undefined {
  const group = groupsOf(catalog).find((candidate) => candidate.name === name && name !== '');
  return group === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group) };
}

/** `GET /api/v1` or `/apis/‹group›/‹version›`; undefined when it is not served. */
export function resourceList(catalog: Catalog, groupName: string, version: string): object | undefined {
  const kinds = catalog.all().filter((kind) => kind.group === groupName && kind.version === version);
  const first = kinds[0];
  if (first === undefined) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: groupVersionOf(first),
    resources: kinds.flatMap((kind) => [
      {
        name: kind.plural,
        singularName: kind.singular,
        namespaced: kind.namespaced,
        kind: kind.kind,
        verbs: kind.verbs,
        ...named(kind),
      },
      ...subresourcesOf(kind).map((sub) => ({
        name: `${kind.plural}/${sub.name}`,
        singularName: '',
        namespaced: kind.namespaced,
        ...(sub.group === kind.group && sub.version === kind.version
          ? {}
          : { group: sub.group, version: sub.version }),
        kind: sub.kind,
        verbs: sub.verbs,
      })),
    ]),
  };
}
