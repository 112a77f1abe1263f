/** What random sequences of writes found (see `test/kube/differential.test.ts`), each as a plain assertion. */
import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { configMap, container, deployment, pod, service, thingDefinition } from './support/objects.ts';
import { at, causes, owners, said } from './support/words.ts';

const api = await openCluster();
const group = `${api.unique('found')}.test`;
const things = await api.install(
  thingDefinition(
    group,
    {
      type: 'object',
      properties: {
        size: { type: 'integer', minimum: 0 },
        list: { type: 'array', items: { type: 'string' } },
      },
    },
    {
      status: { type: 'object', properties: { phase: { type: 'string' }, size: { type: 'integer' } } },
      version: {
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' },
        },
      },
    },
  ) as never,
);
const thing = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: `${group}/v1`,
  kind: 'Thing',
  metadata: { name, ...metadata },
  spec,
});
const maps = api.path('configmaps');
const broken = (name: string) => ({ ...configMap(name), binaryData: { a: '?' } });
const notBase64 = 'illegal base64 data at input byte 0';

describe('what cannot be read', () => {
  test('is 400 in a PUT, also of an object that is not there', async () => {
    const answer = await api.put(`${maps}/nobody`, broken('nobody'));
    expect(said(answer)).toBe(
      `400 BadRequest: ConfigMap in version "v1" cannot be handled as a ConfigMap: ${notBase64}`,
    );
  });

  test('is 500 in an apply', async () => {
    const answer = await api.apply(`${maps}/nobody`, 'a', broken('nobody'));
    const type = '/v1, Kind=ConfigMap';
    expect(said(answer)).toBe(
      `500 (no reason): failed to convert new object (/nobody; ${type}) to proper version: unable to convert unstructured object to ${type}: error decoding from json: ${notBase64}`,
    );
  });

  test('is 422 in a strategic patch, which is shown as Go shows a map', async () => {
    await api.post(maps, configMap('patched'));
    const answer = await api.strategicPatch(`${maps}/patched`, { binaryData: { a: '?' } });
    expect(causes(answer)).toEqual([
      `patch | FieldValueInvalid | Invalid value: "map[binaryData:map[a:?]]": error decoding from json: ${notBase64}`,
    ]);
  });

  test('is metadata of the wrong type, in custom kinds too', async () => {
    const words = 'json: cannot unmarshal number into Go struct field ObjectMeta.finalizers of type []string';
    expect(said(await api.post(things, thing('wrong', {}, { finalizers: 3 })))).toBe(
      `400 BadRequest: Thing in version "v1" cannot be handled as a Thing: ${words}`,
    );
    await api.post(things, thing('right'));
    const patched = await api.mergePatch(`${things}/right`, { metadata: { finalizers: 3 } });
    expect([patched.status, causes(patched)[0]?.endsWith(words)]).toEqual([422, true]);
  });
});

describe('an apply', () => {
  test('of an unknown field names the core group as an empty one, and warns of nothing', async () => {
    const answer = await api.apply(`${maps}/odd`, 'a', { ...configMap('odd'), bogus: 1 });
    expect(said(answer)).toBe(
      '500 (no reason): failed to create typed patch object (/odd; /v1, Kind=ConfigMap): .bogus: field not declared in schema',
    );
    expect(answer.headers.warning).toBeUndefined();
  });

  test('of a null is refused beside whatever else is wrong', async () => {
    const answer = await api.apply(`${things}/nulls`, 'a', thing('nulls', { list: null, size: -1 }));
    expect(causes(answer).sort()).toEqual([
      '.spec.size | FieldValueInvalid | Invalid value: -1: should be a non-negative integer',
      'spec.list | FieldValueTypeInvalid | Invalid value: "null": spec.list in body must be of type array: "null"',
      'spec.size | FieldValueInvalid | Invalid value: -1: spec.size in body should be greater than or equal to 0',
    ]);
  });

  test('of a null over an empty list is refused', async () => {
    await api.post(things, thing('lists', { list: [] }));
    const emptied = await api.apply(`${things}/lists`, 'a', thing('lists', { list: null }), { force: true });
    expect(emptied.status).toBe(422);
  });
});

describe('creating', () => {
  test('by PUT works for Services and Leases, whatever resourceVersion it names', async () => {
    const made = await api.put(api.path('services', 'put'), service('put'));
    expect([said(made), at(made.body, 'metadata.name')]).toEqual(['201', 'put']);
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'put', resourceVersion: '1' },
      spec: {},
    };
    expect(said(await api.put(api.path('leases', 'put'), lease))).toBe('201');
  });

  test('what is being deleted already exists, and that it is going is said', async () => {
    await api.post(maps, configMap('going', {}, { finalizers: ['test.dev/hold'] }));
    await api.delete(`${maps}/going`);
    expect(said(await api.post(maps, configMap('going')))).toBe(
      '409 AlreadyExists: object is being deleted: configmaps "going" already exists',
    );
    await api.mergePatch(`${maps}/going`, { metadata: { finalizers: null } });
  });

  test('a pod of an account that is not there is refused', async () => {
    expect(said(await api.post(api.path('pods'), pod('lost', { serviceAccountName: 'nobody' })))).toBe(
      `403 Forbidden: pods "lost" is forbidden: error looking up service account ${api.namespace}/nobody: serviceaccount "nobody" not found`,
    );
  });

  test('a NetworkPolicy with a prefix longer than an address is refused', async () => {
    const answer = await api.post(api.path('networkpolicies'), {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'long' },
      spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/33' } }] }] },
    });
    expect(causes(answer)).toEqual([
      'spec.ingress[0].from[0].ipBlock.cidr | FieldValueInvalid | Invalid value: "10.0.0.0/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ]);
  });
});

