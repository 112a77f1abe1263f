/** Sequences of writes to one object; their outcomes were recorded from a real kube-apiserver 1.36 (`recorded.json`). */

export interface Step {
  readonly verb: 'apply' | 'create' | 'replace' | 'merge' | 'strategic' | 'json';
  readonly manager: string;
  readonly body: unknown;
  readonly force?: boolean;
  readonly subresource?: 'status';
}

export interface Scenario {
  readonly name: string;
  readonly resource: {
    readonly path: string;
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  };
  readonly steps: readonly Step[];
}

type Draft = Record<string, unknown>;

const deployments = { path: '/apis/apps/v1', group: 'apps', version: 'v1', kind: 'Deployment' };
const configMaps = { path: '/api/v1', group: '', version: 'v1', kind: 'ConfigMap' };
const services = { path: '/api/v1', group: '', version: 'v1', kind: 'Service' };

const config = (data?: Draft, metadata: Draft = {}): Draft => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', ...metadata },
  ...(data === undefined ? {} : { data }),
});
const deployment = (spec: Draft, containers: unknown[], metadata: Draft = {}): Draft => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'x', ...metadata },
  spec: {
    selector: { matchLabels: { a: 'b' } },
    ...spec,
    template: { metadata: { labels: { a: 'b' } }, spec: { containers } },
  },
});
const service = (ports: unknown[], spec: Draft = {}): Draft => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'x' },
  spec: { clusterIP: 'None', selector: { a: 'b' }, ports, ...spec },
});
/** An apply by a manager. */
export const apply = (manager: string, body: unknown, force = false): Step => ({
  verb: 'apply',
  manager,
  body,
  force,
});
/** Any other write by a manager. */
export const write = (verb: Step['verb'], manager: string, body: unknown): Step => ({ verb, manager, body });

