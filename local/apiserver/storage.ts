/** The server's memory: one map per collection, one revision counter for all, and the last events for watches. */
import type { AnyObject } from './object.ts';
import { freezeJson } from './object.ts';

export interface StoredEvent {
  readonly revision: number;
  readonly collection: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly key: string;
  readonly object: AnyObject;
  /** The object before the change; undefined when it is new. */
  readonly previous: AnyObject | undefined;
}

/** Not 1: what lies before is history that nobody knows, as on a server that has lived. */
const firstRevision = 100;

type Listener = (event: StoredEvent) => void;

export class Storage {
  readonly #collections = new Map<string, Map<string, AnyObject>>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #all = new Set<Listener>();
  readonly #historyLimit: number;
  #history: StoredEvent[] = [];
  #revision: number;
  #forgotten: number;

  constructor(options: { historyLimit?: number; firstRevision?: number } = {}) {
    this.#historyLimit = options.historyLimit ?? 10_000;
    this.#revision = options.firstRevision ?? firstRevision;
    this.#forgotten = this.#revision;
  }

  /** Revision of the latest change anywhere. */
  get revision(): number {
    return this.#revision;
  }

  /** Changes up to this revision are no longer known one by one. */
  get forgottenRevision(): number {
    return this.#forgotten;
  }

  get(collection: string, key: string): AnyObject | undefined {
    return this.#collections.get(collection)?.get(key);
  }

  /** Objects of a collection in key order, now or as they were at an earlier revision that history still covers. */
  list(collection: string, namespace?: string, atRevision?: number): [key: string, object: AnyObject][] {
    let objects = this.#collections.get(collection) ?? new Map<string, AnyObject>();
    if (atRevision !== undefined && atRevision < this.#revision)
      objects = this.#rollBack(collection, objects, atRevision);
    const prefix = namespace === undefined ? '' : `${namespace}/`;
    const found: [string, AnyObject][] = [];
    for (const entry of objects) if (entry[0].startsWith(prefix)) found.push(entry);
    return found.sort((a, b) => (a[0] < b[0] ? -1 : 1));
  }

  count(collection: string): number {
    return this.#collections.get(collection)?.size ?? 0;
  }

  #rollBack(collection: string, now: Map<string, AnyObject>, revision: number): Map<string, AnyObject> {
    const then = new Map(now);
    for (let index = this.#history.length - 1; index >= 0; index--) {
      const event = this.#history[index];
      if (event === undefined || event.revision <= revision) break;
      if (event.collection !== collection) continue;
      if (event.previous === undefined) then.delete(event.key);
      else then.set(event.key, event.previous);
    }
    return then;
  }

  /** Stores what `build` makes for the new revision; the object is frozen. */
  put(collection: string, key: string, build: (resourceVersion: string) => AnyObject): AnyObject {
    const revision = this.#revision + 1;
    const object = freezeJson(build(String(revision)));
    this.#revision = revision;
    let objects = this.#collections.get(collection);
    if (objects === undefined) {
      objects = new Map();
      this.#collections.set(collection, objects);
    }
    const previous = objects.get(key);
    objects.set(key, object);
    this.#tell({
      revision,
      collection,
      type: previous === undefined ? 'ADDED' : 'MODIFIED',
      key,
      object,
      previous,
    });
    return object;
  }

  /** Removes an object; the DELETED event carries `last` made for the new revision. */
  remove(
    collection: string,
    key: string,
    last: (resourceVersion: string) => AnyObject,
  ): AnyObject | undefined {
    const objects = this.#collections.get(collection);
    const previous = objects?.get(key);
    if (objects === undefined || previous === undefined) return undefined;
    const revision = this.#revision + 1;
    const object = freezeJson(last(String(revision)));
    this.#revision = revision;
    objects.delete(key);
    this.#tell({ revision, collection, type: 'DELETED', key, object, previous });
    return object;
  }

  /** Events of a collection after a revision, oldest first; undefined when some were forgotten. */
  eventsAfter(collection: string, revision: number): StoredEvent[] | undefined {
    if (revision < this.#forgotten) return undefined;
    return this.#history.filter((event) => event.revision > revision && event.collection === collection);
  }

  /** Calls the listener at each change of a collection, or of all of them, while the change is made. */
  subscribe(collection: string | undefined, listener: Listener): () => void {
    if (collection === undefined) {
      this.#all.add(listener);
      return () => this.#all.delete(listener);
    }
    let listeners = this.#listeners.get(collection);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(collection, listeners);
    }
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Forgets the history, as etcd's compaction does: older watches get 410. */
  compact(): void {
    this.#history = [];
    this.#forgotten = this.#revision;
  }

  #tell(event: StoredEvent): void {
    this.#history.push(event);
    // Cut in blocks: shifting a long array at each write would cost more than the write.
    if (this.#history.length >= this.#historyLimit + 1000) {
      const cut = this.#history.splice(0, this.#history.length - this.#historyLimit);
      this.#forgotten = cut.at(-1)?.revision ?? this.#forgotten;
    }
    for (const listener of [...(this.#listeners.get(event.collection) ?? [])]) listener(event);
    for (const listener of [...this.#all]) listener(event);
  }
}
