import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Answer } from './support/client.ts';
import { openCluster } from './support/cluster.ts';
import { configMap, deployment, pod } from './support/objects.ts';
import { names, said } from './support/words.ts';

const api = await openCluster();
const maps = api.path('configmaps');
const tableAccept =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

interface Table {
  kind: string;
  apiVersion: string;
  metadata: { resourceVersion?: string };
  columnDefinitions: { name: string; type: string; format: string; priority: number; description: string }[];
  rows: { cells: unknown[]; object: { kind: string; metadata: { name: string } } }[];
}
const table = async (path: string, query = {}) => {
  const answer = await api.send('GET', path, { accept: tableAccept, query });
  return answer.body as unknown as Table;
};

beforeAll(async () => {
  const labels: Record<string, Record<string, string>> = {
    one: { list: 'yes', app: 'a', tier: 'web' },
    two: { list: 'yes', app: 'b', tier: 'db' },
    three: { list: 'yes', app: 'b' },
    four: { list: 'yes', app: 'c', version: '2' },
  };
  for (const [name, set] of Object.entries(labels))
    await api.post(maps, configMap(name, {}, { labels: set }));
});

describe('a list', () => {
  test('names its kind, carries a resourceVersion, and its items carry neither kind nor apiVersion', async () => {
    const { body } = await api.get(maps, { labelSelector: 'list=yes' });
    expect(body).toMatchObject({
      kind: 'ConfigMapList',
      apiVersion: 'v1',
      metadata: { resourceVersion: expect.stringMatching(/^[0-9]+$/) },
    });
    expect(body.items).toHaveLength(4);
    expect(body.items[0]).not.toHaveProperty('kind');
  });

  test('is ordered by name', async () => {
    const { body } = await api.get(maps, { labelSelector: 'list=yes' });
    expect(body.items.map((item) => item.metadata.name)).toEqual(['four', 'one', 'three', 'two']);
  });

  test('of nothing has an empty array', async () => {
    const { body } = await api.get(maps, { labelSelector: 'list=never' });
    expect(body.items).toEqual([]);
  });

  test('over all namespaces finds objects of each', async () => {
    const { body } = await api.get('/api/v1/configmaps', { labelSelector: 'list=yes,app=a' });
    expect(body.items.map((item) => item.metadata.namespace)).toContain(api.namespace);
  });

  test('in a namespace that does not exist is empty', async () => {
    const { status, body } = await api.get('/api/v1/namespaces/no-such-place/configmaps');
    expect([status, body.items]).toEqual([200, []]);
  });

  test.each([
    ['0', {}],
    ['0', { resourceVersionMatch: 'NotOlderThan' }],
  ])('at resourceVersion=%s %j may come from a cache', async (resourceVersion, more) => {
    const ask = () => api.get(maps, { labelSelector: 'list=yes', resourceVersion, ...more });
    const answer = await api.eventually(ask, ({ body }) => body.items.length === 4);
    expect(answer.status).toBe(200);
  });

  test('at an exact resourceVersion shows the past', async () => {
    const before = await api.get(maps, { labelSelector: 'past=yes' });
    await api.post(maps, configMap('later', {}, { labels: { past: 'yes' } }));
    const answer = await api.get(maps, {
      labelSelector: 'past=yes',
      resourceVersion: before.body.metadata.resourceVersion ?? '',
      resourceVersionMatch: 'Exact',
    });
    expect(answer.body.items).toEqual([]);
    expect(answer.body.metadata.resourceVersion).toBe(before.body.metadata.resourceVersion);
  });

  test('resourceVersionMatch without resourceVersion is refused', async () => {
    const answer = await api.get(maps, { resourceVersionMatch: 'Exact' });
    expect(said(answer)).toBe(
      '422 Invalid: ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    );
  });

  test('an unknown resourceVersionMatch is refused', async () => {
    const answer = await api.get(maps, { resourceVersion: 5, resourceVersionMatch: 'Roughly' });
    expect(said(answer)).toBe(
      '422 Invalid: ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Roughly": supported values: "Exact", "NotOlderThan", ""',
    );
  });
});

describe('selectors', () => {
  test.each([
    ['app=a', ['one']],
    ['app==b', ['three', 'two']],
    ['list=yes,app!=b', ['four', 'one']],
    ['app in (a, c)', ['four', 'one']],
    ['list,app notin (a,b)', ['four']],
    ['tier', ['one', 'two']],
    ['list,!tier', ['four', 'three']],
    ['app=b,tier=db', ['two']],
    ['version>1', ['four']],
    ['version<2', []],
    ['tier in (web),list=yes', ['one']],
  ])('labelSelector %s', async (labelSelector, wanted) => {
    const answer = await api.get(maps, { labelSelector });
    expect(names(answer)).toEqual(wanted);
  });

  test('an unreadable labelSelector is refused', async () => {
    const answer = await api.get(maps, { labelSelector: 'a=b=c' });
    expect(said(answer)).toBe(`400 BadRequest: found '=', expected: ',' or 'end of string'`);
  });

  test.each([
    ['metadata.name=one', ['one']],
    ['metadata.name==two', ['two']],
  ])('fieldSelector %s', async (fieldSelector, wanted) => {
    const answer = await api.get(maps, { fieldSelector, labelSelector: 'list=yes' });
    expect(names(answer)).toEqual(wanted);
  });

  test('fieldSelector with != and two terms', async () => {
    const answer = await api.get(maps, {
      fieldSelector: `metadata.name!=one,metadata.namespace=${api.namespace}`,
      labelSelector: 'list=yes',
    });
    expect(names(answer)).toEqual(['four', 'three', 'two']);
  });

  test('a field that cannot be selected by is refused', async () => {
    const answer = await api.get(maps, { fieldSelector: 'data.a=1' });
    expect(said(answer)).toBe(
      '400 BadRequest: "data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
    );
  });

  test('pods are selected by node, phase and service account', async () => {
    const made = await api.post(api.path('pods'), pod('selected'));
    expect(said(made)).toBe('201');
    const of = (fieldSelector: string) => api.get(api.path('pods'), { fieldSelector });
    expect(names(await of('status.phase=Pending,spec.serviceAccountName=default'))).toContain('selected');
    expect(names(await of('spec.nodeName=elsewhere'))).toEqual([]);
    expect(names(await of('status.phase!=Running'))).toContain('selected');
  });

  test('events are selected by what they are about', async () => {
    const uid = '11111111-2222-3333-4444-555555555555';
    const about = { kind: 'ConfigMap', name: 'one', namespace: api.namespace, apiVersion: 'v1', uid };
    const made = await api.post(api.path('events'), {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'one.1' },
      involvedObject: about,
      reason: 'Tested',
      message: 'said',
      type: 'Normal',
    });
    expect(said(made)).toBe('201');
    const fieldSelector = `involvedObject.name=one,involvedObject.namespace=${api.namespace},involvedObject.kind=ConfigMap,involvedObject.uid=${uid}`;
    expect(names(await api.get(api.path('events'), { fieldSelector, limit: 500 }))).toEqual(['one.1']);
    expect(names(await api.get(api.path('events'), { fieldSelector: 'reason=Other' }))).toEqual([]);
    expect(names(await api.get(api.path('events'), { fieldSelector: 'type=Normal,reason=Tested' }))).toEqual([
      'one.1',
    ]);
  });
});

