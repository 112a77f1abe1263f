/** Random writes as plain data, so that a failing sequence can be printed, made shorter and sent again. */
import type { Random } from './chance.ts';
import {
  budgetFields,
  configMapFields,
  leaseFields,
  networkPolicyFields,
  podFields,
  podStatus,
  revisionFields,
  secretFields,
  serviceAccountFields,
  serviceFields,
} from './kinds.ts';
import { modelSpec, modelStatus } from './models.ts';
import { deploymentSpec, thingSpec, thingStatus } from './specs.ts';

type Fields = Record<string, unknown>;

/** What is written by chance of one kind. */
export interface Family {
  readonly apiVersion: string;
  readonly kind: string;
  /** Key of the collection among those that the test has. */
  readonly plural: string;
  /** The fields beside metadata. With nulls, some are null. */
  readonly fields: (random: Random, withNulls: boolean) => Fields;
  readonly status?: (random: Random) => Fields;
  readonly scale?: boolean;
  readonly custom?: boolean;
  /** The definition has a default for status. */
  readonly defaultsStatus?: boolean;
  /** Controllers write to the object too: its resourceVersion and status tell nothing. */
  readonly shared?: boolean;
  /** JSON pointers for JSON patches, beside the top fields of `spec`. */
  readonly pointers: readonly string[];
}

/** The kinds that are compared. The selector of a Deployment is the object's name, which `$name` stands for. */
export const families: Record<string, Family> = {
  thing: {
    apiVersion: 'GROUP/v1',
    kind: 'Thing',
    plural: 'things',
    fields: (random, nulls) => ({ spec: thingSpec(random, '', nulls) }),
    status: thingStatus,
    scale: true,
    custom: true,
    pointers: [
      '/spec/tags/-',
      '/spec/ports/0/note',
      '/spec/free/f',
      '/spec/nested/deep/x',
      '/spec/objects/1/a',
    ],
  },
  model: {
    apiVersion: 'ballast.dev/v1alpha1',
    kind: 'ModelDeployment',
    plural: 'modeldeployments',
    defaultsStatus: true,
    fields: (random) => ({ spec: modelSpec(random) }),
    status: modelStatus,
    scale: true,
    custom: true,
    pointers: [
      '/spec/scaling/mode',
      '/spec/scaling/replicas',
      '/spec/runtime/env/-',
      '/spec/sla/latency/p95',
    ],
  },
  deployment: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    plural: 'deployments',
    fields: (random) => ({ spec: deploymentSpec(random, '$name') }),
    scale: true,
    shared: true,
    pointers: [
      '/spec/template/spec/containers/0/image',
      '/spec/template/spec/containers/-',
      '/spec/template/spec/volumes',
    ],
  },
  configmap: {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    plural: 'configmaps',
    fields: configMapFields,
    pointers: ['/data/a', '/data/b', '/binaryData', '/immutable'],
  },
  secret: {
    apiVersion: 'v1',
    kind: 'Secret',
    plural: 'secrets',
    fields: secretFields,
    pointers: ['/data/a', '/data', '/type'],
  },
  service: {
    apiVersion: 'v1',
    kind: 'Service',
    plural: 'services',
    fields: serviceFields,
    pointers: ['/spec/ports/0/name', '/spec/selector/app'],
  },
  serviceaccount: {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    plural: 'serviceaccounts',
    fields: serviceAccountFields,
    pointers: ['/imagePullSecrets', '/automountServiceAccountToken'],
  },
  networkpolicy: {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    plural: 'networkpolicies',
    fields: networkPolicyFields,
    pointers: ['/spec/ingress/0/from', '/spec/policyTypes/-'],
  },
  budget: {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    plural: 'poddisruptionbudgets',
    fields: budgetFields,
    shared: true,
    pointers: ['/spec/selector/matchLabels', '/spec/minAvailable'],
  },
  lease: {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    plural: 'leases',
    fields: leaseFields,
    pointers: ['/spec/holderIdentity'],
  },
  revision: {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    plural: 'controllerrevisions',
    fields: revisionFields,
    pointers: ['/data', '/revision'],
  },
  pod: {
    apiVersion: 'v1',
    kind: 'Pod',
    plural: 'pods',
    fields: podFields,
    status: podStatus,
    pointers: ['/spec/containers/0/image', '/spec/activeDeadlineSeconds', '/spec/tolerations/-'],
  },
};

