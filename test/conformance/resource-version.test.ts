import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { configMap, deployment, thingDefinition } from './support/objects.ts';
import { at, said } from './support/words.ts';

const api = await openCluster();
const maps = api.path('configmaps');
const one = (name: string) => api.path('configmaps', name);
const things = await api.install(
  thingDefinition(
    `${api.unique('generation')}.test`,
    { type: 'object', properties: { size: { type: 'integer' } } },
    { version: { subresources: { status: {} } } },
  ) as never,
);
const group = things.split('/')[2];
const thing = (name: string, spec: object, more: object = {}) => ({
  apiVersion: `${group}/v1`,
  kind: 'Thing',
  metadata: { name },
  spec,
  ...more,
});

describe('metadata that the server sets', () => {
  test('create answers 201 with uid, resourceVersion and creationTimestamp', async () => {
    const { status, body } = await api.post(maps, configMap('made', { a: '1' }));
    expect(status).toBe(201);
    expect(body.metadata).toMatchObject({
      name: 'made',
      namespace: api.namespace,
      uid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
      resourceVersion: expect.stringMatching(/^[0-9]+$/),
      creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    expect(body).not.toHaveProperty('metadata.generation');
  });

  test('uid, creationTimestamp and resourceVersion of the request do not count on create', async () => {
    const { status, body } = await api.post(
      maps,
      configMap('own-meta', {}, { uid: 'mine', creationTimestamp: '2001-01-01T00:00:00Z' }),
    );
    expect(status).toBe(201);
    expect(body.metadata.uid).not.toBe('mine');
    expect(body.metadata.creationTimestamp).not.toBe('2001-01-01T00:00:00Z');
  });

  test('a resourceVersion on create is refused', async () => {
    const answer = await api.post(maps, configMap('with-version', {}, { resourceVersion: '5' }));
    expect(said(answer)).toBe('500 (no reason): resourceVersion should not be set on objects to be created');
  });

  test('a second object of the same name is AlreadyExists', async () => {
    await api.post(maps, configMap('twice'));
    const answer = await api.post(maps, configMap('twice'));
    expect(said(answer)).toBe('409 AlreadyExists: configmaps "twice" already exists');
    expect(answer.body.details).toEqual({ name: 'twice', kind: 'configmaps' });
  });

  test('generateName adds five characters', async () => {
    const { status, body } = await api.post(maps, {
      ...configMap(''),
      metadata: { generateName: 'made-up-' },
    });
    expect(status).toBe(201);
    expect(body.metadata.name).toMatch(/^made-up-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(body.metadata.generateName).toBe('made-up-');
  });

  test('no name at all is refused', async () => {
    const answer = await api.post(maps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} });
    expect(said(answer)).toBe(
      '422 Invalid: ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    );
  });

  test('uid cannot be changed', async () => {
    const made = await api.post(maps, configMap('same-uid'));
    const answer = await api.put(one('same-uid'), {
      ...made.body,
      metadata: { ...made.body.metadata, uid: '00000000-0000-0000-0000-000000000000' },
    });
    expect(said(answer)).toMatch(
      /^409 Conflict: Operation cannot be fulfilled on configmaps "same-uid": StorageError: invalid object, Code: 4, .*Precondition failed: UID in precondition: 00000000-0000-0000-0000-000000000000, UID in object meta: /,
    );
  });

  test('a name in the body that differs from the path is refused', async () => {
    await api.post(maps, configMap('in-path'));
    const answer = await api.put(one('in-path'), configMap('in-body'));
    expect(said(answer)).toBe(
      '400 BadRequest: the name of the object (in-body) does not match the name on the URL (in-path)',
    );
  });

  test('a namespace in the body that differs from the path is refused', async () => {
    const answer = await api.post(maps, configMap('elsewhere', {}, { namespace: 'default' }));
    expect(said(answer)).toBe(
      '400 BadRequest: the namespace of the provided object does not match the namespace sent on the request',
    );
  });

  test('a kind that differs from the path is refused', async () => {
    const answer = await api.post(maps, { ...configMap('wrong-kind'), kind: 'Secret' });
    expect(said(answer)).toMatch(/^400 BadRequest: /);
  });
});

describe('resourceVersion', () => {
  test('rises with each real change', async () => {
    const made = await api.post(maps, configMap('rising', { a: '1' }));
    const changed = await api.mergePatch(one('rising'), { data: { a: '2' } });
    expect(Number(changed.body.metadata.resourceVersion)).toBeGreaterThan(
      Number(made.body.metadata.resourceVersion),
    );
  });

  test.each([
    ['PUT of the same object', (body: object) => api.put(one('calm'), body)],
    ['an empty merge patch', () => api.mergePatch(one('calm'), {})],
    ['a merge patch that says what is so', () => api.mergePatch(one('calm'), { data: { a: '1' } })],
    [
      'a JSON patch that only tests',
      () => api.jsonPatch(one('calm'), [{ op: 'test', path: '/data/a', value: '1' }]),
    ],
    ['a strategic patch that says what is so', () => api.strategicPatch(one('calm'), { data: { a: '1' } })],
  ])('does not move on %s', async (_, change) => {
    await api.post(maps, configMap('calm', { a: '1' }));
    const before = await api.get(one('calm'));
    const after = await change(before.body);
    expect(after.status).toBe(200);
    expect(after.body.metadata.resourceVersion).toBe(before.body.metadata.resourceVersion);
  });

  test('a PUT with a stale one is a Conflict', async () => {
    const made = await api.post(maps, configMap('stale', { a: '1' }));
    await api.mergePatch(one('stale'), { data: { a: '2' } });
    const answer = await api.put(one('stale'), { ...made.body, data: { a: '3' } });
    expect(said(answer)).toBe(
      '409 Conflict: Operation cannot be fulfilled on configmaps "stale": the object has been modified; please apply your changes to the latest version and try again',
    );
    expect(answer.body.details).toEqual({ name: 'stale', kind: 'configmaps' });
  });

  test('a merge patch with a stale one is a Conflict', async () => {
    const made = await api.post(maps, configMap('stale-patch', { a: '1' }));
    await api.mergePatch(one('stale-patch'), { data: { a: '2' } });
    const answer = await api.mergePatch(one('stale-patch'), {
      metadata: { resourceVersion: made.body.metadata.resourceVersion },
      data: { a: '3' },
    });
    expect(said(answer)).toMatch(
      /^409 Conflict: Operation cannot be fulfilled on configmaps "stale-patch": /,
    );
  });

  test('a PUT without one replaces a built-in object', async () => {
    await api.post(maps, configMap('blind', { a: '1' }));
    const answer = await api.put(one('blind'), configMap('blind', { b: '2' }));
    expect([answer.status, answer.body.data]).toEqual([200, { b: '2' }]);
  });

  test('a PUT without one is refused for a custom object', async () => {
    await api.post(things, thing('blind', { size: 1 }));
    const answer = await api.put(`${things}/blind`, thing('blind', { size: 2 }));
    expect(said(answer)).toBe(
      `422 Invalid: things.${group} "blind" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update`,
    );
  });

  test('a PUT to an absent custom object is NotFound', async () => {
    const answer = await api.put(`${things}/absent`, thing('absent', { size: 2 }));
    expect(said(answer)).toBe(`404 NotFound: things.${group} "absent" not found`);
  });

  test('a bad one is refused', async () => {
    await api.post(maps, configMap('bad-version'));
    const answer = await api.put(
      one('bad-version'),
      configMap('bad-version', {}, { resourceVersion: 'abc' }),
    );
    expect(said(answer)).toBe('500 (no reason): strconv.ParseUint: parsing "abc": invalid syntax');
  });
});

describe('generation', () => {
  test('of a Deployment starts at 1 and rises with the spec alone', async () => {
    const path = api.path('deployments', 'generations');
    const made = await api.post(api.path('deployments'), deployment('generations'));
    expect(made.body.metadata.generation).toBe(1);
    const labelled = await api.mergePatch(path, { metadata: { labels: { a: 'b' } } });
    expect(labelled.body.metadata.generation).toBe(1);
    const changed = await api.mergePatch(path, { spec: { minReadySeconds: 3 } });
    expect(changed.body.metadata.generation).toBe(2);
    const scaled = await api.mergePatch(`${path}/scale`, { spec: { replicas: 1 } });
    expect(scaled.status).toBe(200);
    expect((await api.get(path)).body.metadata.generation).toBe(3);
  });

  test('of a custom object rises with everything but metadata and status', async () => {
    const made = await api.post(things, thing('counted', { size: 1 }));
    expect(made.body.metadata.generation).toBe(1);
    const path = `${things}/counted`;
    const noted = await api.mergePatch(path, { metadata: { annotations: { a: 'b' } } });
    expect(noted.body.metadata.generation).toBe(1);
    const told = await api.mergePatch(`${path}/status`, { status: { ready: true } });
    expect([told.status, told.body.metadata.generation]).toEqual([200, 1]);
    const grown = await api.mergePatch(path, { spec: { size: 2 } });
    expect(grown.body.metadata.generation).toBe(2);
  });
});

describe('the status subresource', () => {
  test('a create drops status', async () => {
    const { body } = await api.post(things, thing('dropped', { size: 1 }, { status: { ready: true } }));
    expect(body).not.toHaveProperty('status');
  });

  test('a write to the object leaves status alone', async () => {
    await api.post(things, thing('apart', { size: 1 }));
    await api.mergePatch(`${things}/apart/status`, { status: { ready: true } });
    const answer = await api.mergePatch(`${things}/apart`, { spec: { size: 2 }, status: { ready: false } });
    expect([at(answer.body, 'spec.size'), at(answer.body, 'status.ready')]).toEqual([2, true]);
  });

  test('a write to status leaves spec, labels and annotations alone', async () => {
    await api.post(things, thing('isolated', { size: 1 }));
    const answer = await api.mergePatch(`${things}/isolated/status`, {
      metadata: { labels: { a: 'b' }, annotations: { c: 'd' } },
      spec: { size: 9 },
      status: { ready: true },
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ spec: { size: 1 }, status: { ready: true } });
    expect(answer.body.metadata.labels).toBeUndefined();
    expect(answer.body.metadata.annotations).toBeUndefined();
  });

  test('a PUT to status takes the whole status and nothing else', async () => {
    await api.post(things, thing('put-status', { size: 1 }));
    const told = await api.mergePatch(`${things}/put-status/status`, { status: { a: 1, b: 2 } });
    const answer = await api.put(`${things}/put-status/status`, {
      ...told.body,
      spec: { size: 5 },
      status: { a: 3 },
    });
    expect(answer.body).toMatchObject({ spec: { size: 1 } });
    expect(answer.body.status).toEqual({ a: 3 });
  });

  test('GET of status answers the whole object', async () => {
    await api.post(things, thing('whole', { size: 1 }));
    const answer = await api.get(`${things}/whole/status`);
    expect(answer.body).toMatchObject({ kind: 'Thing', spec: { size: 1 } });
  });

  test('a no-op write to status writes nothing', async () => {
    await api.post(things, thing('still', { size: 1 }));
    const told = await api.mergePatch(`${things}/still/status`, { status: { a: 1 } });
    const again = await api.mergePatch(`${things}/still/status`, { status: { a: 1 } });
    expect(again.body.metadata.resourceVersion).toBe(told.body.metadata.resourceVersion);
  });

  test('a stale PUT to status is a Conflict', async () => {
    const made = await api.post(things, thing('stale-status', { size: 1 }));
    await api.mergePatch(`${things}/stale-status`, { spec: { size: 2 } });
    const answer = await api.put(`${things}/stale-status/status`, { ...made.body, status: { a: 1 } });
    expect(answer.status).toBe(409);
  });

  test('a status write to a kind whose CRD has none is NotFound', async () => {
    const answer = await api.mergePatch(`${one('made')}/status`, { status: {} });
    expect(answer.status).toBe(404);
  });
});
