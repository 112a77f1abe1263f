/** Several namespaces read as one store, each with a fate of its own. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { HeldClock } from './clock.ts';
import type { KubeObject } from './objects.ts';
import { Reflector } from './reflector.ts';
import { ReflectorGroup } from './reflector-group.ts';
import { resources } from './resource.ts';
import { byLabel } from './store.ts';
import { failure } from './testing/fake-api.ts';
import { event, ScriptedApi, thing } from './testing/scripted-api.ts';

const running: Reflector[] = [];
afterEach(async () => {
  for (const reflector of running.splice(0)) await reflector.stop();
});

const pod = (namespace: string, name: string, version: number): KubeObject =>
  thing(name, version, { namespace, labels: { model: 'wine' } });

const clock = new HeldClock();
const reflectorOf = (namespace: string, api: ScriptedApi): Reflector => {
  const reflector = new Reflector({
    api,
    type: resources.pods,
    namespace,
    clock,
    random: () => 0.5,
    indexers: { model: byLabel('model') },
  });
  running.push(reflector);
  return reflector;
};
const apiWith = (...items: KubeObject[]) => {
  const api = new ScriptedApi();
  api.listAnswers = [{ metadata: { resourceVersion: '10' }, items }];
  return api;
};

describe('a group of reflectors', () => {
  test('reads as one store, and tells the changes of each namespace', async () => {
    const a = apiWith(pod('a', 'one', 1), pod('a', 'two', 2));
    const b = apiWith(pod('b', 'one', 3));
    b.watchScripts = [[event('ADDED', pod('b', 'three', 12)), 'open']];
    const group = new ReflectorGroup([reflectorOf('a', a), reflectorOf('b', b)]);
    const told: string[] = [];
    group.onChange(({ type, key }) => told.push(`${type} ${key}`));
    for (const reflector of group.reflectors) reflector.start();
    await clock.run(0);
    await group.whenSynced();
    expect(told.sort()).toEqual(['added a/one', 'added a/two', 'added b/one', 'added b/three']);
    expect(group.store.keys().sort()).toEqual(['a/one', 'a/two', 'b/one', 'b/three']);
    expect(group.store.size).toBe(4);
    expect(group.store.get('b/one')?.metadata.resourceVersion).toBe('3');
    expect(group.store.get('c/one')).toBeUndefined();
    expect(group.store.byIndex('model', 'a/wine').map(({ metadata }) => metadata.name)).toEqual([
      'one',
      'two',
    ]);
    expect([a.lists[0]?.namespace, b.watches[0]?.namespace]).toEqual(['a', 'b']);
  });

  test('a namespace that is refused stops no other, says why, and comes in when it may', async () => {
    const b = apiWith(pod('b', 'one', 3));
    b.listAnswers.unshift(failure(403, 'Forbidden'), failure(403, 'Forbidden'));
    const group = new ReflectorGroup([reflectorOf('a', apiWith()), reflectorOf('b', b)]);
    const [first, second] = group.reflectors;
    for (const reflector of group.reflectors) reflector.start();
    await group.whenSynced();
    await clock.run(0);
    expect([first?.synced, second?.synced]).toEqual([true, false]);
    expect([first?.fault, second?.fault]).toMatchObject([undefined, { code: 403 }]);
    await clock.run(10_000);
    expect([second?.synced, second?.fault]).toEqual([true, undefined]);
    expect(group.store.size).toBe(1);
  });

  test('a refused watch is a fault until a watch says something', async () => {
    const api = apiWith();
    api.watchScripts = [[failure(403, 'Forbidden')], ['open']];
    const reflector = reflectorOf('a', api);
    reflector.start();
    await clock.run(0);
    expect(reflector.fault).toMatchObject({ code: 403 });
    api.watchScripts = [[event('BOOKMARK', thing('', 11)), 'open']];
    await clock.run(10_000);
    expect(reflector.fault).toBeUndefined();
  });
});
