/**
 * What the embedded cluster does otherwise than a real API server, on purpose. Each has a probe whose answer is known for
 * both, so that a difference that is mended, or that was never one, fails a test until this list is right. The table in
 * `docs/reference/embedded-cluster.md` is made from it.
 */
import type { Cluster } from './cluster.ts';
import { container, deployment, pod, service, thingDefinition } from './objects.ts';
import { at, said, warnings } from './words.ts';

export interface Difference {
  readonly what: string;
  /** Why it is so, or what to do instead. */
  readonly why: string;
  readonly probe: (api: Cluster) => Promise<string>;
  /** What the probe finds on a real control plane. */
  readonly real: string;
  readonly embedded: string;
}

const code = async (answer: Promise<{ status: number }>) => String((await answer).status);

/** Makes a Deployment of one pod and waits for the pod: by then controllers have seen what was there before. */
async function untilControllersLooked(api: Cluster): Promise<void> {
  const name = api.unique('looked');
  await api.post(api.path('deployments'), deployment(name, { replicas: 1 }));
  await api.eventually(
    () => api.get(api.path('pods'), { labelSelector: `app=${name}` }),
    ({ body }) => body.items.length === 1,
  );
  await api.delete(api.path('deployments', name));
}

async function groupsOf(api: Cluster): Promise<string[]> {
  const { body } = await api.get('/apis');
  return (body.groups as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => name.endsWith('.k8s.io') || !name.includes('.'));
}

async function ownersOfReplicas(api: Cluster, name: string): Promise<string> {
  const { body } = await api.get(api.path('deployments', name));
  return (body.metadata.managedFields ?? [])
    .filter(
      (entry) => JSON.stringify(entry.fieldsV1).includes('"f:replicas"') && entry.subresource !== 'status',
    )
    .map((entry) => `${entry.manager} ${entry.operation} ${entry.subresource ?? '-'}`)
    .sort()
    .join(', ');
}

