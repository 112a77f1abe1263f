/** The local copy of one kind's objects: frozen, indexed, with the resourceVersion up to which it is true. */
import type { KubeObject } from './objects.ts';
import type { ObjectKey } from './resource.ts';
import { settle } from './settle.ts';

/** Values under which an object is found, per index. An object may have none or several. */
export type Indexers<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

export interface StoreChange<T> {
  readonly type: 'added' | 'updated' | 'deleted';
  readonly key: ObjectKey;
  /** The object as it is now; the last known one when it is gone. */
  readonly object: T;
  readonly previous?: T | undefined;
  /** Told by a list and not by a watch event: at start, or after events were missed. */
  readonly fromList: boolean;
}

/** What readers may do with a store. Objects are frozen: whoever wants to change one makes a copy. */
export interface StoreReader<T extends KubeObject> {
  get(key: ObjectKey): T | undefined;
  list(): T[];
  keys(): ObjectKey[];
  /** Objects whose index of that name holds the value; an unknown index throws. */
  byIndex(index: string, value: string): T[];
  readonly size: number;
  /** The store holds everything up to this version; undefined until the first list. */
  readonly resourceVersion: string | undefined;
}

/** `namespace/name`, or `name` for what has no namespace. */
export function keyOf(object: KubeObject): ObjectKey {
  const { namespace, name = '' } = object.metadata;
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/** Index over the uid of the owner that controls the object. */
export const byOwnerUid = (object: KubeObject): readonly string[] => {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller);
  return owner === undefined ? [] : [owner.uid];
};

/** Index over the value of a label, as `namespace/value`. */
export const byLabel =
  (label: string) =>
  (object: KubeObject): readonly string[] => {
    const value = object.metadata.labels?.[label];
    return value === undefined ? [] : [`${object.metadata.namespace ?? ''}/${value}`];
  };

export class Store<T extends KubeObject> implements StoreReader<T> {
  readonly #indexers: Indexers<T>;
  readonly #objects = new Map<ObjectKey, T>();
  readonly #indexes = new Map<string, Map<string, Set<ObjectKey>>>();
  #resourceVersion: string | undefined;
  /** What was taken in last: the objects of a fleet are much alike, and a new one shares the parts that are equal. */
  #latest: T | undefined;

  constructor(indexers: Indexers<T> = {}) {
    this.#indexers = indexers;
    for (const name of Object.keys(indexers)) this.#indexes.set(name, new Map());
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(key);
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  keys(): ObjectKey[] {
    return [...this.#objects.keys()];
  }

  byIndex(index: string, value: string): T[] {
    const values = this.#indexes.get(index);
    if (values === undefined) throw new RangeError(`the store has no index "${index}"`);
    const found: T[] = [];
    for (const key of values.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  get size(): number {
    return this.#objects.size;
  }

  get resourceVersion(): string | undefined {
    return this.#resourceVersion;
  }

  /** Takes in one object; undefined when the store already has that very version. */
  put(object: T, fromList = false): StoreChange<T> | undefined {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    if (previous !== undefined && sameVersion(previous, object)) return undefined;
    const kept = settle(object, previous ?? this.#latest);
    this.#latest = kept;
    if (previous !== undefined) this.#unindex(key, previous);
    this.#objects.set(key, kept);
    this.#index(key, kept);
    return { type: previous === undefined ? 'added' : 'updated', key, object: kept, previous, fromList };
  }

  /** Forgets one object; undefined when it is not there. `last` is its final state where the server told it. */
  remove(key: ObjectKey, last?: T, fromList = false): StoreChange<T> | undefined {
    const previous = this.#objects.get(key);
    if (previous === undefined) return undefined;
    this.#objects.delete(key);
    this.#unindex(key, previous);
    return {
      type: 'deleted',
      key,
      object: last === undefined ? previous : settle(last, previous),
      previous,
      fromList,
    };
  }

  /** Becomes what a complete list says; what is missing from it was deleted meanwhile and is reported so. */
  replaceAll(objects: readonly T[], resourceVersion: string): StoreChange<T>[] {
    const changes: StoreChange<T>[] = [];
    const seen = new Set<ObjectKey>();
    for (const object of objects) {
      const key = keyOf(object);
      seen.add(key);
      const previous = this.#objects.get(key);
      // Deleted and made anew while nobody watched: readers that keep state per uid must hear of the end.
      if (previous !== undefined && previous.metadata.uid !== object.metadata.uid) {
        const gone = this.remove(key, undefined, true);
        if (gone !== undefined) changes.push(gone);
      }
      const change = this.put(object, true);
      if (change !== undefined) changes.push(change);
    }
    for (const key of this.keys()) {
      if (seen.has(key)) continue;
      const gone = this.remove(key, undefined, true);
      if (gone !== undefined) changes.push(gone);
    }
    this.#resourceVersion = resourceVersion;
    return changes;
  }

  /** Notes that everything up to this version has been taken in. */
  advance(resourceVersion: string): void {
    this.#resourceVersion = resourceVersion;
  }

  #index(key: ObjectKey, object: T): void {
    for (const [name, values] of this.#indexes) {
      for (const value of this.#indexers[name]?.(object) ?? []) {
        let keys = values.get(value);
        if (keys === undefined) {
          keys = new Set();
          values.set(value, keys);
        }
        keys.add(key);
      }
    }
  }

  #unindex(key: ObjectKey, object: T): void {
    for (const [name, values] of this.#indexes) {
      for (const value of this.#indexers[name]?.(object) ?? []) {
        const keys = values.get(value);
        keys?.delete(key);
        if (keys?.size === 0) values.delete(value);
      }
    }
  }
}

const sameVersion = (a: KubeObject, b: KubeObject) =>
  a.metadata.resourceVersion !== undefined &&
  a.metadata.resourceVersion === b.metadata.resourceVersion &&
  a.metadata.uid === b.metadata.uid;
