/** One kind over several namespaces: a reflector for each, read as one store, so that one that fails stops no other. */
import type { KubeObject } from './objects.ts';
import type { ChangeHandler, Reflector } from './reflector.ts';
import type { ObjectKey, ResourceType } from './resource.ts';
import type { StoreReader } from './store.ts';

/** Where a reflector looks: the namespace, or `undefined` for all of them. */
export type Scope = string | undefined;

export class ReflectorGroup<T extends KubeObject = KubeObject> {
  readonly type: ResourceType;
  readonly store: StoreReader<T>;
  readonly reflectors: readonly Reflector<T>[];

  constructor(reflectors: readonly Reflector<T>[]) {
    const [first] = reflectors;
    if (first === undefined) throw new RangeError('a group needs a reflector');
    this.type = first.type;
    this.reflectors = reflectors;
    this.store = reflectors.length === 1 ? first.store : new JoinedStore(reflectors);
  }

  /** Calls the handler for every change in any namespace. Returns the way out. */
  onChange(handler: ChangeHandler<T>): () => void {
    const ways = this.reflectors.map((reflector) => reflector.onChange(handler));
    return () => {
      for (const out of ways) out();
    };
  }

  /** Resolves when the first list of one namespace is in the store; rejects when all were stopped before. */
  async whenSynced(): Promise<void> {
    await Promise.any(this.reflectors.map((reflector) => reflector.whenSynced()));
  }
}

/** Stores of different namespaces, side by side. */
class JoinedStore<T extends KubeObject> implements StoreReader<T> {
  readonly #byNamespace: ReadonlyMap<Scope, StoreReader<T>>;

  constructor(reflectors: readonly Reflector<T>[]) {
    this.#byNamespace = new Map(reflectors.map(({ namespace, store }) => [namespace, store]));
  }

  get(key: ObjectKey): T | undefined {
    return this.#byNamespace.get(key.slice(0, key.indexOf('/')))?.get(key);
  }

  list(): T[] {
    return this.#all((store) => store.list());
  }

  keys(): ObjectKey[] {
    return this.#all((store) => store.keys());
  }

  byIndex(index: string, value: string): T[] {
    return this.#all((store) => store.byIndex(index, value));
  }

  get size(): number {
    let size = 0;
    for (const store of this.#byNamespace.values()) size += store.size;
    return size;
  }

  /** Each namespace is at a version of its own: ask its reflector's store. */
  get resourceVersion(): string | undefined {
    return undefined;
  }

  #all<R>(read: (store: StoreReader<T>) => readonly R[]): R[] {
    return [...this.#byNamespace.values()].flatMap(read);
  }
}
