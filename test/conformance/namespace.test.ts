import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { configMap, container, deployment, pod } from './support/objects.ts';
import { at, said } from './support/words.ts';

const api = await openCluster();
const namespaces = '/api/v1/namespaces';
const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

describe('namespaces', () => {
  test('default and the kube- ones are there', async () => {
    for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease'])
      expect((await api.get(`${namespaces}/${name}`)).body).toMatchObject({ status: { phase: 'Active' } });
  });

  test('a new one is Active, carries its name as a label and a finalizer', async () => {
    const name = api.unique('new');
    const { status, body } = await api.post(namespaces, namespace(name));
    api.cleanUp(`${namespaces}/${name}`);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': name } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  });

  test('a new one gets a default ServiceAccount', async () => {
    const name = api.unique('accounts');
    await api.post(namespaces, namespace(name));
    api.cleanUp(`${namespaces}/${name}`);
    const { body } = await api.eventually(
      () => api.get(`${namespaces}/${name}/serviceaccounts/default`),
      ({ status }) => status === 200,
    );
    expect(body.metadata.name).toBe('default');
  });

  test('a name must be a DNS label', async () => {
    const answer = await api.post(namespaces, namespace('a.b'));
    expect(said(answer)).toBe(
      '422 Invalid: Namespace "a.b" is invalid: metadata.name: Invalid value: "a.b": must not contain dots',
    );
  });

  test('nothing can be created in one that is not there', async () => {
    const answer = await api.post(`${namespaces}/no-such-place/configmaps`, configMap('a'));
    expect(said(answer)).toBe('404 NotFound: namespaces "no-such-place" not found');
    expect(answer.body.details).toEqual({ name: 'no-such-place', kind: 'namespaces' });
  });

  test('deleting one drains it', async () => {
    const name = api.unique('drain');
    const inside = `${namespaces}/${name}`;
    await api.post(namespaces, namespace(name));
    await api.post(`${inside}/configmaps`, configMap('plain'));
    await api.post(`${inside}/configmaps`, configMap('held', {}, { finalizers: ['test.dev/hold'] }));
    const answer = await api.delete(inside);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ kind: 'Namespace', status: { phase: 'Terminating' } });
    await api.eventually(
      () => api.get(`${inside}/configmaps/plain`),
      ({ status }) => status === 404,
    );
    const held = await api.get(`${inside}/configmaps/held`);
    expect(held.body.metadata.deletionTimestamp).toEqual(expect.any(String));
    const refused = await api.post(`${inside}/configmaps`, configMap('new'));
    expect(said(refused)).toBe(
      `403 Forbidden: configmaps "new" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
    );
    expect(refused.body.details?.causes).toEqual([
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${name} is being terminated`,
        field: 'metadata.namespace',
      },
    ]);
    await api.mergePatch(`${inside}/configmaps/held`, { metadata: { finalizers: null } });
    await api.eventually(
      () => api.get(inside),
      ({ status }) => status === 404,
    );
  });

  test('the default one cannot be deleted', async () => {
    const answer = await api.delete(`${namespaces}/default`);
    expect(said(answer)).toBe(
      '403 Forbidden: namespaces "default" is forbidden: this namespace may not be deleted',
    );
  });
});

describe('quotas', () => {
  test('refuse what goes beyond, in words that say by how much', async () => {
    const name = api.unique('quota');
    const inside = `${namespaces}/${name}`;
    await api.post(namespaces, namespace(name));
    api.cleanUp(inside);
    await api.eventually(
      () => api.get(`${inside}/serviceaccounts/default`),
      ({ status }) => status === 200,
    );
    await api.post(`${inside}/resourcequotas`, {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'small' },
      spec: { hard: { pods: '1', 'requests.cpu': '500m' } },
    });
    await api.eventually(
      () => api.get(`${inside}/resourcequotas/small`),
      ({ body }) => at(body, 'status.hard.pods') === '1',
    );
    const sized = (podName: string, cpu: string) =>
      pod(podName, { containers: [container('main', 'i', { resources: { requests: { cpu } } })] });
    const first = await api.eventually(
      () => api.post(`${inside}/pods`, sized('one', '400m')),
      ({ status }) => status === 201,
    );
    expect(first.status).toBe(201);
    const second = await api.post(`${inside}/pods`, sized('two', '200m'));
    expect(said(second)).toBe(
      '403 Forbidden: pods "two" is forbidden: exceeded quota: small, requested: pods=1,requests.cpu=200m, used: pods=1,requests.cpu=400m, limited: pods=1,requests.cpu=500m',
    );
    const bare = await api.post(`${inside}/pods`, pod('three'));
    expect(said(bare)).toBe(
      '403 Forbidden: pods "three" is forbidden: failed quota: small: must specify requests.cpu for: main',
    );
  });

  test('a ReplicaSet says in a condition that its pods are refused', async () => {
    const name = api.unique('refused');
    const inside = `${namespaces}/${name}`;
    await api.post(namespaces, namespace(name));
    api.cleanUp(inside);
    await api.post(`${inside}/resourcequotas`, {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'none' },
      spec: { hard: { pods: '0' } },
    });
    await api.eventually(
      () => api.get(`${inside}/resourcequotas/none`),
      ({ body }) => at(body, 'status.hard.pods') === '0',
    );
    await api.post(`/apis/apps/v1/namespaces/${name}/deployments`, deployment('starved', { replicas: 1 }));
    const sets = `/apis/apps/v1/namespaces/${name}/replicasets`;
    const failed = (one: unknown) =>
      ((at(one, 'status.conditions') ?? []) as { type: string; reason: string; message: string }[]).find(
        (condition) => condition.type === 'ReplicaFailure',
      );
    const { body } = await api.eventually(
      () => api.get(sets),
      (answer) => answer.body.items.some((item) => failed(item) !== undefined),
    );
    expect(failed(body.items[0])).toMatchObject({
      status: 'True',
      reason: 'FailedCreate',
      message: expect.stringMatching(
        /^pods "starved-.*" is forbidden: exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0$/,
      ),
    });
  });
});
