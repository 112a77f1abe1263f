/**
 * The registry: the API server without HTTP. Controllers and kubelet call it directly and meet the same rules
 * as clients on the wire. Every call is synchronous and atomic; returned objects are frozen: clone before editing
 * (`cloneJson` of object.ts). Failures are thrown as `StatusError` (`error.reason` is NotFound, Conflict, …).
 *
 *     registry.get(resources.pods, { namespace: 'default', name: 'a' })
 *     registry.list(resources.pods, { namespace, labelSelector: 'app=a' }).items
 *     const watch = registry.watch(resources.pods, {}, (event) => …)   // present objects first; watch.stop()
 *     registry.create(resources.pods, pod, { fieldManager: 'kubelet' })
 *     registry.update(resources.pods, pod, { subresource: 'status' })  // 409 on a stale resourceVersion
 *     registry.patch(resources.pods, ref, { status: {…} }, { patchType: patchTypes.merge, subresource: 'status' })
 *     registry.edit(resources.pods, ref, (draft) => { … }, { subresource: 'status' })
 *     registry.delete(resources.pods, ref, { gracePeriodSeconds: 0 })
 */

import type { ObjectRef } from '../../kube/api.ts';
import { type Clock, realClock } from '../../kube/clock.ts';
import type { KubeObject, Pod, WatchEvent } from '../../kube/objects.ts';
import type { ResourceType } from '../../kube/resource.ts';
import { Catalog } from './catalog.ts';
import { type Core, present, storedOrThrow, type WriteOptions } from './core.ts';
import { createObject } from './create.ts';
import { type DeleteOptions, type Deletion, deleteObject } from './delete.ts';
import type { Kind } from './kind.ts';
import { builtinKinds } from './kinds/builtin.ts';
import type { LogSource } from './log-source.ts';
import { type AnyObject, cloneJson } from './object.ts';
import { type PatchOptions, patchObject } from './patching.ts';
import { type ListOptions, listObjects, type Selection } from './read.ts';
import { scaleOf, withScale } from './scale.ts';
import { noSuchPath } from './status-error.ts';
import { Storage } from './storage.ts';
import { updateObject } from './update.ts';
import { type Watch, type WatchOptions, watchObjects } from './watch.ts';

export type { DeleteOptions } from './delete.ts';
export type { LogOptions, LogSource } from './log-source.ts';
export { patchTypes } from './patching.ts';
export { StatusError } from './status-error.ts';

export interface RegistryWriteOptions extends WriteOptions {
  readonly namespace?: string;
  readonly subresource?: 'status' | 'scale';
}

export interface TypedList<T> {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
  readonly items: readonly T[];
}

type Names = Pick<ResourceType, 'group' | 'version' | 'plural'>;

export class Registry {
  readonly core: Core;
  #logSource: LogSource | undefined;

  constructor(options: { clock?: Clock; historyLimit?: number } = {}) {
    const storage = new Storage(
      options.historyLimit === undefined ? {} : { historyLimit: options.historyLimit },
    );
    this.core = {
      storage,
      catalog: new Catalog(),
      clock: options.clock ?? realClock,
      addressOffset: Math.random(),
    };
    for (const kind of builtinKinds()) this.core.catalog.add(kind);
  }

  /** The kind behind a name, or a 404. */
  kind(type: Names): Kind {
    const kind = this.core.catalog.find(type.group, type.version, type.plural);
    if (kind === undefined) throw noSuchPath();
    return kind;
  }

  get<T extends KubeObject>(type: Names, ref: ObjectRef): Readonly<T> {
    const kind = this.kind(type);
    return present(kind, storedOrThrow(this.core, kind, ref.namespace, ref.name)) as unknown as T;
  }

  /** Like get, undefined instead of a 404. */
  find<T extends KubeObject>(type: Names, ref: ObjectRef): Readonly<T> | undefined {
    const kind = this.kind(type);
    const key = kind.namespaced ? `${ref.namespace ?? ''}/${ref.name}` : ref.name;
    const stored = this.core.storage.get(kind.collection, key);
    return stored === undefined ? undefined : (present(kind, stored) as unknown as T);
  }