/** `live` is what the object has when the step is sent, `stale` what it had at first. */
export type Version = 'live' | 'stale' | 'none';

export interface Step {
  readonly verb: 'create' | 'put' | 'merge' | 'strategic' | 'json' | 'apply' | 'delete' | 'dependent';
  readonly subresource?: 'status' | 'scale';
  readonly query?: Readonly<Record<string, string | boolean>>;
  readonly body: unknown;
  /** Of `metadata.resourceVersion`, or of the precondition of a delete. */
  readonly version?: Version;
  readonly uid?: 'live' | 'wrong';
  /** A PUT of the live object with the top fields of `body` replaced, instead of `body` alone. */
  readonly overLive?: boolean;
}

function randomMetadata(random: Random): Fields {
  const words = (keys: readonly string[]) =>
    Object.fromEntries(random.some(keys).map((key) => [key, random.pick(['1', '2'])]));
  return {
    ...(random.chance(0.2) ? { labels: words(['l', 'm', random.chance(0.05) ? 'a b' : 'n']) } : {}),
    ...(random.chance(0.2) ? { annotations: { o: random.pick(['1', '2']), ...words(['p']) } } : {}),
    ...(random.chance(0.1) ? { finalizers: random.some(['test.dev/a', 'test.dev/b']) } : {}),
  };
}

function jsonOperations(random: Random, family: Family): object[] {
  const fields = family.fields(random, true);
  const inSpec = fields.spec !== undefined;
  const top = Object.entries((inSpec ? fields.spec : fields) as Fields).map(([name, value]) => ({
    path: `${inSpec ? '/spec' : ''}/${name}`,
    value,
  }));
  const known = [
    ...top,
    ...family.pointers.map((path) => ({
      path,
      value: random.pick<unknown>(['v', 1, 'w', { a: 'b' }, null]),
    })),
    { path: '/metadata/labels', value: { l: '1' } },
    { path: '/metadata/labels/l', value: '2' },
    { path: '/metadata/finalizers', value: ['test.dev/a'] },
  ];
  const operation = () => {
    const { path, value } = random.pick(known);
    const other = random.pick(known).path;
    switch (random.below(8)) {
      case 0:
        return { op: path === '/spec/template' ? 'test' : 'remove', path, value };
      case 1:
        return { op: 'test', path, value };
      case 2:
        return random.chance(0.5) ? { op: 'copy', from: other, path } : { op: 'move', from: other, path };
      case 3:
      case 4:
        return { op: 'replace', path, value };
      default:
        return { op: 'add', path, value };
    }
  };
  return Array.from({ length: 1 + random.below(2) }, operation);
}

function randomQuery(random: Random): Record<string, string | boolean> {
  return {
    fieldManager: random.pick(['a', 'b', 'c']),
    ...(random.chance(0.06) ? { dryRun: 'All' } : {}),
    ...(random.chance(0.1) ? { fieldValidation: random.pick(['Strict', 'Ignore']) } : {}),
  };
}

function randomDelete(random: Random, family: Family): Step {
  // The real collector learns of a new custom kind after half a minute: nobody waits for it here.
  const policies = family.custom === true ? ['Background'] : ['Background', 'Foreground', 'Orphan'];
  const options: Fields = random.chance(0.7) ? { propagationPolicy: random.pick(policies) } : {};
  return {
    verb: 'delete',
    ...(random.chance(0.05) ? { query: { dryRun: 'All' } } : {}),
    body: {
      ...(random.chance(0.1) ? { dryRun: ['All'] } : {}),
      ...options,
      ...(random.chance(0.2) ? { gracePeriodSeconds: 0 } : {}),
    },
    ...(random.chance(0.25) ? { version: random.pick(['live', 'stale'] as const) } : {}),
    ...(random.chance(0.25) ? { uid: random.pick(['live', 'wrong'] as const) } : {}),
  };
}