/** The list. */
export const differences: readonly Difference[] = [
  {
    what: 'Authorization: whoever has the token may do everything, RBAC objects are stored and not asked, impersonation is ignored',
    why: 'one user on one machine; try roles on a real cluster',
    probe: (api) =>
      code(api.send('GET', api.path('configmaps'), { headers: { 'impersonate-user': 'nobody' } })),
    real: '403',
    embedded: '200',
  },
  {
    what: 'ServiceAccount tokens (TokenRequest)',
    why: 'nothing here would check them',
    probe: (api) =>
      code(
        api.post(api.path('serviceaccounts', 'default', 'token'), {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: {},
        }),
      ),
    real: '201',
    embedded: '404',
  },
  {
    what: 'Pod Security levels of a namespace',
    why: 'containers are processes of the user who started the cluster; that our pods fit `restricted` is tested on a real one',
    async probe(api) {
      const name = api.unique('restricted');
      const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
      await api.post('/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, labels },
      });
      api.cleanUp(`/api/v1/namespaces/${name}`);
      await api.eventually(
        () => api.get(`/api/v1/namespaces/${name}/serviceaccounts/default`),
        ({ status }) => status === 200,
      );
      return code(api.post(`/api/v1/namespaces/${name}/pods`, pod('plain')));
    },
    real: '403',
    embedded: '201',
  },
  {
    what: 'LimitRanges (stored, not enforced)',
    why: 'rarely matters for a model; the operator sets its own requests',
    async probe(api) {
      const limits = [{ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '1' } }];
      await api.post(api.path('limitranges'), {
        apiVersion: 'v1',
        kind: 'LimitRange',
        metadata: { name: 'bounds' },
        spec: { limits },
      });
      const { body } = await api.eventually(
        () => api.post(api.path('pods'), pod('bounded'), { dryRun: 'All' }),
        (answer) => !api.real || at(answer.body, 'spec.containers.0.resources.limits') !== undefined,
      );
      await api.delete(api.path('limitranges', 'bounds'));
      return `limit of cpu: ${at(body, 'spec.containers.0.resources.limits.cpu') ?? 'none'}`;
    },
    real: 'limit of cpu: 1',
    embedded: 'limit of cpu: none',
  },
  {
    what: 'Admission webhooks and policies',
    why: 'Ballast needs none; try yours on a real cluster',
    async probe(api) {
      const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
      const name = api.unique('nobody');
      const webhook = {
        name: 'nobody.example.test',
        clientConfig: { url: 'https://127.0.0.1:1/' },
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': api.namespace } },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['secrets'] }],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      };
      const kind = 'ValidatingWebhookConfiguration';
      const apiVersion = 'admissionregistration.k8s.io/v1';
      const made = await api.post(path, { apiVersion, kind, metadata: { name }, webhooks: [webhook] });
      if (made.status !== 201) return said(made);
      api.cleanUp(`${path}/${name}`);
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'asked' } };
      // A real server learns of the webhook a moment later.
      const answer = await api.eventually(
        () => api.post(api.path('secrets'), secret, { dryRun: 'All' }),
        ({ status }) => !api.real || status !== 201,
      );
      return String(answer.status);
    },
    real: '500',
    embedded: '201',
  },
  {
    what: 'StatefulSets and DaemonSets (stored, nothing acts on them)',
    why: 'Ballast makes Deployments',
    async probe(api) {
      const labels = { app: 'stateful' };
      await api.post(api.path('statefulsets'), {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'stateful' },
        spec: {
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [container('main')] } },
        },
      });
      await untilControllersLooked(api);
      const pods = () => api.get(api.path('pods'), { labelSelector: 'app=stateful' });
      const { body } = await api.eventually(pods, (answer) => !api.real || answer.body.items.length > 0);
      await api.delete(api.path('statefulsets', 'stateful'));
      return `pods: ${body.items.length}`;
    },
    real: 'pods: 1',
    embedded: 'pods: 0',
  },
  {
    what: 'Jobs, CronJobs and the other groups that Ballast does not touch',
    why: 'a real cluster has them',
    async probe(api) {
      const groups = await groupsOf(api);
      return [
        'batch',
        'certificates.k8s.io',
        'flowcontrol.apiserver.k8s.io',
        'node.k8s.io',
        'resource.k8s.io',
      ]
        .filter((name) => groups.includes(name))
        .join(' ');
    },
    real: 'batch certificates.k8s.io flowcontrol.apiserver.k8s.io node.k8s.io resource.k8s.io',
    embedded: '',
  },
  {
    what: 'exec, attach, cp, port-forward',
    why: 'a pod is a process of this machine with an address of its own: look at it, and call it, directly',
    async probe(api) {
      await api.post(api.path('pods'), pod('closed'));
      const answers = await Promise.all(
        ['exec', 'attach', 'portforward'].map((name) =>
          api.get(api.path('pods', 'closed', name), { command: 'ls' }),
        ),
      );
      return answers.map(({ status }) => (status === 501 ? 'absent' : 'there')).join(' ');
    },
    real: 'there there there',
    embedded: 'absent absent absent',
  },
  {
    what: 'The proxy subresources of pods, Services and nodes',
    why: 'their addresses can be reached as they are',
    async probe(api) {
      await api.post(api.path('services'), service('proxied'));
      const answer = await api.eventually(
        () => api.get(api.path('services', 'proxied', 'proxy')),
        ({ status }) => !api.real || status !== 404,
      );
      return String(answer.status);
    },
    real: '503',
    embedded: '404',
  },
  {
    what: 'OpenAPI v2 (v3 is served)',
    why: 'kubectl since 1.27 asks for v3',
    probe: (api) => code(api.get('/openapi/v2')),
    real: '200',
    embedded: '404',
  },
  {
    what: 'Answers in protobuf: bodies are read, answers are JSON',
    why: 'clients that prefer protobuf take JSON too',
    probe: async (api) =>
      String(
        (
          await api.send('GET', api.path('configmaps'), {
            accept: 'application/vnd.kubernetes.protobuf,application/json',
          })
        ).headers['content-type'],
      ),
    real: 'application/vnd.kubernetes.protobuf',
    embedded: 'application/json',
  },
  {
    what: 'Loopback addresses in EndpointSlices: a real server refuses them',
    why: 'pods here have no others',
    probe: (api) =>
      code(
        api.post(
          api.path('endpointslices'),
          {
            apiVersion: 'discovery.k8s.io/v1',
            kind: 'EndpointSlice',
            metadata: { name: 'loop' },
            addressType: 'IPv4',
            endpoints: [{ addresses: ['127.0.0.1'] }],
            ports: [],
          },
          { dryRun: 'All' },
        ),
      ),
    real: '422',
    embedded: '201',
  },
  {
    what: 'Addresses of Services are in 127.96.0.0/16',
    why: 'they are reachable from this machine only',
    async probe(api) {
      const { body } = await api.post(api.path('services'), service('addressed'), { dryRun: 'All' });
      return String(at(body, 'spec.clusterIP')).split('.').slice(0, 2).join('.');
    },
    real: '10.96',
    embedded: '127.96',
  },
  {
    what: 'Warnings about a pod template that is valid and odd, such as one port twice',
    why: 'they change nothing',
    async probe(api) {
      const ports = [{ containerPort: 80, name: 'a' }];
      const containers = [container('a', 'i', { ports }), container('b', 'i', { ports })];
      const answer = await api.post(api.path('deployments'), deployment('odd', {}, { containers }), {
        dryRun: 'All',
      });
      return `${answer.status}, warnings: ${warnings(answer).length}`;
    },
    real: '201, warnings: 2',
    embedded: '201, warnings: 0',
  },
  {
    what: 'The refusal of a change to a running pod ends with a comparison of the two specs in Go’s spelling',
    why: 'the sentence before it says what may change',
    async probe(api) {
      await api.post(api.path('pods'), pod('fixed'));
      const answer = await api.mergePatch(api.path('pods', 'fixed'), { spec: { hostname: 'other' } });
      return `${answer.status}, compared: ${said(answer).includes('\n@@')}`;
    },
    real: '422, compared: true',
    embedded: '422, compared: false',
  },
  {
    what: 'An empty list or map where none was counts as a change (generation, immutability)',
    why: 'an accident of Go’s types; nothing that is stored differs',
    async probe(api) {
      const policy = (podSelector: object) => ({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'empty' },
        spec: { podSelector, policyTypes: ['Ingress'] },
      });
      await api.post(api.path('networkpolicies'), policy({}));
      const { body } = await api.mergePatch(
        api.path('networkpolicies', 'empty'),
        policy({ matchLabels: {} }),
      );
      await api.delete(api.path('networkpolicies', 'empty'));
      return `generation ${body.metadata.generation}`;
    },
    real: 'generation 2',
    embedded: 'generation 1',
  },
  {
    what: 'A write of /scale that changes nothing splits the entry of who owns the replicas',
    why: 'an accident; the owners stay the same',
    async probe(api) {
      await api.post(api.path('deployments'), deployment('same', { replicas: 1, paused: true }), {
        fieldManager: 'maker',
      });
      // The controller's first write of status, arriving within the write of /scale, joins the two entries again.
      await api.eventually(
        () => api.get(api.path('deployments', 'same')),
        ({ body }) => at(body, 'status.observedGeneration') === 1,
      );
      await api.mergePatch(
        api.path('deployments', 'same', 'scale'),
        { spec: { replicas: 1 } },
        { fieldManager: 'scaler' },
      );
      const { body } = await api.get(api.path('deployments', 'same'));
      const mine = (body.metadata.managedFields ?? []).filter(({ manager }) => manager === 'maker');
      await api.delete(api.path('deployments', 'same'));
      return `entries of the maker: ${mine.length}`;
    },
    real: 'entries of the maker: 2',
    embedded: 'entries of the maker: 1',
  },
  {
    what: 'A default of status is stored with the first write that follows, so that this write moves the resourceVersion even when it changes nothing',
    why: 'stored at creation here; what is read is the same',
    async probe(api) {
      const group = `${api.unique('defaults')}.test`;
      const status = { type: 'object', default: { seen: 0 }, properties: { seen: { type: 'integer' } } };
      const spec = { type: 'object', properties: { a: { type: 'string' } } };
      const options = { status, version: { subresources: { status: {} } } };
      const things = await api.install(thingDefinition(group, spec, options) as never);
      const object = {
        apiVersion: `${group}/v1`,
        kind: 'Thing',
        metadata: { name: 'one' },
        spec: { a: 'b' },
      };
      const made = await api.post(things, object);
      const again = await api.mergePatch(`${things}/one`, { spec: { a: 'b' } });
      return `moved: ${made.body.metadata.resourceVersion !== again.body.metadata.resourceVersion}`;
    },
    real: 'moved: true',
    embedded: 'moved: false',
  },
  {
    what: 'Server-side apply to /scale is an update here; a real server keeps the applier of a Deployment’s, and fails for a custom kind',
    why: 'nobody scales so; kubectl and autoscalers patch',
    async probe(api) {
      await api.post(api.path('deployments'), deployment('applied', { replicas: 1, paused: true }), {
        fieldManager: 'maker',
      });
      await api.apply(
        api.path('deployments', 'applied', 'scale'),
        'scaler',
        { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'applied' }, spec: { replicas: 2 } },
        { force: true },
      );
      const owners = await ownersOfReplicas(api, 'applied');
      await api.delete(api.path('deployments', 'applied'));
      return owners;
    },
    real: 'scaler Apply scale',
    embedded: 'scaler Update scale',
  },
];

/** The table of the documentation. */
export function differencesTable(): string {
  const row = ({ what, why, real, embedded }: Difference) =>
    `| ${what} | ${why} | \`${real || '(none)'}\` | \`${embedded || '(none)'}\` |`;
  return [
    '| what | why, or what instead | a real server | here |',
    '|---|---|---|---|',
    ...differences.map(row),
  ].join('\n');
}