describe('limit and continue', () => {
  const page = (limit: number, token?: string) =>
    api.get(maps, {
      limit,
      ...(token === undefined
        ? { labelSelector: 'page=yes' }
        : { labelSelector: 'page=yes', continue: token }),
    });
  beforeAll(async () => {
    for (const letter of 'abcde')
      await api.post(maps, configMap(`page-${letter}`, {}, { labels: { page: 'yes' } }));
  });

  test('pages give each object once, at one resourceVersion', async () => {
    const seen: string[] = [];
    const versions = new Set<string | undefined>();
    let answer: Answer = await page(2);
    for (;;) {
      seen.push(...names(answer));
      versions.add(answer.body.metadata.resourceVersion);
      const token = answer.body.metadata.continue ?? '';
      if (token === '') break;
      answer = await page(2, token);
    }
    expect(seen).toEqual(['page-a', 'page-b', 'page-c', 'page-d', 'page-e']);
    expect(versions.size).toBe(1);
  });

  test('an object made between two pages is not seen', async () => {
    const first = await page(2);
    await api.post(maps, configMap('page-z', {}, { labels: { page: 'yes' } }));
    const rest = await page(10, first.body.metadata.continue ?? '');
    expect(names(rest)).toEqual(['page-c', 'page-d', 'page-e']);
    await api.delete(api.path('configmaps', 'page-z'));
  });

  test('remainingItemCount is absent with a selector and there without', async () => {
    expect((await page(2)).body.metadata.remainingItemCount).toBeUndefined();
    const all = await api.get(maps);
    const answer = await api.get(maps, { limit: 1 });
    expect(answer.body.metadata.remainingItemCount).toBe(all.body.items.length - 1);
  });

  test('a limit larger than the list has no continue', async () => {
    expect((await page(100)).body.metadata.continue).toBeUndefined();
  });

  test('a continue token that is none is refused', async () => {
    const answer = await page(2, 'nonsense');
    expect(said(answer)).toMatch(/^400 BadRequest: invalid continue token: continue key is not valid: /);
  });

  test('continue together with resourceVersion is refused', async () => {
    const first = await page(2);
    const answer = await api.get(maps, {
      limit: 2,
      continue: first.body.metadata.continue ?? '',
      resourceVersion: first.body.metadata.resourceVersion ?? '',
    });
    expect(said(answer)).toMatch(
      /^400 BadRequest: specifying resource version is not allowed when using continue/,
    );
  });
});