function scaleStep(random: Random, query: Step['query']): Step {
  const verb = random.pick(['put', 'merge', 'json'] as const);
  const replicas = random.chance(0.1) ? -1 : random.below(3);
  const version = random.pick(['none', 'none', 'live', 'stale'] as const);
  const base = { verb, subresource: 'scale' as const, ...(query === undefined ? {} : { query }) };
  if (verb === 'json') return { ...base, body: [{ op: 'replace', path: '/spec/replicas', value: replicas }] };
  return { ...base, version, body: { ...(verb === 'put' ? scaleHead : {}), spec: { replicas } } };
}
const scaleHead = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: '$name' } };

function statusStep(
  random: Random,
  family: Family,
  head: Fields,
  query: Record<string, string | boolean>,
): Step {
  const status = family.status?.(random) ?? {};
  const verb = random.pick([
    'merge',
    'apply',
    'apply',
    'put',
    ...(family.custom === true ? [] : (['strategic', 'strategic'] as const)),
  ] as const);
  const base = { verb, subresource: 'status' as const };
  if (verb === 'merge' || verb === 'strategic') return { ...base, query, body: { status } };
  const body = { ...head, status };
  if (verb === 'apply') return { ...base, query: { ...query, force: random.chance(0.3) }, body };
  return {
    ...base,
    query,
    body,
    version: random.pick(['live', 'live', 'stale', 'none'] as const),
    overLive: random.chance(0.8),
  };
}

/** The next step of a sequence; the first ones make the object more often than not. */
function randomStep(random: Random, family: Family): Step {
  const query = randomQuery(random);
  const head = { apiVersion: family.apiVersion, kind: family.kind, metadata: { name: '$name' } };
  const weighted: (() => Step)[] = [];
  const add = (weight: number, make: () => Step) => {
    for (let n = 0; n < weight; n += 1) weighted.push(make);
  };
  const whole = (nulls: boolean) => ({
    ...head,
    metadata: { name: '$name', ...randomMetadata(random) },
    ...family.fields(random, nulls),
    ...(random.chance(0.04) ? { bogus: 1 } : {}),
  });
  const part = () => ({
    ...(random.chance(0.3) ? { metadata: randomMetadata(random) } : {}),
    ...family.fields(random, true),
  });
  const version = () => random.pick(['live', 'live', 'live', 'stale', 'none'] as const);
  add(2, () => ({ verb: 'create', query, body: whole(true) }));
  add(6, () => ({ verb: 'apply', query: { ...query, force: random.chance(0.3) }, body: whole(true) }));
  add(3, () => ({ verb: 'put', query, body: whole(true), version: version(), overLive: random.chance(0.5) }));
  add(3, () => ({
    verb: 'merge',
    query,
    body: part(),
    ...(random.chance(0.2) ? { version: version() } : {}),
  }));
  add(2, () => ({ verb: 'json', query, body: jsonOperations(random, family) }));
  if (family.custom !== true) add(3, () => ({ verb: 'strategic', query, body: part() }));
  if (family.status !== undefined) add(4, () => statusStep(random, family, head, query));
  if (family.scale === true) add(2, () => scaleStep(random, query));
  add(2, () => randomDelete(random, family));
  if (family.custom !== true) add(1, () => ({ verb: 'dependent', body: { blocks: random.chance(0.7) } }));
  return random.pick(weighted)();
}

/** A sequence of steps to one object of a family. */
export function randomSteps(random: Random, family: Family, length: number): Step[] {
  return Array.from({ length }, () => randomStep(random, family));
}
