/** Garbage collection by owner references: background, foreground and orphan, as the real collector does them. */
import type { OwnerReference } from '../../kube/objects.ts';
import { deleteObject } from './delete.ts';
import type { Kind } from './kind.ts';
import { LaterQueue } from './later.ts';
import { type AnyObject, cloneJson } from './object.ts';
import type { Registry } from './registry.ts';
import type { StoredEvent } from './storage.ts';
import { updateObject } from './update.ts';

interface Entry {
  readonly collection: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

const newObjectDelayMs = 100;
const writer = { fieldManager: 'kube-controller-manager' };
const entryId = (collection: string, key: string) => `${collection} ${key}`;
const has = (object: AnyObject, finalizer: string) =>
  object.metadata.finalizers?.includes(finalizer) === true;
const isDeleting = (object: AnyObject) => object.metadata.deletionTimestamp !== undefined;

class GarbageCollector {
  readonly #registry: Registry;
  readonly #entries = new Map<string, Entry & { owners: string[] }>();
  readonly #dependents = new Map<string, Set<string>>();
  readonly #queue = new LaterQueue('garbage collector', (id) => this.#process(id));

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  stop(): void {
    this.#queue.stop();
  }

  onEvent(event: StoredEvent): void {
    const id = entryId(event.collection, event.key);
    const { metadata } = event.object;
    const gone = event.type === 'DELETED';
    this.#index(id, event, gone ? [] : (metadata.ownerReferences ?? []).map(({ uid }) => uid), gone);
    if (gone) {
      for (const dependent of this.#dependents.get(metadata.uid ?? '') ?? []) this.#queue.add(dependent);
      // Owners in foreground deletion wait for this one.
      for (const owner of metadata.ownerReferences ?? []) this.#enqueueOwner(owner, metadata.namespace);
    } else if (isDeleting(event.object)) this.#queue.add(id);
    // The real collector hears of a new object some moments later: its writer can still mend a wrong owner.
    else if (metadata.ownerReferences !== undefined)
      setTimeout(() => this.#queue.add(id), newObjectDelayMs).unref();
  }

  #index(id: string, event: StoredEvent, owners: string[], gone: boolean): void {
    const before = this.#entries.get(id);
    if (before === undefined && owners.length === 0) return;
    for (const uid of before?.owners ?? []) {
      if (owners.includes(uid)) continue;
      const set = this.#dependents.get(uid);
      set?.delete(id);
      if (set?.size === 0) this.#dependents.delete(uid);
    }
    for (const uid of owners) {
      const set = this.#dependents.get(uid) ?? new Set();
      set.add(id);
      this.#dependents.set(uid, set);
    }
    if (gone || owners.length === 0) this.#entries.delete(id);
    else {
      const { namespace, name = '' } = event.object.metadata;
      this.#entries.set(id, { collection: event.collection, namespace, name, owners });
    }
  }

  #enqueueOwner(owner: OwnerReference, namespace: string | undefined): void {
    const kind = this.#registry.core.catalog.findKind(owner.apiVersion, owner.kind);
    if (kind === undefined) return;
    this.#queue.add(entryId(kind.collection, kind.namespaced ? `${namespace}/${owner.name}` : owner.name));
  }

  #process(id: string): void {
    const { core } = this.#registry;
    const space = id.indexOf(' ');
    const collection = id.slice(0, space);
    const object = core.storage.get(collection, id.slice(space + 1));
    const kind = core.catalog.collections().find((candidate) => candidate.collection === collection);
    if (object === undefined || kind === undefined) return;
    if (isDeleting(object)) {
      if (has(object, 'orphan')) this.#orphan(kind, object);
      else if (has(object, 'foregroundDeletion')) this.#foreground(kind, object);
      else return;
    }
    this.#collect(kind, object);
  }

