import { describe, expect, test } from '@jest/globals';
import type { Answer } from './support/client.ts';
import { openCluster } from './support/cluster.ts';
import { configMap, container, deployment, thingDefinition } from './support/objects.ts';
import { at, causes, said } from './support/words.ts';

const api = await openCluster();
const maps = api.path('configmaps');
const things = await api.install(
  thingDefinition(`${api.unique('patch')}.test`, {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
  }) as never,
);
const group = things.split('/')[2];

/** Makes a fresh object, patches it, and gives the answer. */
const patchMap = async (data: Record<string, string>, send: (path: string) => Promise<Answer>) => {
  const name = api.unique('map');
  await api.post(maps, configMap(name, data));
  return send(`${maps}/${name}`);
};
const patchThing = async (spec: unknown, send: (path: string) => Promise<Answer>) => {
  const name = api.unique('thing');
  const made = await api.post(things, { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name }, spec });
  expect(said(made)).toBe('201');
  return send(`${things}/${name}`);
};

describe('merge patches', () => {
  test.each([
    ['sets a key', { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    ['replaces a value', { a: 1 }, { a: 2 }, { a: 2 }],
    ['removes a key with null', { a: 1, b: 2 }, { a: null }, { b: 2 }],
    ['goes into objects', { a: { b: 1, c: 2 } }, { a: { c: 3 } }, { a: { b: 1, c: 3 } }],
    ['replaces a list whole', { a: [1, 2, 3] }, { a: [4] }, { a: [4] }],
    ['replaces a list of objects whole', { a: [{ n: 1 }, { n: 2 }] }, { a: [{ n: 3 }] }, { a: [{ n: 3 }] }],
    ['replaces a scalar by an object', { a: 1 }, { a: { b: 2 } }, { a: { b: 2 } }],
    ['replaces an object by a scalar', { a: { b: 2 } }, { a: 'x' }, { a: 'x' }],
    ['drops nulls inside a new object', {}, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
    ['removes nothing where nothing is', { a: 1 }, { x: null }, { a: 1 }],
  ])('%s', async (_, before, patch, after) => {
    const answer = await patchThing(before, (path) => api.mergePatch(path, { spec: patch }));
    expect([answer.status, answer.body.spec]).toEqual([200, after]);
  });

  test('works for built-in kinds too', async () => {
    const answer = await patchMap({ a: '1', b: '2' }, (path) =>
      api.mergePatch(path, { data: { a: null, c: '3' } }),
    );
    expect(answer.body.data).toEqual({ b: '2', c: '3' });
  });

  test('replaces the containers of a Deployment whole', async () => {
    await api.post(
      api.path('deployments'),
      deployment('merge', {}, { containers: [container('a'), container('b')] }),
    );
    const answer = await api.mergePatch(api.path('deployments', 'merge'), {
      spec: { template: { spec: { containers: [container('c')] } } },
    });
    const containers = at(answer.body, 'spec.template.spec.containers') as { name: string }[];
    expect(containers.map((one) => one.name)).toEqual(['c']);
  });

  test('of something absent is NotFound', async () => {
    const answer = await api.mergePatch(`${maps}/absent`, { data: { a: '1' } });
    expect(said(answer)).toBe('404 NotFound: configmaps "absent" not found');
  });

  test('that makes the object invalid is refused as an update would be', async () => {
    const answer = await patchMap({}, (path) => api.mergePatch(path, { data: { 'a/b': '1' } }));
    expect(answer.status).toBe(422);
    expect(causes(answer)[0]).toMatch(/^data\[a\/b\] \| FieldValueInvalid/);
  });

  test('cannot rename', async () => {
    const answer = await patchMap({}, (path) => api.mergePatch(path, { metadata: { name: 'other' } }));
    expect(said(answer)).toMatch(
      /^400 BadRequest: the name of the object \(other\) does not match the name on the URL/,
    );
  });

  test('that is no object is refused', async () => {
    const answer = await patchMap({}, (path) => api.mergePatch(path, '[1]'));
    expect(answer.status).toBe(400);
  });
});

describe('JSON patches', () => {
  test.each([
    ['adds a key', { a: 1 }, [{ op: 'add', path: '/spec/b', value: 2 }], { a: 1, b: 2 }],
    ['adds to the end of a list', { a: [1] }, [{ op: 'add', path: '/spec/a/-', value: 2 }], { a: [1, 2] }],
    ['inserts into a list', { a: [1, 3] }, [{ op: 'add', path: '/spec/a/1', value: 2 }], { a: [1, 2, 3] }],
    ['replaces', { a: 1 }, [{ op: 'replace', path: '/spec/a', value: 2 }], { a: 2 }],
    ['removes', { a: 1, b: 2 }, [{ op: 'remove', path: '/spec/a' }], { b: 2 }],
    ['removes from a list', { a: [1, 2] }, [{ op: 'remove', path: '/spec/a/0' }], { a: [2] }],
    ['moves', { a: 1 }, [{ op: 'move', from: '/spec/a', path: '/spec/b' }], { b: 1 }],
    ['copies', { a: 1 }, [{ op: 'copy', from: '/spec/a', path: '/spec/b' }], { a: 1, b: 1 }],
    [
      'tests and goes on',
      { a: 1 },
      [
        { op: 'test', path: '/spec/a', value: 1 },
        { op: 'add', path: '/spec/b', value: 2 },
      ],
      { a: 1, b: 2 },
    ],
    [
      'reads ~1 and ~0',
      { 'x/y': 1, 'x~y': 1 },
      [
        { op: 'replace', path: '/spec/x~1y', value: 2 },
        { op: 'remove', path: '/spec/x~0y' },
      ],
      { 'x/y': 2 },
    ],
  ])('%s', async (_, before, patch, after) => {
    const answer = await patchThing(before, (path) => api.jsonPatch(path, patch));
    expect(said(answer)).toBe('200');
    expect(answer.body.spec).toEqual(after);
  });

  test.each([
    [
      'a test that does not hold',
      [{ op: 'test', path: '/data/a', value: '2' }],
      '422 Invalid: the server rejected our request due to an error in our request',
    ],
    [
      'removing what is not there',
      [{ op: 'remove', path: '/data/z' }],
      '422 Invalid: the server rejected our request due to an error in our request',
    ],
  ])('%s is refused', async (_, patch, words) => {
    const answer = await patchMap({ a: '1' }, (path) => api.jsonPatch(path, patch));
    expect(said(answer)).toBe(words);
  });

  test('replacing what is not there adds it', async () => {
    const patch = [{ op: 'replace', path: '/data/z', value: '1' }];
    const answer = await patchMap({ a: '1' }, (path) => api.jsonPatch(path, patch));
    expect(answer.body.data).toEqual({ a: '1', z: '1' });
  });

  test('one that is no list is refused', async () => {
    const answer = await patchMap({}, (path) => api.jsonPatch(path, { op: 'add' }));
    expect(said(answer)).toMatch(/^400 BadRequest: /);
  });
});

describe('other patch types', () => {
  test('a strategic patch of a custom kind is 415', async () => {
    const answer = await patchThing({ a: 1 }, (path) => api.strategicPatch(path, { spec: { a: 2 } }));
    expect([answer.status, answer.body.reason]).toEqual([415, 'UnsupportedMediaType']);
    expect(answer.body.message).toBe(
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    );
  });

  test('a patch without a patch type is 415', async () => {
    const answer = await patchMap({}, (path) =>
      api.send('PATCH', path, { contentType: 'application/json', body: { data: { a: '1' } } }),
    );
    expect(answer.status).toBe(415);
  });
});
