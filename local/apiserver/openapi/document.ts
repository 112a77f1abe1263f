/** OpenAPI v3: the index and one document per group and version, as kubectl's apply, diff and explain read them. */
import type { SchemaNode } from '../../../crds/structural/schema-node.ts';
import type { Catalog } from '../catalog.ts';
import { groupVersionOf, type Kind } from '../kind.ts';
import { objectMeta } from './object-meta.ts';
import { SharedSchemas } from './shared-schemas.ts';

const metaPackage = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const groupPackages: Record<string, string> = {
  '': 'io.k8s.api.core',
  'apiextensions.k8s.io': 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions',
};

/** Name of a kind's schema, as the real server names it. */
function schemaName(kind: Kind): string {
  if (kind.custom) return `${kind.group.split('.').reverse().join('.')}.${kind.version}.${kind.kind}`;
  const known = groupPackages[kind.group] ?? `io.k8s.api.${kind.group.split('.')[0]}`;
  return `${known}.${kind.version}.${kind.kind}`;
}

const gvkOf = (kind: Kind) => ({ group: kind.group, version: kind.version, kind: kind.kind });

function objectSchema(kind: Kind, shared: SharedSchemas): object {
  const raw = shared.inner(kind.schema.raw);
  const properties: Record<string, SchemaNode | object> = {
    apiVersion: {
      type: 'string',
      description: 'APIVersion defines the versioned schema of this representation of an object.',
    },
    kind: {
      type: 'string',
      description: 'Kind is a string value representing the REST resource this object represents.',
    },
    ...raw.properties,
    metadata: {
      description: "Standard object's metadata.",
      allOf: [ref(`${metaPackage}.ObjectMeta`)],
      default: {},
    },
  };
  return { ...raw, type: 'object', properties, 'x-kubernetes-group-version-kind': [gvkOf(kind)] };
}

const listSchema = (kind: Kind): object => ({
  type: 'object',
  description: `${kind.listKind} is a list of ${kind.kind}.`,
  required: ['items'],
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { allOf: [ref(`${metaPackage}.ListMeta`)] },
    items: { type: 'array', items: ref(schemaName(kind)) },
  },
  'x-kubernetes-group-version-kind': [{ group: kind.group, version: kind.version, kind: kind.listKind }],
});

const query = (name: string, type = 'string') => ({ name, in: 'query', schema: { type, uniqueItems: true } });
const inPath = (name: string) => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string', uniqueItems: true },
});
const writeParameters = [query('dryRun'), query('fieldManager'), query('fieldValidation')];
const listParameters = [
  ...['continue', 'fieldSelector', 'labelSelector', 'resourceVersion', 'resourceVersionMatch'].map((name) =>
    query(name),
  ),
  query('allowWatchBookmarks', 'boolean'),
  query('sendInitialEvents', 'boolean'),
  query('watch', 'boolean'),
  query('limit', 'integer'),
  query('timeoutSeconds', 'integer'),
];
const patchMediaTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
];

function operation(kind: Kind, action: string, name: string, parameters: object[], body?: string[]): object {
  const content = { 'application/json': { schema: ref(name) } };
  return {
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: Object.fromEntries(body.map((type) => [type, content['application/json']])),
          },
        }),
    responses: { 200: { description: 'OK', content } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvkOf(kind),
  };
}

function pathsOf(kind: Kind): Record<string, object> {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${groupVersionOf(kind)}`;
  const name = schemaName(kind);
  const collection = `${root}${kind.namespaced ? '/namespaces/{namespace}' : ''}/${kind.plural}`;
  const where = kind.namespaced ? [inPath('namespace')] : [];
  const json = ['application/json'];
  const paths: Record<string, object> = {};
  const listed = kind.verbs.includes('list');
  paths[collection] = {
    parameters: where,
    ...(listed ? { get: operation(kind, 'list', `${name}List`, listParameters) } : {}),
    post: operation(kind, 'post', name, writeParameters, json),
  };
  if (!listed) return paths;
  if (kind.namespaced)
    paths[`${root}/${kind.plural}`] = { get: operation(kind, 'list', `${name}List`, listParameters) };
  const patchTypes = kind.custom
    ? patchMediaTypes
    : [...patchMediaTypes, 'application/strategic-merge-patch+json'];
  const item = (subject: string) => ({
    parameters: [...where, inPath('name')],
    get: operation(kind, 'get', subject, []),
    put: operation(kind, 'put', subject, writeParameters, json),
    patch: operation(kind, 'patch', subject, [...writeParameters, query('force', 'boolean')], patchTypes),
  });
  paths[`${collection}/{name}`] = {
    ...item(name),
    delete: operation(kind, 'delete', `${metaPackage}.Status`, [query('dryRun'), query('propagationPolicy')]),
  };
  if (kind.hasStatus) paths[`${collection}/{name}/status`] = item(name);
  return paths;
}

/** `GET /openapi/v3`. The hash changes with the catalog, so that clients' caches notice new kinds. */
export function openapiIndex(catalog: Catalog, instance: string): object {
  const paths: Record<string, object> = {};
  for (const kind of catalog.all()) {
    const path = kind.group === '' ? `api/${kind.version}` : `apis/${groupVersionOf(kind)}`;
    paths[path] ??= { serverRelativeURL: `/openapi/v3/${path}?hash=${instance}-${catalog.generation}` };
  }
  return { paths };
}

/** `GET /openapi/v3/api/v1` or `/openapi/v3/apis/‹group›/‹version›`; undefined when it is not served. */
export function openapiDocument(catalog: Catalog, group: string, version: string): object | undefined {
  const kinds = catalog.all().filter((kind) => kind.group === group && kind.version === version);
  if (kinds.length === 0) return undefined;
  const schemas: Record<string, object> = {
    [`${metaPackage}.ObjectMeta`]: objectMeta,
    [`${metaPackage}.ListMeta`]: {
      type: 'object',
      description: 'Metadata of a list.',
      properties: {
        continue: { type: 'string' },
        remainingItemCount: { type: 'integer', format: 'int64' },
        resourceVersion: { type: 'string' },
      },
    },
    [`${metaPackage}.Status`]: { type: 'object', description: 'Answer of calls that return no object.' },
  };
  let paths: Record<string, object> = {};
  const shared = new SharedSchemas(schemas);
  for (const kind of kinds) {
    schemas[schemaName(kind)] = objectSchema(kind, shared);
    schemas[`${schemaName(kind)}List`] = listSchema(kind);
    paths = { ...paths, ...pathsOf(kind) };
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.36.3' },
    paths,
    components: { schemas },
  };
}