  #dependentsOf(object: AnyObject): { id: string; kind: Kind; object: AnyObject }[] {
    const { core } = this.#registry;
    const kinds = core.catalog.collections();
    return [...(this.#dependents.get(object.metadata.uid ?? '') ?? [])].flatMap((id) => {
      const space = id.indexOf(' ');
      const kind = kinds.find((candidate) => candidate.collection === id.slice(0, space));
      const found = core.storage.get(id.slice(0, space), id.slice(space + 1));
      return found === undefined || kind === undefined ? [] : [{ id, kind, object: found }];
    });
  }

  #edit(kind: Kind, object: AnyObject, change: (draft: AnyObject) => void): void {
    const { namespace, name = '' } = object.metadata;
    const make = (old: AnyObject) => {
      const draft = cloneJson(old);
      change(draft);
      return draft;
    };
    updateObject(this.#registry.core, kind, namespace, name, make, writer);
  }

  #orphan(kind: Kind, owner: AnyObject): void {
    for (const dependent of this.#dependentsOf(owner))
      this.#edit(dependent.kind, dependent.object, (draft) => {
        draft.metadata.ownerReferences = (draft.metadata.ownerReferences ?? []).filter(
          ({ uid }) => uid !== owner.metadata.uid,
        );
      });
    this.#edit(kind, owner, (draft) => {
      draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((f) => f !== 'orphan');
    });
  }

  #foreground(kind: Kind, owner: AnyObject): void {
    const dependents = this.#dependentsOf(owner);
    const blocking = dependents.filter(({ object }) =>
      object.metadata.ownerReferences?.some(
        (reference) => reference.uid === owner.metadata.uid && reference.blockOwnerDeletion === true,
      ),
    );
    for (const { id, object } of dependents) if (!isDeleting(object)) this.#queue.add(id);
    if (blocking.length > 0) return;
    this.#edit(kind, owner, (draft) => {
      draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((f) => f !== 'foregroundDeletion');
    });
  }

  /** Deletes an object whose owners are all gone; owners in foreground deletion count as going. */
  #collect(kind: Kind, object: AnyObject): void {
    const owners = object.metadata.ownerReferences ?? [];
    const { namespace, name = '', uid } = object.metadata;
    if (owners.length === 0 || isDeleting(object)) return;
    const states = owners.map((owner) => this.#ownerState(owner, namespace));
    const solid = owners.filter((_, index) => states[index] === 'solid');
    if (solid.length === owners.length) return;
    if (solid.length > 0) {
      this.#edit(kind, object, (draft) => {
        draft.metadata.ownerReferences = cloneJson(solid);
      });
      return;
    }
    const waits = states.includes('waiting') && this.#dependentsOf(object).length > 0;
    const policy =
      waits || has(object, 'foregroundDeletion')
        ? 'Foreground'
        : has(object, 'orphan')
          ? 'Orphan'
          : 'Background';
    deleteObject(this.#registry.core, kind, namespace, name, {
      propagationPolicy: policy,
      ...(uid === undefined ? {} : { uid }),
    });
  }

  #ownerState(owner: OwnerReference, namespace: string | undefined): 'solid' | 'waiting' | 'gone' {
    const { catalog, storage } = this.#registry.core;
    const kind = catalog.findKind(owner.apiVersion, owner.kind);
    // An owner of a kind that is not served cannot be looked up, so it cannot be declared gone.
    if (kind === undefined) return 'solid';
    const found = storage.get(kind.collection, kind.namespaced ? `${namespace}/${owner.name}` : owner.name);
    if (found === undefined || found.metadata.uid !== owner.uid) return 'gone';
    return isDeleting(found) && has(found, 'foregroundDeletion') ? 'waiting' : 'solid';
  }
}

/** Starts garbage collection; the returned function stops it. */
export function collectGarbage(registry: Registry): () => void {
  const collector = new GarbageCollector(registry);
  const unsubscribe = registry.core.storage.subscribe(undefined, (event) => collector.onEvent(event));
  return () => {
    collector.stop();
    unsubscribe();
  };
}
