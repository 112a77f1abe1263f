/** Small objects that the tests write; each call returns a new one. */

type Fields = Record<string, unknown>;

/** ConfigMap with this data. */
export const configMap = (name: string, data: Record<string, string> = {}, metadata: Fields = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});

/** Container that would run this image. */
export const container = (name: string, image = 'example.test/none:1', more: Fields = {}) => ({
  name,
  image,
  ...more,
});

/** Pod that no node takes: the tests are about the API, not about running. */
export const pod = (name: string, spec: Fields = {}, metadata: Fields = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...metadata },
  spec: {
    nodeSelector: { 'conformance.test/nowhere': 'true' },
    containers: [container('main')],
    ...spec,
  },
});

/** Deployment of no pods, unless `spec` asks for some. */
export const deployment = (name: string, spec: Fields = {}, podSpec: Fields = {}, metadata: Fields = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, ...metadata },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        nodeSelector: { 'conformance.test/nowhere': 'true' },
        containers: [container('main')],
        ...podSpec,
      },
    },
    ...spec,
  },
});

/** Service with one port. */
export const service = (name: string, spec: Fields = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ name: 'http', port: 8080 }], ...spec },
});

/** CustomResourceDefinition `things.GROUP` of one version with this schema for `spec` and `status`. */
export const thingDefinition = (
  group: string,
  spec: Fields,
  options: { version?: Fields; names?: Fields; root?: Fields; status?: Fields; scope?: string } = {},
) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `things.${group}` },
  spec: {
    group,
    scope: options.scope ?? 'Namespaced',
    names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList', ...options.names },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec,
              status: options.status ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
            ...options.root,
          },
        },
        ...options.version,
      },
    ],
  },
});
