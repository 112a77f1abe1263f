import { describe, expect, test } from '@jest/globals';
import type { Body } from './support/client.ts';
import { openCluster } from './support/cluster.ts';
import { said } from './support/words.ts';

const api = await openCluster();

interface Resource {
  name: string;
  singularName: string;
  namespaced: boolean;
  kind: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  group?: string;
  version?: string;
}

const resourcesOf = (body: Body) => body.resources as Resource[];
const find = (body: Body, name: string) => resourcesOf(body).find((one) => one.name === name);
const aggregated =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';

const widgets = `widgets-${api.unique('x')}.test`;
await api.install({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `widgets.${widgets}` },
  spec: {
    group: widgets,
    scope: 'Namespaced',
    names: {
      plural: 'widgets',
      singular: 'widget',
      kind: 'Widget',
      listKind: 'WidgetList',
      shortNames: ['wd'],
      categories: ['gadgets'],
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description: 'A widget of the tests.',
            properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
          },
        },
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' },
        },
      },
    ],
  },
} as never);

describe('version and health', () => {
  test('/version names a git version that starts with v1.', async () => {
    const { status, body } = await api.get('/version');
    expect(status).toBe(200);
    expect(body).toMatchObject({ major: '1', gitVersion: expect.stringMatching(/^v1\.\d+\.\d+/) });
  });

  test.each(['/readyz', '/livez', '/healthz'])('%s says ok in plain text', async (path) => {
    const answer = await api.get(path);
    expect([answer.status, answer.text]).toEqual([200, 'ok']);
  });

  test('an unknown path is 404 in plain text', async () => {
    const answer = await api.get('/nothing/here');
    expect(answer.status).toBe(404);
    expect(answer.text).toContain('404');
  });
});

