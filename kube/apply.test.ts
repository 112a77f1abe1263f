import { describe, expect, test } from '@jest/globals';
import { Applier, hashOf } from './apply.ts';
import { covers } from './covers.ts';
import type { ConfigMap, KubeObject } from './objects.ts';
import { resources } from './resource.ts';
import { FakeApi } from './testing/fake-api.ts';

const wanted = (value: string): ConfigMap => ({
  metadata: { namespace: 'ns', name: 'a', labels: { app: 'x' } },
  data: { key: value },
});

function setUp() {
  const api = new FakeApi();
  const applier = () => new Applier({ api, fieldManager: 'test', hashAnnotation: 'test/hash' });
  const live = () => api.objects.get('ConfigMap ns/a') as ConfigMap | undefined;
  return { api, applier, live };
}

describe('the applier', () => {
  test('creates, then skips, also in a new process', async () => {
    const { api, applier, live } = setUp();
    const first = applier();
    expect((await first.apply(resources.configMaps, wanted('1'), undefined)).outcome).toBe('created');
    expect((await first.apply(resources.configMaps, wanted('1'), live())).outcome).toBe('skipped');
    expect((await applier().apply(resources.configMaps, wanted('1'), live())).outcome).toBe('skipped');
    expect(api.count('apply')).toBe(1);
  });

  test('sends a change, and says so', async () => {
    const { applier, live } = setUp();
    await applier().apply(resources.configMaps, wanted('1'), undefined);
    expect((await applier().apply(resources.configMaps, wanted('2'), live())).outcome).toBe('changed');
    expect(live()?.data).toEqual({ key: '2' });
  });

  test('tells a hand edit of our field from foreign fields, which it leaves alone', async () => {
    const { api, applier, live } = setUp();
    const it = applier();
    await it.apply(resources.configMaps, wanted('1'), undefined);
    const before = live() as ConfigMap;
    api.seed(resources.configMaps, { ...before, data: { key: '1', theirs: 'x' } });
    expect((await it.apply(resources.configMaps, wanted('1'), live())).outcome).toBe('skipped');
    api.seed(resources.configMaps, { ...before, data: { key: 'edited' } });
    expect((await it.apply(resources.configMaps, wanted('1'), live())).outcome).toBe('corrected');
  });

  test('does not bring back what was deleted behind the store', async () => {
    const { api, applier, live } = setUp();
    await applier().apply(resources.configMaps, wanted('1'), undefined);
    const stale = live();
    await api.delete(resources.configMaps, { namespace: 'ns', name: 'a' });
    await expect(applier().apply(resources.configMaps, wanted('2'), stale)).rejects.toMatchObject({
      code: 409,
    });
    expect(live()).toBeUndefined();
  });

  test('does not fight a webhook that changes the object in passing, and reports it', async () => {
    const { api, applier, live } = setUp();
    const apply = api.apply.bind(api);
    api.apply = async <T extends KubeObject>(type: (typeof resources)['configMaps'], object: KubeObject) =>
      apply<T>(type, { ...object, data: { key: 'mutated' } } as ConfigMap);
    const it = applier();
    expect((await it.apply(resources.configMaps, wanted('1'), undefined)).mutated).toBe(true);
    expect((await it.apply(resources.configMaps, wanted('1'), live())).outcome).toBe('skipped');
  });

  test('hashes independent of the order of fields, but not of values', () => {
    expect(hashOf({ a: 1, b: [1, { c: 2, d: undefined }] })).toBe(hashOf({ b: [1, { c: 2 }], a: 1 }));
    expect(hashOf({ a: [1, 2] })).not.toBe(hashOf({ a: [2, 1] }));
  });
});

const cases: Record<string, { live: unknown; wanted: unknown; want: boolean }> = {
  'more fields in live': { live: { a: 1, b: 2 }, wanted: { a: 1 }, want: true },
  'another value': { live: { a: 1 }, wanted: { a: 2 }, want: false },
  'a missing field': { live: {}, wanted: { a: 1 }, want: false },
  'an empty map that the server left out': { live: {}, wanted: { a: {} }, want: true },
  'undefined is not wanted': { live: {}, wanted: { a: undefined }, want: true },
  'items by name, in another order, with a foreign item': {
    live: [{ name: 'side' }, { name: 'b', image: 'y', tty: false }, { name: 'a', image: 'x' }],
    wanted: [
      { name: 'a', image: 'x' },
      { name: 'b', image: 'y' },
    ],
    want: true,
  },
  'an item that differs': {
    live: [{ name: 'a', image: 'z' }],
    wanted: [{ name: 'a', image: 'x' }],
    want: false,
  },
  'plain lists compare whole': { live: ['a', 'b'], wanted: ['a'], want: false },
  'type confusion': { live: { a: ['x'] }, wanted: { a: { x: 1 } }, want: false },
};
test.each(Object.entries(cases))('covers: %s', (_name, { live, wanted: asked, want }) => {
  expect(covers(live, asked)).toBe(want);
});
