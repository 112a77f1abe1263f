import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject } from './objects.ts';
import { byLabel, byOwnerUid, keyOf, Store } from './store.ts';

const object = (name: string, version: number, label?: string, uid = `uid-${name}`): KubeObject => ({
  metadata: {
    name,
    namespace: 'ns',
    uid,
    resourceVersion: String(version),
    ...(label === undefined ? {} : { labels: { app: label } }),
  },
});

describe('the store', () => {
  test('freezes what it holds, to the last leaf', () => {
    const store = new Store();
    store.put(object('a', 1, 'x'));
    const kept = store.get('ns/a');
    expect(() => {
      if (kept?.metadata.labels !== undefined) kept.metadata.labels.app = 'y';
    }).toThrow(TypeError);
  });

  test('tells what a list changed: added, updated, gone, and nothing for what stood still', () => {
    const store = new Store();
    store.replaceAll([object('a', 1), object('b', 2), object('c', 3)], '3');
    const changes = store.replaceAll([object('a', 1), object('b', 5), object('d', 6)], '6');
    expect(changes.map(({ type, key }) => `${type} ${key}`)).toEqual([
      'updated ns/b',
      'added ns/d',
      'deleted ns/c',
    ]);
    expect(store.resourceVersion).toBe('6');
  });

  test('tells the end of an object that was made anew under its name between two lists', () => {
    const store = new Store();
    store.replaceAll([object('a', 1, undefined, 'first')], '1');
    const changes = store.replaceAll([object('a', 9, undefined, 'second')], '9');
    expect(changes.map(({ type, object: { metadata } }) => `${type} ${metadata.uid}`)).toEqual([
      'deleted first',
      'added second',
    ]);
  });

  test('finds by owner and by label, and says when an index is unknown', () => {
    const store = new Store({ owner: byOwnerUid, app: byLabel('app') });
    const child = object('pod', 1, 'wine');
    child.metadata.ownerReferences = [
      { apiVersion: 'v1', kind: 'X', name: 'x', uid: 'not-in-charge' },
      { apiVersion: 'v1', kind: 'X', name: 'y', uid: 'boss', controller: true },
    ];
    store.put(child);
    expect(store.byIndex('owner', 'boss').map(keyOf)).toEqual(['ns/pod']);
    expect(store.byIndex('owner', 'not-in-charge')).toEqual([]);
    expect(store.byIndex('app', 'ns/wine').map(keyOf)).toEqual(['ns/pod']);
    expect(() => store.byIndex('colour', 'red')).toThrow('no index "colour"');
  });

  test('objects that are alike share what is equal', () => {
    const store = new Store();
    const make = (name: string) => ({
      metadata: { name, namespace: 'ns', labels: { of: name }, resourceVersion: '1' },
      spec: { selector: { app: 'all' }, ports: [{ port: 80 }] },
    });
    const [a, b] = ['a', 'b'].map((name) => store.put(make(name))?.object);
    expect(b).toEqual(make('b'));
    expect((b as ReturnType<typeof make>).spec).toBe((a as ReturnType<typeof make>).spec);
  });

  test('property: after any sequence of puts, removes and lists the index agrees with the objects', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const label = fc.option(fc.constantFrom('x', 'y'), { nil: undefined });
    const step = fc.oneof(
      fc.record({ op: fc.constant('put' as const), name, label }),
      fc.record({ op: fc.constant('remove' as const), name }),
      fc.record({ op: fc.constant('list' as const), names: fc.uniqueArray(name), label }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const store = new Store({ app: byLabel('app') });
        const model = new Map<string, string | undefined>();
        let version = 0;
        for (const next of steps) {
          version += 1;
          if (next.op === 'put') {
            store.put(object(next.name, version, next.label));
            model.set(next.name, next.label);
          } else if (next.op === 'remove') {
            store.remove(`ns/${next.name}`);
            model.delete(next.name);
          } else {
            store.replaceAll(
              next.names.map((each) => object(each, version, next.label)),
              String(version),
            );
            model.clear();
            for (const each of next.names) model.set(each, next.label);
          }
          for (const value of ['x', 'y']) {
            const wanted = [...model].filter(([, has]) => has === value).map(([each]) => `ns/${each}`);
            expect(store.byIndex('app', `ns/${value}`).map(keyOf).sort()).toEqual(wanted.sort());
          }
          expect(store.list().map(keyOf).sort()).toEqual(
            [...model.keys()].map((each) => `ns/${each}`).sort(),
          );
        }
      }),
    );
  });
});
