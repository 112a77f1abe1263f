import { describe, expect, test } from '@jest/globals';
import type { AnyObject } from './object.ts';
import { Storage, type StoredEvent } from './storage.ts';

const put = (storage: Storage, name: string, data = 'a', collection = 'maps') =>
  storage.put(collection, `ns/${name}`, (resourceVersion) => ({
    metadata: { name, namespace: 'ns', resourceVersion },
    data,
  }));
const remove = (storage: Storage, name: string) =>
  storage.remove('maps', `ns/${name}`, (resourceVersion) => ({ metadata: { name, resourceVersion } }));
const names = (entries: [string, AnyObject][]) => entries.map(([, object]) => object.metadata.name);

describe('storage', () => {
  test('one revision counts for all collections, and objects are frozen', () => {
    const storage = new Storage();
    const start = storage.revision;
    const first = put(storage, 'a');
    put(storage, 'a', 'b', 'others');
    expect(storage.revision).toBe(start + 2);
    expect(first.metadata.resourceVersion).toBe(String(start + 1));
    expect(Object.isFrozen(first.metadata)).toBe(true);
  });

  test('lists in key order, by namespace, and as it was at an earlier revision', () => {
    const storage = new Storage();
    put(storage, 'b');
    put(storage, 'a');
    const then = storage.revision;
    put(storage, 'c');
    put(storage, 'a', 'changed');
    remove(storage, 'b');
    expect(names(storage.list('maps', 'ns'))).toEqual(['a', 'c']);
    const before = storage.list('maps', 'ns', then);
    expect(names(before)).toEqual(['a', 'b']);
    expect(before[0]?.[1].data).toBe('a');
    expect(storage.list('maps', 'other')).toEqual([]);
  });

  test('tells listeners what was before', () => {
    const storage = new Storage();
    const seen: [string, unknown][] = [];
    const stop = storage.subscribe('maps', (event: StoredEvent) => {
      seen.push([event.type, event.previous?.data]);
    });
    put(storage, 'a');
    put(storage, 'a', 'b');
    put(storage, 'x', 'y', 'others');
    remove(storage, 'a');
    stop();
    put(storage, 'a');
    expect(seen).toEqual([
      ['ADDED', undefined],
      ['MODIFIED', 'a'],
      ['DELETED', 'b'],
    ]);
  });

  test('forgets old events and says so', () => {
    const storage = new Storage({ historyLimit: 10 });
    const start = storage.revision;
    for (let index = 0; index < 1500; index++) put(storage, 'a', String(index));
    expect(storage.eventsAfter('maps', start)).toBeUndefined();
    expect(storage.eventsAfter('maps', storage.revision - 5)).toHaveLength(5);
    storage.compact();
    expect(storage.eventsAfter('maps', storage.revision - 1)).toBeUndefined();
    expect(storage.eventsAfter('maps', storage.revision)).toEqual([]);
  });
});