describe('plain discovery', () => {
  test('/api names version v1', async () => {
    expect((await api.get('/api')).body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
  });

  test('/apis names every group with its versions and the preferred one', async () => {
    const { body } = await api.get('/apis');
    expect(body.kind).toBe('APIGroupList');
    const groups = body.groups as { name: string; preferredVersion: unknown; versions: unknown[] }[];
    expect(groups.find((group) => group.name === 'apps')).toMatchObject({
      versions: [{ groupVersion: 'apps/v1', version: 'v1' }],
      preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
    });
    expect(groups.map((group) => group.name)).toEqual(
      expect.arrayContaining([
        'apps',
        'apiextensions.k8s.io',
        'discovery.k8s.io',
        'policy',
        'networking.k8s.io',
        'coordination.k8s.io',
        widgets,
      ]),
    );
  });

  test('/apis/apps names one group', async () => {
    expect((await api.get('/apis/apps')).body).toMatchObject({ kind: 'APIGroup', name: 'apps' });
  });

  test('/api/v1 lists resources with verbs, short names and categories', async () => {
    const { body } = await api.get('/api/v1');
    expect(body).toMatchObject({ kind: 'APIResourceList', groupVersion: 'v1' });
    expect(find(body, 'pods')).toMatchObject({
      singularName: 'pod',
      namespaced: true,
      kind: 'Pod',
      shortNames: ['po'],
      categories: ['all'],
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    });
    expect(find(body, 'configmaps')).toMatchObject({ shortNames: ['cm'], singularName: 'configmap' });
    expect(find(body, 'namespaces')).toMatchObject({ namespaced: false, shortNames: ['ns'] });
  });

  test('subresources stand beside their resources', async () => {
    const core = (await api.get('/api/v1')).body;
    expect(find(core, 'pods/log')).toMatchObject({ kind: 'Pod', verbs: ['get'] });
    expect(find(core, 'pods/status')).toMatchObject({ verbs: ['get', 'patch', 'update'] });
    const apps = (await api.get('/apis/apps/v1')).body;
    expect(find(apps, 'deployments/scale')).toMatchObject({
      kind: 'Scale',
      group: 'autoscaling',
      version: 'v1',
      verbs: ['get', 'patch', 'update'],
    });
  });

  test('a CRD appears with its names, status and scale', async () => {
    const { body } = await api.get(`/apis/${widgets}/v1`);
    expect(find(body, 'widgets')).toMatchObject({
      kind: 'Widget',
      singularName: 'widget',
      shortNames: ['wd'],
      categories: ['gadgets'],
      namespaced: true,
    });
    expect([...(find(body, 'widgets')?.verbs ?? [])].sort()).toEqual([
      'create',
      'delete',
      'deletecollection',
      'get',
      'list',
      'patch',
      'update',
      'watch',
    ]);
    expect(find(body, 'widgets/status')).toMatchObject({ kind: 'Widget', verbs: ['get', 'patch', 'update'] });
    expect(find(body, 'widgets/scale')).toMatchObject({ kind: 'Scale', group: 'autoscaling', version: 'v1' });
  });
});

describe('aggregated discovery', () => {
  test('/apis answers every group at once, with the content type that says so', async () => {
    const answer = await api.send('GET', '/apis', { accept: aggregated });
    expect(answer.headers['content-type']).toContain('as=APIGroupDiscoveryList');
    expect(answer.body.kind).toBe('APIGroupDiscoveryList');
    const apps = answer.body.items.find((item) => item.metadata.name === 'apps');
    const [version] = (apps?.versions ?? []) as { version: string; resources: Record<string, unknown>[] }[];
    expect(version?.version).toBe('v1');
    expect(version?.resources.find((one) => one.resource === 'deployments')).toMatchObject({
      responseKind: { group: '', kind: 'Deployment' },
      scope: 'Namespaced',
      singularResource: 'deployment',
      shortNames: ['deploy'],
      categories: ['all'],
      subresources: expect.arrayContaining([
        expect.objectContaining({ subresource: 'scale' }),
        expect.objectContaining({ subresource: 'status' }),
      ]),
    });
  });

  test('/api answers the core group', async () => {
    const answer = await api.send('GET', '/api', { accept: aggregated });
    expect(answer.body.kind).toBe('APIGroupDiscoveryList');
    expect(answer.body.items).toHaveLength(1);
  });

  test('a CRD appears there too', async () => {
    const ask = () => api.send('GET', '/apis', { accept: aggregated });
    const answer = await api.eventually(ask, ({ body }) =>
      body.items.some((item) => item.metadata.name === widgets),
    );
    const group = answer.body.items.find((item) => item.metadata.name === widgets);
    expect(group).toMatchObject({
      versions: [{ version: 'v1', resources: [{ resource: 'widgets', responseKind: { kind: 'Widget' } }] }],
    });
  });
});

describe('OpenAPI v3', () => {
  interface Document {
    paths: Record<string, Record<string, { parameters?: { name: string }[] }>>;
    components: { schemas: Record<string, Record<string, unknown>> };
  }
  const documentOf = async (groupVersionPath: string) => {
    const index = await api.eventually(
      () => api.get('/openapi/v3'),
      ({ body }) => groupVersionPath in (body.paths as object),
    );
    const paths = index.body.paths as Record<string, { serverRelativeURL: string }>;
    const answer = await api.get(paths[groupVersionPath]?.serverRelativeURL ?? '');
    expect(answer.status).toBe(200);
    return answer.body as unknown as Document;
  };
  const kindOf = (schema: Record<string, unknown>) =>
    (schema['x-kubernetes-group-version-kind'] as { kind: string }[] | undefined)?.map((one) => one.kind) ??
    [];

  test('the index gives each group version an address with a hash', async () => {
    const { body } = await api.get('/openapi/v3');
    expect(body.paths).toMatchObject({
      'api/v1': { serverRelativeURL: expect.stringMatching(/^\/openapi\/v3\/api\/v1\?hash=/) },
      'apis/apps/v1': { serverRelativeURL: expect.stringMatching(/^\/openapi\/v3\/apis\/apps\/v1\?hash=/) },
    });
  });

  test('PATCH of a built-in kind has the fieldValidation parameter, which kubectl apply looks for', async () => {
    const document = await documentOf('apis/apps/v1');
    const operation = document.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.patch;
    expect(operation?.parameters?.map((one) => one.name)).toEqual(
      expect.arrayContaining(['dryRun', 'fieldManager', 'fieldValidation', 'force']),
    );
    expect(operation).toMatchObject({
      'x-kubernetes-group-version-kind': { group: 'apps', kind: 'Deployment', version: 'v1' },
    });
  });

  test('schemas of built-in kinds carry their group, version and kind', async () => {
    const { components } = await documentOf('api/v1');
    expect(Object.values(components.schemas).some((schema) => kindOf(schema).includes('ConfigMap'))).toBe(
      true,
    );
  });

  test('a CRD has a document of its own with descriptions for kubectl explain', async () => {
    const document = await documentOf(`apis/${widgets}/v1`);
    const schema = Object.values(document.components.schemas).find((one) => kindOf(one).includes('Widget'));
    expect(schema).toMatchObject({
      description: 'A widget of the tests.',
      properties: { spec: { properties: { size: { type: 'integer' } } } },
    });
    const operation = document.paths[`/apis/${widgets}/v1/namespaces/{namespace}/widgets/{name}`]?.patch;
    expect(operation?.parameters?.map((one) => one.name)).toContain('fieldValidation');
  });
});

describe('what is not there', () => {
  test.each([
    [
      'a resource that no group has',
      '/api/v1/nothings',
      '404 NotFound: the server could not find the requested resource',
    ],
    ['a group that is not served', '/apis/none.test/v1/things', '404 page not found'],
  ])('%s', async (_, path, words) => {
    const answer = await api.get(path);
    expect(answer.status).toBe(404);
    expect(answer.body.kind === 'Status' ? said(answer) : answer.text.trim()).toBe(words);
  });

  test('an object that is not there is a Status with details', async () => {
    const answer = await api.get(api.path('configmaps', 'absent'));
    expect(answer.body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'configmaps "absent" not found',
      reason: 'NotFound',
      details: { name: 'absent', kind: 'configmaps' },
      code: 404,
    });
  });

  test('for a kind of a group, the text and the details name the group', async () => {
    const answer = await api.get(api.path('deployments', 'absent'));
    expect(said(answer)).toBe('404 NotFound: deployments.apps "absent" not found');
    expect(answer.body.details).toEqual({ name: 'absent', group: 'apps', kind: 'deployments' });
  });

  test('a verb that a collection does not have is 405', async () => {
    const answer = await api.put(api.path('configmaps'), {});
    expect(said(answer)).toBe(
      '405 MethodNotAllowed: the server does not allow this method on the requested resource',
    );
  });

  test('a wrong token is 401', async () => {
    const answer = await api.send('GET', '/api/v1/namespaces', { token: 'wrong' });
    expect(said(answer)).toBe('401 Unauthorized: Unauthorized');
  });
});