describe('deleting', () => {
  test('with a body asks the query nothing', async () => {
    await api.post(maps, configMap('asked'));
    await api.delete(`${maps}/asked`, { propagationPolicy: 'Background' }, { dryRun: 'All' });
    expect((await api.get(`${maps}/asked`)).status).toBe(404);
  });

  test('Services, accounts and pods are answered as they were, a pod as one that is going', async () => {
    await api.post(api.path('services'), service('last'));
    await api.post(api.path('serviceaccounts'), {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'last' },
    });
    await api.post(api.path('pods'), pod('last'));
    const answers = [
      await api.delete(api.path('services', 'last')),
      await api.delete(api.path('serviceaccounts', 'last')),
      await api.delete(api.path('pods', 'last')),
    ];
    expect(answers.map(({ body }) => body.kind)).toEqual(['Service', 'ServiceAccount', 'Pod']);
    expect(answers[2]?.body.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, generation: 2 });
  });
});

describe('patches', () => {
  test('null among the values of a map is the empty value', async () => {
    await api.post(api.path('secrets'), {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'null' },
      data: { a: 'YQ==' },
    });
    const patch = [{ op: 'add', path: '/data/b', value: null }];
    const { body } = await api.jsonPatch(api.path('secrets', 'null'), patch);
    expect(body.data).toEqual({ a: 'YQ==', b: '' });
  });

  test('a test for null holds where nothing is', async () => {
    await api.post(maps, configMap('tested', { a: 'b' }));
    expect(said(await api.jsonPatch(`${maps}/tested`, [{ op: 'test', path: '/data/c', value: null }]))).toBe(
      '200',
    );
  });

  test('a status that is refused is named without the word in front', async () => {
    await api.post(things, thing('state'));
    const answer = await api.mergePatch(`${things}/state/status`, { status: { phase: 3 } });
    expect(causes(answer)).toEqual([
      'status.phase | FieldValueTypeInvalid | Invalid value: "integer": phase in body must be of type string: "integer"',
    ]);
  });

  test('conditions of a pod have times, if only null', async () => {
    await api.post(api.path('pods'), pod('timed'));
    const status = { conditions: [{ type: 'Ready', status: 'False' }] };
    const { body } = await api.strategicPatch(api.path('pods', 'timed', 'status'), { status });
    expect(at(body, 'status.conditions.0')).toEqual({
      type: 'Ready',
      status: 'False',
      lastProbeTime: null,
      lastTransitionTime: null,
    });
  });

  test('a pod keeps its deadline and its tolerations', async () => {
    const tolerations = [{ key: 'a', operator: 'Exists' }];
    await api.post(api.path('pods'), pod('kept', { activeDeadlineSeconds: 5, tolerations }));
    const longer = await api.mergePatch(api.path('pods', 'kept'), { spec: { activeDeadlineSeconds: 6 } });
    expect(causes(longer)).toEqual([
      'spec.activeDeadlineSeconds | FieldValueInvalid | Invalid value: 6: must be less than or equal to previous value',
    ]);
    const fewer = await api.mergePatch(api.path('pods', 'kept'), { spec: { tolerations: [] } });
    expect(causes(fewer)).toEqual([
      'spec.tolerations | FieldValueForbidden | Forbidden: existing toleration can not be modified except its tolerationSeconds',
    ]);
  });
});

describe('the scale', () => {
  const scale = (name: string, replicas: number) => ({
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name },
    spec: { replicas },
  });

  test('of a custom object is taken by PUT without a resourceVersion, and refused in two sets of words', async () => {
    await api.post(things, thing('scaled', { size: 1 }));
    expect(said(await api.put(`${things}/scaled/scale`, scale('scaled', 2)))).toBe('200');
    expect(causes(await api.put(`${things}/scaled/scale`, scale('scaled', -1))).sort()).toEqual([
      '.spec.size | FieldValueInvalid | Invalid value: -1: should be a non-negative integer',
      'spec.size | FieldValueInvalid | Invalid value: -1: spec.size in body should be greater than or equal to 0',
    ]);
  });

  test('0 replicas belong to nobody, and who scales from there is not seen', async () => {
    const path = api.path('deployments', 'none');
    const body = deployment('none', { replicas: 1, paused: true }, { containers: [container('main')] });
    await api.post(api.path('deployments'), body, { fieldManager: 'maker' });
    const scalers = async () =>
      Object.entries(owners((await api.get(path)).body))
        .filter(([, fields]) => fields.includes('.spec.replicas'))
        .map(([who]) => who);
    await api.mergePatch(`${path}/scale`, { spec: { replicas: 2 } }, { fieldManager: 'one' });
    expect(await scalers()).toEqual(['one Update/scale']);
    await api.mergePatch(`${path}/scale`, { spec: { replicas: 0 } }, { fieldManager: 'two' });
    await api.mergePatch(`${path}/scale`, { spec: { replicas: 1 } }, { fieldManager: 'three' });
    expect(await scalers()).toEqual([]);
  });
});