describe('tables', () => {
  test('of ConfigMaps have the columns that kubectl shows', async () => {
    const answer = await table(maps, { labelSelector: 'list=yes' });
    expect([answer.kind, answer.apiVersion]).toEqual(['Table', 'meta.k8s.io/v1']);
    expect(
      answer.columnDefinitions.map(({ name, type, format, priority }) => [name, type, format, priority]),
    ).toEqual([
      ['Name', 'string', 'name', 0],
      ['Data', 'string', '', 0],
      ['Age', 'string', '', 0],
    ]);
    expect(answer.rows.map((row) => row.cells[0])).toEqual(['four', 'one', 'three', 'two']);
    expect(answer.rows[0]?.cells[1]).toBe(0);
    expect(answer.rows[0]?.cells[2]).toMatch(/^\d+[smh]/);
  });

  test('rows carry the metadata of their object', async () => {
    const [row] = (await table(api.path('configmaps', 'one'))).rows;
    expect(row?.object).toMatchObject({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'one', labels: { app: 'a' } },
    });
  });

  test('includeObject=Object carries the whole object, None carries nothing', async () => {
    const whole = (await table(api.path('configmaps', 'one'), { includeObject: 'Object' })).rows[0];
    expect(whole?.object.kind).toBe('ConfigMap');
    const none = (await table(api.path('configmaps', 'one'), { includeObject: 'None' })).rows[0];
    expect(none?.object ?? null).toBeNull();
  });

  const columns = async (path: string) =>
    (await table(path)).columnDefinitions.map((one) => (one.priority === 0 ? one.name : `${one.name}*`));

  test('columns of Pods', async () => {
    expect(await columns(api.path('pods'))).toEqual([
      'Name',
      'Ready',
      'Status',
      'Restarts',
      'Age',
      'IP*',
      'Node*',
      'Nominated Node*',
      'Readiness Gates*',
    ]);
  });

  test('columns of Deployments', async () => {
    expect(await columns(api.path('deployments'))).toEqual([
      'Name',
      'Ready',
      'Up-to-date',
      'Available',
      'Age',
      'Containers*',
      'Images*',
      'Selector*',
    ]);
  });

  test.each([
    ['services', ['Name', 'Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', 'Selector*']],
    ['replicasets', ['Name', 'Desired', 'Current', 'Ready', 'Age', 'Containers*', 'Images*', 'Selector*']],
    ['secrets', ['Name', 'Type', 'Data', 'Age']],
    ['serviceaccounts', ['Name', 'Age']],
    [
      'events',
      [
        'Last Seen',
        'Type',
        'Reason',
        'Object',
        'Subobject*',
        'Source*',
        'Message',
        'First Seen*',
        'Count*',
        'Name*',
      ],
    ],
    ['endpointslices', ['Name', 'AddressType', 'Ports', 'Endpoints', 'Age']],
    ['poddisruptionbudgets', ['Name', 'Min Available', 'Max Unavailable', 'Allowed Disruptions', 'Age']],
    ['leases', ['Name', 'Holder', 'Age']],
    ['namespaces', ['Name', 'Status', 'Age']],
    ['controllerrevisions', ['Name', 'Controller', 'Revision', 'Age']],
    ['customresourcedefinitions', ['Name', 'Created At']],
  ])('columns of %s', async (plural, wanted) => {
    expect(await columns(api.path(plural))).toEqual(wanted);
  });

  test('cells of a Deployment without pods', async () => {
    await api.post(api.path('deployments'), deployment('shown'));
    const [row] = (await table(api.path('deployments', 'shown'))).rows;
    expect(row?.cells.filter((_, index) => index !== 4)).toEqual([
      'shown',
      '0/0',
      0,
      0,
      'main',
      'example.test/none:1',
      'app=shown',
    ]);
  });

  test('cells of a pod that no node takes', async () => {
    await api.post(api.path('pods'), pod('pending'));
    const [row] = (await table(api.path('pods', 'pending'))).rows;
    expect(row?.cells.filter((_, index) => index !== 4)).toEqual([
      'pending',
      '0/1',
      'Pending',
      '0',
      '<none>',
      '<none>',
      '<none>',
      '<none>',
    ]);
  });

  test('a watch sends each object as a Table of one row', async () => {
    const watch = await api.watch(maps, { fieldSelector: 'metadata.name=one' }, tableAccept);
    const event = await watch.next();
    watch.close();
    const object = event?.object as unknown as Table;
    expect([object.kind, object.rows.length, object.rows[0]?.cells[0]]).toEqual(['Table', 1, 'one']);
    expect(object.columnDefinitions.map((one) => one.name)).toEqual(['Name', 'Data', 'Age']);
  });

  test('only metadata can be asked for', async () => {
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
    const { body } = await api.send('GET', maps, { accept, query: { labelSelector: 'app=a' } });
    expect(body).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
    expect(body.items[0]).toMatchObject({ metadata: { name: 'one' } });
    expect(body.items[0]).not.toHaveProperty('data');
  });
});
