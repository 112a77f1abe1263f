/** JSON Schema of the chart's values: types from the defaults, what a default cannot tell from the table below. */
import type { ChartValue } from './chart-values.ts';

type Schema = Readonly<Record<string, unknown>>;
type SchemaTable = Readonly<Record<string, Schema>>;

const freeMap: Schema = { type: 'object', additionalProperties: true };
const stringMap: Schema = { type: 'object', additionalProperties: { type: 'string' } };
const quantity: Schema = { type: ['string', 'integer'] };
const stringList: Schema = { type: 'array', items: { type: 'string' } };
/** Refused here, so that helm names it: the operator, which checks more, could only refuse to start. */
const range = '^[0-9a-fA-F.:]+/[0-9]{1,3}$';
const proxyAddress = '^(https?://[^/@?#\\s]+/?)?$';
const freeList: Schema = { type: 'array', items: freeMap };
const port: Schema = { type: 'integer', minimum: 1, maximum: 65_535 };
const digest: Schema = { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' };
const namespaceName = { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', maxLength: 63 };
/** What the Deployment selects its pods by cannot be given a second time. */
const labelMap: Schema = {
  ...stringMap,
  propertyNames: {
    not: {
      enum: ['name', 'instance', 'component', 'version', 'managed-by'].map(
        (one) => `app.kubernetes.io/${one}`,
      ),
    },
  },
};

/** By path; takes the place of what the default says. */
const known: SchemaTable = {
  'defaults.allowModelCidrs': { type: 'array', items: { type: 'string', pattern: range } },
  'proxy.httpsProxy': { type: 'string', pattern: proxyAddress },
  'proxy.httpProxy': { type: 'string', pattern: proxyAddress },
  'proxy.noProxy': stringList,
  replicas: { type: 'integer', minimum: 0, maximum: 10 },
  'image.digest': digest,
  'image.pullPolicy': { enum: ['IfNotPresent', 'Always', 'Never'] },
  'inferencePod.image.digest': digest,
  'inferencePod.fileRoots': { type: 'array', items: { type: 'string', pattern: '^/[^,]*$' } },
  'gateway.replicas': { type: 'integer', minimum: 1, maximum: 100 },
  imagePullSecrets: {
    type: 'array',
    items: {
      type: 'object',
      required: ['name'],
      additionalProperties: false,
      properties: { name: { type: 'string' } },
    },
  },
  'watch.namespaces': { type: 'array', items: namespaceName },
  'serviceAccount.annotations': stringMap,
  logLevel: { enum: ['debug', 'info', 'warn', 'error'] },
  workers: { type: 'integer', minimum: 1, maximum: 64 },
  qps: { type: 'number', minimum: 1, maximum: 10_000 },
  burst: { type: 'number', minimum: 1, maximum: 20_000 },
  bakeTime: { type: 'string', pattern: '^[0-9]+(ms|s|m|h)$' },
  'resources.requests': { type: 'object', additionalProperties: quantity },
  'resources.limits': { type: 'object', additionalProperties: quantity },
  nodeSelector: stringMap,
  tolerations: freeList,
  affinity: freeMap,
  topologySpreadConstraints: freeList,
  extraLabels: labelMap,
  extraAnnotations: stringMap,
  podLabels: labelMap,
  podAnnotations: stringMap,
  'networkPolicy.apiServerPorts': { type: 'array', minItems: 1, items: port },
  'networkPolicy.metricsFrom': freeList,
  'podMonitor.interval': { type: 'string', pattern: '^[0-9]+(ms|s|m|h)$' },
  'podMonitor.labels': stringMap,
  'prometheusRule.labels': stringMap,
  'grafanaDashboard.namespace': {
    type: 'string',
    pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$',
    maxLength: 63,
  },
  'grafanaDashboard.labels': stringMap,
  'grafanaDashboard.annotations': stringMap,
  extraObjects: { type: 'array', items: { type: ['string', 'object'] } },
};

function schemaOfDefault(value: unknown, path: string): Schema {
  switch (typeof value) {
    case 'string':
      return { type: 'string' };
    case 'boolean':
      return { type: 'boolean' };
    default:
      throw new Error(`scripts/chart-schema.ts: say of what kind ${path} is`);
  }
}

function schemaOf(values: readonly ChartValue[], value: ChartValue, table: SchemaTable): Schema {
  const path = value.path.join('.');
  const { description } = value;
  if (table[path] !== undefined) return { ...table[path], description };
  if (!value.isGroup) return { description, ...schemaOfDefault(value.default, path) };
  return { description, ...objectOf(values, value.path, table) };
}

function objectOf(values: readonly ChartValue[], parent: readonly string[], table: SchemaTable): Schema {
  const children = values.filter(
    ({ path }) => path.length === parent.length + 1 && parent.every((key, index) => path[index] === key),
  );
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      children.map((child) => [child.path.at(-1) ?? '', schemaOf(values, child, table)]),
    ),
  };
}

/** What the defaults of the fleet have in common with a ModelDeployment, from its JSON Schema. */
function sharedWith(modelDeployment: string): SchemaTable {
  interface Node {
    readonly properties: Record<string, Node>;
  }
  const { spec } = (JSON.parse(modelDeployment) as Node).properties;
  const { runtime, access } = spec?.properties ?? {};
  const pod = runtime?.properties.pod;
  const resources = runtime?.properties.resources;
  const networkPolicy = access?.properties.networkPolicy;
  if (pod === undefined || resources === undefined || networkPolicy === undefined)
    throw new Error(
      'the schema of ModelDeployment has no runtime.pod, runtime.resources or access.networkPolicy',
    );
  // One service account for all is nothing that a fleet should have.
  const { serviceAccountName: _, ...properties } = pod.properties;
  return {
    'defaults.pod': { ...pod, properties },
    'defaults.resources': { ...resources },
    'gateway.resources': { ...resources },
    'defaults.networkPolicy': { ...networkPolicy },
  };
}

/** The schema of all values; `modelDeployment` is the text of ModelDeployment's JSON Schema. Helm itself adds `global`. */
export function chartSchema(values: readonly ChartValue[], modelDeployment: string): Schema {
  const table = { ...known, ...sharedWith(modelDeployment) };
  for (const path of Object.keys(table))
    if (!values.some((value) => value.path.join('.') === path))
      throw new Error(`scripts/chart-schema.ts: values.yaml has no ${path}`);
  const { properties, ...rest } = objectOf(values, [], table);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the Ballast chart',
    ...rest,
    properties: {
      ...(properties as Schema),
      global: { description: 'Values that a parent chart shares; not used here.', type: 'object' },
    },
  };
}