export const builtInScenarios: readonly Scenario[] = [
  {
    name: 'an apply creates, an equal one changes nothing, an omission removes',
    resource: configMaps,
    steps: [
      apply('a', config({ x: '1', y: '2' }, { labels: { l: 'm' } })),
      apply('a', config({ x: '1', y: '2' }, { labels: { l: 'm' } })),
      apply('a', config({ x: '1' })),
      apply('a', config()),
    ],
  },
  {
    name: 'two managers share what they agree on and conflict where they do not',
    resource: configMaps,
    steps: [
      apply('a', config({ x: '1', y: '2' })),
      apply('b', config({ x: '1', z: '3' })),
      apply('b', config({ x: '2', y: '3' })),
      apply('b', config({ x: '2', y: '3' }), true),
      apply('b', config()),
      apply('a', config()),
    ],
  },
  {
    name: 'three managers conflict in groups',
    resource: configMaps,
    steps: [
      apply('b', config({ x: '1' })),
      apply('a', config({ y: '1', z: '1' })),
      write('merge', 'u', { data: { w: '1' } }),
      apply('c', config({ x: '2', y: '2', z: '2', w: '2' })),
    ],
  },
  {
    name: 'updates take fields from appliers, and vanish with their fields',
    resource: configMaps,
    steps: [
      apply('a', config({ x: '1', y: '2' })),
      write('merge', 'u', { data: { x: '9' } }),
      apply('a', config({ x: '1', y: '2' })),
      write('merge', 'u', { data: { x: null } }),
      write('merge', 'u', { data: { y: '2' } }),
      write('merge', 'u', { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } } }),
      write('merge', 'v', { metadata: { labels: null } }),
    ],
  },
  {
    name: 'a created object belongs to its creator until somebody else applies',
    resource: configMaps,
    steps: [
      write('create', 'maker', config({ x: '1', y: '2' }, { labels: { l: 'm' }, finalizers: ['a.b/c'] })),
      apply('a', config({ x: '1' })),
      apply('a', config({ x: '2' })),
      apply('a', config({ x: '2' }), true),
      apply('maker', config({ y: '3' })),
      write('replace', 'other', config({ q: '1' })),
      write('merge', 'other', { metadata: { finalizers: null } }),
    ],
  },
  {
    name: 'managed fields that a client clears come back as before-first-apply',
    resource: configMaps,
    steps: [
      write('create', 'maker', config({ x: '1' })),
      write('merge', 'maker', { metadata: { managedFields: [{}] } }),
      write('merge', 'maker', { data: { y: '1' } }),
      apply('a', config({ x: '2' })),
      apply('a', config({ z: '2' })),
    ],
  },
  {
    name: 'kubectl takes over from its own client-side apply',
    resource: configMaps,
    steps: [
      write(
        'create',
        'kubectl-client-side-apply',
        config(
          { x: '1', y: '2' },
          {
            annotations: {
              'kubectl.kubernetes.io/last-applied-configuration':
                '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"annotations":{},"name":"x"},"data":{"x":"1","y":"2"}}\n',
            },
          },
        ),
      ),
      apply('kubectl', config({ x: '3', y: '2' })),
      write('merge', 'other', { data: { y: '5' } }),
      apply('kubectl', config({ x: '3', y: '2' })),
    ],
  },
  {
    name: 'lists with keys are merged item by item',
    resource: deployments,
    steps: [
      apply('a', deployment({ replicas: 2 }, [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }] }])),
      apply('b', deployment({}, [{ name: 'c', env: [{ name: 'V', value: '1' }] }])),
      apply('b', deployment({}, [{ name: 'c', image: 'j', ports: [{ containerPort: 80, name: 'http' }] }])),
      apply('a', deployment({}, [{ name: 'c', image: 'i' }])),
      apply('a', deployment({ replicas: 3 }, [{ name: 'c', image: 'k' }])),
      write('merge', 'scaler', { spec: { replicas: 5 } }),
      apply('a', deployment({ replicas: 3 }, [{ name: 'c', image: 'k' }])),
      apply('a', deployment({ replicas: 3 }, [{ name: 'c', image: 'k' }]), true),
    ],
  },
  {
    name: 'containers keep their order and extra ones are taken away by whoever added them',
    resource: deployments,
    steps: [
      apply(
        'a',
        deployment({}, [
          { name: 'c', image: 'i' },
          { name: 'd', image: 'i' },
        ]),
      ),
      apply('b', deployment({}, [{ name: 'e', image: 'i' }, { name: 'c' }])),
      apply(
        'a',
        deployment({}, [
          { name: 'd', image: 'i' },
          { name: 'c', image: 'i' },
        ]),
      ),
      apply('b', deployment({}, [{ name: 'c' }])),
    ],
  },
  {
    name: 'quantities are the same however they are written',
    resource: deployments,
    steps: [
      apply(
        'a',
        deployment({}, [{ name: 'c', image: 'i', resources: { limits: { cpu: '0.5', memory: '1024Mi' } } }]),
      ),
      apply(
        'a',
        deployment({}, [{ name: 'c', image: 'i', resources: { limits: { cpu: '500m', memory: '1Gi' } } }]),
      ),
      apply(
        'b',
        deployment({}, [{ name: 'c', image: 'i', resources: { limits: { cpu: '1', memory: '1Gi' } } }]),
      ),
    ],
  },
  {
    name: 'a Deployment created by POST, patched strategically',
    resource: deployments,
    steps: [
      write('create', 'kubectl-create', deployment({ replicas: 1 }, [{ name: 'c', image: 'i' }])),
      write('strategic', 'kubectl-patch', {
        spec: { template: { spec: { containers: [{ name: 'c', env: [{ name: 'A', value: '1' }] }] } } },
      }),
      write('strategic', 'kubectl-patch', {
        spec: {
          template: {
            spec: {
              '$setElementOrder/containers': [{ name: 'd' }, { name: 'c' }],
              containers: [{ name: 'd', image: 'j' }],
            },
          },
        },
      }),
      write('strategic', 'kubectl-patch', {
        spec: {
          template: {
            spec: {
              containers: [
                { name: 'd', $patch: 'delete' },
                { name: 'c', env: [{ name: 'A', $patch: 'delete' }] },
              ],
            },
          },
        },
      }),
      write('strategic', 'x', { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }),
      write('strategic', 'x', {
        spec: { template: { spec: { containers: [{ $patch: 'replace' }, { name: 'z', image: 'z' }] } } },
      }),
      write('strategic', 'x', { spec: { template: { spec: { containers: [{ image: 'z' }] } } } }),
      write('strategic', 'x', { metadata: { finalizers: ['a.b/c', 'a.b/d'] } }),
      write('strategic', 'x', {
        metadata: { '$deleteFromPrimitiveList/finalizers': ['a.b/c'], finalizers: ['a.b/e'] },
      }),
      write('strategic', 'x', { spec: { selector: { matchLabels: null } } }),
      write('strategic', 'x', { metadata: { $patch: 'bogus' } }),
      write('strategic', 'x', { metadata: { finalizers: null } }),
    ],
  },
  {
    name: 'volumes replace their source only with retainKeys',
    resource: deployments,
    steps: [
      write('create', 'm', {
        ...deployment({}, [{ name: 'c', image: 'i' }]),
      }),
      write('strategic', 'm', { spec: { template: { spec: { volumes: [{ name: 'v', emptyDir: {} }] } } } }),
      write('strategic', 'm', {
        spec: { template: { spec: { volumes: [{ name: 'v', configMap: { name: 'x' } }] } } },
      }),
      write('strategic', 'm', {
        spec: {
          template: {
            spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'x' } }] },
          },
        },
      }),
    ],
  },
  {
    name: 'ports of Services are keyed by port and protocol, TCP by default',
    resource: services,
    steps: [
      apply('a', service([{ name: 'http', port: 80 }])),
      apply('b', service([{ name: 'dns', port: 53, protocol: 'UDP' }])),
      apply('b', service([{ name: 'https', port: 80, protocol: 'TCP' }])),
      apply('a', service([{ name: 'http', port: 81 }])),
      write('strategic', 'k', { spec: { ports: [{ port: 81, targetPort: 'web' }] } }),
      write('strategic', 'k', { spec: { ports: [{ port: 53, $patch: 'delete' }] } }),
    ],
  },
  {
    name: 'a selector is one whole',
    resource: services,
    steps: [
      apply('a', service([{ port: 80 }])),
      apply('b', service([{ port: 80 }], { selector: { a: 'b', c: 'd' } })),
      apply('b', service([{ port: 80 }], { selector: { c: 'd' } }), true),
    ],
  },
  {
    name: 'JSON patches, and why they fail',
    resource: configMaps,
    steps: [
      write('create', 'm', config({ x: '1' })),
      write('json', 'm', [{ op: 'add', path: '/data/y', value: '2' }]),
      write('json', 'm', [{ op: 'replace', path: '/data/z', value: '2' }]),
      write('json', 'm', [{ op: 'remove', path: '/data/z' }]),
      write('json', 'm', [{ op: 'test', path: '/data/x', value: '2' }]),
      write('json', 'm', [
        { op: 'test', path: '/data/x', value: '1' },
        { op: 'remove', path: '/data/x' },
      ]),
      write('json', 'm', [{ op: 'add', path: '/nope/x', value: '1' }]),
      write('json', 'm', [{ op: 'copy', from: '/data/nope', path: '/data/a' }]),
      write('json', 'm', [{ op: 'move', from: '/data/y', path: '/data/b' }]),
      write('json', 'm', [{ op: 'frob', path: '/data/x' }]),
      write('json', 'm', { op: 'add' }),
      write('json', 'm', [{ op: 'add', path: '/metadata/labels', value: { a: 'b' } }]),
    ],
  },
];
