/** One view of the cluster for all controllers and the kubelet: follows watches and takes in their own writes at once. */
import type { KubeObject, WatchEvent } from '../../kube/objects.ts';
import type { ObjectKey, ResourceType } from '../../kube/resource.ts';
import type { AccessRef, ClusterAccess, Removal, WriteScope } from './access.ts';
import { keyOf } from './access.ts';

export interface Change<T extends KubeObject = KubeObject> {
  readonly key: ObjectKey;
  readonly object: T;
  readonly previous: T | undefined;
  readonly deleted: boolean;
}

type Listener = (change: Change) => void;

interface Collection {
  readonly objects: Map<ObjectKey, KubeObject>;
  readonly byOwner: Map<string, Set<ObjectKey>>;
  readonly byNamespace: Map<string, Set<ObjectKey>>;
  /** Revision at which a key was last seen deleted: an older event must not bring it back. */
  readonly deletedAt: Map<ObjectKey, number>;
  readonly listeners: Set<Listener>;
}

const idOf = (type: ResourceType) => `${type.group}/${type.plural}`;
const revisionOf = (object: KubeObject) => Number(object.metadata.resourceVersion ?? 0);

function addTo(index: Map<string, Set<ObjectKey>>, name: string, key: ObjectKey): void {
  const keys = index.get(name);
  if (keys === undefined) index.set(name, new Set([key]));
  else keys.add(key);
}

function removeFrom(index: Map<string, Set<ObjectKey>>, name: string, key: ObjectKey): void {
  const keys = index.get(name);
  keys?.delete(key);
  if (keys?.size === 0) index.delete(name);
}

/** Follows the given kinds. Objects are shared and frozen: nobody changes them in place. */
export class ClusterCache {
  readonly #access: ClusterAccess;
  readonly #collections = new Map<string, Collection>();
  readonly #stops: (() => void)[] = [];

  constructor(access: ClusterAccess, types: readonly ResourceType[]) {
    this.#access = access;
    for (const type of types)
      this.#collections.set(idOf(type), {
        objects: new Map(),
        byOwner: new Map(),
        byNamespace: new Map(),
        deletedAt: new Map(),
        listeners: new Set(),
      });
    for (const type of types) this.#stops.push(access.observe(type, (event) => this.#take(type, event)));
  }

  /** Ends all watches. */
  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  get<T extends KubeObject>(type: ResourceType, key: ObjectKey): T | undefined {
    return this.#collection(type).objects.get(key) as T | undefined;
  }

  list<T extends KubeObject>(type: ResourceType, namespace?: string): T[] {
    const { objects, byNamespace } = this.#collection(type);
    if (namespace === undefined) return [...objects.values()] as T[];
    return this.#pick<T>(objects, byNamespace.get(namespace));
  }

  /** Objects whose controlling owner has this uid. */
  ownedBy<T extends KubeObject>(type: ResourceType, uid: string): T[] {
    const { objects, byOwner } = this.#collection(type);
    return this.#pick<T>(objects, byOwner.get(uid));
  }

  /** Calls back at each change from now on, and at once for each object that is there. */
  onChange<T extends KubeObject>(type: ResourceType, listener: (change: Change<T>) => void): () => void {
    const collection = this.#collection(type);
    const own = listener as Listener;
    collection.listeners.add(own);
    for (const [key, object] of [...collection.objects])
      own({ key, object, previous: undefined, deleted: false });
    return () => collection.listeners.delete(own);
  }

  async create<T extends KubeObject>(type: ResourceType, object: T): Promise<T> {
    return this.#absorb(type, await this.#access.create(type, object));
  }

  async update<T extends KubeObject>(type: ResourceType, object: T, scope?: WriteScope): Promise<T> {
    return this.#absorb(type, await this.#access.update(type, object, scope));
  }

  async patch<T extends KubeObject>(
    type: ResourceType,
    ref: AccessRef,
    patch: unknown,
    scope?: WriteScope,
  ): Promise<T> {
    return this.#absorb(type, await this.#access.patch<T>(type, ref, patch, scope));
  }

  bind(ref: AccessRef, nodeName: string): Promise<void> {
    return this.#access.bind(ref, nodeName);
  }

  /** Deletes; whether the object goes at once or in steps, the watch tells. */
  delete(type: ResourceType, ref: AccessRef, removal?: Removal): Promise<void> {
    return this.#access.delete(type, ref, removal);
  }

  #pick<T extends KubeObject>(objects: Map<ObjectKey, KubeObject>, keys: Set<ObjectKey> | undefined): T[] {
    const found: T[] = [];
    for (const key of keys ?? []) {
      const object = objects.get(key);
      if (object !== undefined) found.push(object as T);
    }
    return found;
  }

  #collection(type: ResourceType): Collection {
    const collection = this.#collections.get(idOf(type));
    if (collection === undefined) throw new Error(`${idOf(type)} is not followed`);
    return collection;
  }

  #absorb<T extends KubeObject>(type: ResourceType, object: T): T {
    if (this.#collections.has(idOf(type))) this.#store(type, object);
    return object;
  }

  #take(type: ResourceType, event: WatchEvent): void {
    if (event.type === 'ADDED' || event.type === 'MODIFIED') this.#store(type, event.object);
    else if (event.type === 'DELETED') this.#remove(type, event.object);
  }

  #store(type: ResourceType, object: KubeObject): void {
    const collection = this.#collection(type);
    const key = keyOf(object);
    const previous = collection.objects.get(key);
    const revision = revisionOf(object);
    if (previous !== undefined && revisionOf(previous) >= revision) return;
    if ((collection.deletedAt.get(key) ?? 0) >= revision) return;
    collection.deletedAt.delete(key);
    if (previous !== undefined) this.#unindex(collection, key, previous);
    collection.objects.set(key, object);
    this.#index(collection, key, object);
    this.#tell(collection, { key, object, previous, deleted: false });
  }

  #remove(type: ResourceType, object: KubeObject): void {
    const collection = this.#collection(type);
    const key = keyOf(object);
    const previous = collection.objects.get(key);
    collection.deletedAt.set(key, revisionOf(object));
    // Tombstones matter for moments only; a bounded memory of them is enough.
    if (collection.deletedAt.size > 10_000) {
      for (const old of collection.deletedAt.keys()) {
        collection.deletedAt.delete(old);
        if (collection.deletedAt.size <= 5_000) break;
      }
    }
    if (previous === undefined || revisionOf(previous) > revisionOf(object)) return;
    this.#unindex(collection, key, previous);
    collection.objects.delete(key);
    this.#tell(collection, { key, object, previous, deleted: true });
  }

  #index(collection: Collection, key: ObjectKey, object: KubeObject): void {
    for (const owner of object.metadata.ownerReferences ?? [])
      if (owner.controller === true) addTo(collection.byOwner, owner.uid, key);
    if (object.metadata.namespace !== undefined)
      addTo(collection.byNamespace, object.metadata.namespace, key);
  }

  #unindex(collection: Collection, key: ObjectKey, object: KubeObject): void {
    for (const owner of object.metadata.ownerReferences ?? [])
      if (owner.controller === true) removeFrom(collection.byOwner, owner.uid, key);
    if (object.metadata.namespace !== undefined)
      removeFrom(collection.byNamespace, object.metadata.namespace, key);
  }

  #tell(collection: Collection, change: Change): void {
    for (const listener of [...collection.listeners]) listener(change);
  }
}