  list<T extends KubeObject>(type: Names, options: ListOptions = {}): TypedList<Readonly<T>> {
    return listObjects(this.core, this.kind(type), options) as unknown as TypedList<T>;
  }

  /** Events arrive in order, after the write that caused them has returned. Without resourceVersion: present objects first. */
  watch<T extends KubeObject>(
    type: Names,
    options: WatchOptions,
    listener: (event: WatchEvent<Readonly<T>>) => void,
  ): Watch {
    const waiting: WatchEvent<AnyObject>[] = [];
    let stopped = false;
    const deliver = (): void => {
      for (let event = waiting.shift(); event !== undefined && !stopped; event = waiting.shift())
        listener(event as unknown as WatchEvent<T>);
    };
    const watch = watchObjects(this.core, this.kind(type), options, (event) => {
      waiting.push(event);
      if (waiting.length === 1) queueMicrotask(deliver);
    });
    return {
      bookmark: watch.bookmark,
      stop: () => {
        stopped = true;
        watch.stop();
      },
    };
  }

  create<T extends KubeObject>(type: Names, object: T, options: RegistryWriteOptions = {}): Readonly<T> {
    const { subresource: _, ...rest } = options;
    return createObject(this.core, this.kind(type), object as unknown as AnyObject, rest) as unknown as T;
  }

  /** Replaces an object (or its status or scale); the body names it. */
  update<T extends KubeObject>(type: Names, object: T, options: RegistryWriteOptions = {}): Readonly<T> {
    const kind = this.kind(type);
    const body = object as unknown as AnyObject;
    const make = (old: AnyObject) => (options.subresource === 'scale' ? withScale(kind, old, body) : body);
    const namespace = options.namespace ?? object.metadata.namespace;
    return updateObject(
      this.core,
      kind,
      namespace,
      object.metadata.name ?? '',
      make,
      options,
    ) as unknown as T;
  }

  /** Reads, lets `change` edit a copy, and writes: atomic, so it never conflicts. Returning false leaves it as it is. */
  edit<T extends KubeObject>(
    type: Names,
    ref: ObjectRef,
    change: (draft: T) => unknown,
    options: RegistryWriteOptions = {},
  ): Readonly<T> {
    const make = (old: AnyObject): AnyObject => {
      const draft = cloneJson(old);
      return change(draft as unknown as T) === false ? old : draft;
    };
    return updateObject(this.core, this.kind(type), ref.namespace, ref.name, make, options) as unknown as T;
  }

  patch<T extends KubeObject>(
    type: Names,
    ref: ObjectRef,
    patch: unknown,
    options: PatchOptions,
  ): Readonly<T> {
    return patchObject(this.core, this.kind(type), ref.namespace, ref.name, patch, options)
      .object as unknown as T;
  }

  scale(type: Names, ref: ObjectRef): AnyObject {
    const kind = this.kind(type);
    return scaleOf(kind, present(kind, storedOrThrow(this.core, kind, ref.namespace, ref.name)));
  }

  /** Binds a pod to a node, as the scheduler does. */
  bind(ref: ObjectRef, nodeName: string): void {
    const pods = { group: '', version: 'v1', plural: 'pods' };
    const change = (draft: Pod): void => {
      draft.spec.nodeName = nodeName;
    };
    this.edit<Pod>(pods, ref, change, { fieldManager: 'kube-scheduler' });
  }

  delete(type: Names, ref: ObjectRef, options: DeleteOptions = {}): Deletion {
    return deleteObject(this.core, this.kind(type), ref.namespace, ref.name, options);
  }

  /** Deletes what a selection matches and returns it. */
  deleteCollection(type: Names, selection: Selection, options: DeleteOptions = {}): readonly AnyObject[] {
    const kind = this.kind(type);
    const { items } = listObjects(this.core, kind, selection);
    for (const { metadata } of items)
      deleteObject(this.core, kind, metadata.namespace, metadata.name ?? '', options);
    return items;
  }

  /** Where `kubectl logs` reads; the kubelet sets it. */
  setLogSource(source: LogSource): void {
    this.#logSource = source;
  }

  get logSource(): LogSource | undefined {
    return this.#logSource;
  }
}
