/** A named fake of the registry for unit tests: objects in a map, revisions, merge patch; no schema, no admission. */
import type { KubeObject, WatchEvent } from '../../../kube/objects.ts';
import type { ResourceType } from '../../../kube/resource.ts';
import type { AccessRef, ClusterAccess, Removal, WriteScope } from '../access.ts';

type Json = Record<string, unknown>;
const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function merge(target: unknown, patch: unknown): unknown {
  if (!isJson(patch)) return patch;
  const result: Json = isJson(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (value !== undefined) result[key] = merge(result[key], value);
  }
  return result;
}

/** Failure as the API server words it. */
export class FakeFailure extends Error {
  readonly reason: string;
  readonly code: number;
  constructor(code: number, reason: string, message: string) {
    super(message);
    this.reason = reason;
    this.code = code;
  }
}

/** Deletion of a pod with a node waits for the kubelet, as in a cluster; everything else goes at once. */
export class InMemoryAccess implements ClusterAccess {
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #listeners = new Map<string, Set<(event: WatchEvent) => void>>();
  readonly #nowMs: () => number;
  #revision = 0;
  /** Throw from here to refuse a creation, as a quota does. */
  refuseCreate: ((type: ResourceType, object: KubeObject) => Error | undefined) | undefined;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  observe<T extends KubeObject>(type: ResourceType, onEvent: (event: WatchEvent<T>) => void): () => void {
    const listener = onEvent as (event: WatchEvent) => void;
    for (const object of this.#collection(type).values()) listener({ type: 'ADDED', object });
    const listeners = this.#listeners.get(type.plural) ?? new Set();
    this.#listeners.set(type.plural, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  async get<T extends KubeObject>(type: ResourceType, ref: AccessRef): Promise<T> {
    return this.#require(type, ref) as T;
  }

  async create<T extends KubeObject>(type: ResourceType, object: T): Promise<T> {
    const refusal = this.refuseCreate?.(type, object);
    if (refusal !== undefined) throw refusal;
    const name =
      object.metadata.name ?? `${object.metadata.generateName ?? ''}${this.#revision.toString(36)}`;
    const key = this.#key({ name, namespace: object.metadata.namespace });
    if (this.#collection(type).has(key))
      throw new FakeFailure(409, 'AlreadyExists', `${type.plural} "${name}" already exists`);
    const created = structuredClone(object);
    created.metadata = {
      ...created.metadata,
      name,
      uid: `uid-${type.plural}-${this.#revision}`,
      generation: 1,
      creationTimestamp: new Date(this.#nowMs()).toISOString(),
    };
    created.kind ??= type.kind;
    return this.#put(type, key, 'ADDED', created) as T;
  }

  async update<T extends KubeObject>(type: ResourceType, object: T, scope: WriteScope = {}): Promise<T> {
    const { name = '', namespace, resourceVersion } = object.metadata;
    const old = this.#require(type, { name, namespace });
    if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion)
      throw new FakeFailure(409, 'Conflict', `${type.plural} "${name}" was modified`);
    return this.#change(type, old, structuredClone(object), scope) as T;
  }

  async patch<T extends KubeObject>(
    type: ResourceType,
    ref: AccessRef,
    patch: unknown,
    scope: WriteScope = {},
  ): Promise<T> {
    const old = this.#require(type, ref);
    return this.#change(type, old, merge(old, patch) as KubeObject, scope) as T;
  }

  async bind(ref: AccessRef, nodeName: string): Promise<void> {
    const type = { plural: 'pods' } as ResourceType;
    await this.patch(type, ref, { spec: { nodeName } });
  }

  async delete(type: ResourceType, ref: AccessRef, removal: Removal = {}): Promise<void> {
    const old = this.#require(type, ref);
    const key = this.#key(ref);
    if (removal.uid !== undefined && removal.uid !== old.metadata.uid)
      throw new FakeFailure(409, 'Conflict', 'the uid differs');
    const spec = (old as { spec?: { nodeName?: string; terminationGracePeriodSeconds?: number } }).spec;
    const graceful = type.plural === 'pods' && spec?.nodeName !== undefined;
    if (graceful && removal.gracePeriodSeconds !== 0) {
      if (old.metadata.deletionTimestamp !== undefined) return;
      const marked = structuredClone(old);
      marked.metadata.deletionTimestamp = new Date(this.#nowMs()).toISOString();
      marked.metadata.deletionGracePeriodSeconds =
        removal.gracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? 30;
      this.#put(type, key, 'MODIFIED', marked);
      return;
    }
    this.#collection(type).delete(key);
    this.#revision++;
    const last = structuredClone(old);
    last.metadata.resourceVersion = String(this.#revision);
    this.#tell(type, { type: 'DELETED', object: last });
  }

  #change(type: ResourceType, old: KubeObject, changed: KubeObject, scope: WriteScope): KubeObject {
    const body = (object: KubeObject) => {
      const { metadata: _metadata, status, ...rest } = object as KubeObject & { status?: unknown };
      return { status, rest };
    };
    const next = (
      scope.subresource === 'status'
        ? { ...old, status: body(changed).status }
        : { ...changed, ...(body(old).status === undefined ? {} : { status: body(old).status }) }
    ) as KubeObject;
    const specChanged = JSON.stringify(body(next).rest) !== JSON.stringify(body(old).rest);
    const { annotations } = changed.metadata;
    // A workload's /status takes annotations too, as on a real server.
    const metadata =
      scope.subresource === 'status'
        ? { ...old.metadata, ...(annotations === undefined ? {} : { annotations }) }
        : changed.metadata;
    next.metadata = { ...metadata, generation: (old.metadata.generation ?? 1) + (specChanged ? 1 : 0) };
    if (JSON.stringify(next) === JSON.stringify(old)) return old;
    return this.#put(type, this.#key(next.metadata as AccessRef), 'MODIFIED', next);
  }

  #put(type: ResourceType, key: string, event: 'ADDED' | 'MODIFIED', object: KubeObject): KubeObject {
    this.#revision++;
    object.metadata = { ...object.metadata, resourceVersion: String(this.#revision) };
    this.#collection(type).set(key, object);
    this.#tell(type, { type: event, object });
    return object;
  }

  #tell(type: ResourceType, event: WatchEvent): void {
    for (const listener of [...(this.#listeners.get(type.plural) ?? [])]) listener(event);
  }

  #require(type: ResourceType, ref: AccessRef): KubeObject {
    const object = this.#collection(type).get(this.#key(ref));
    if (object === undefined)
      throw new FakeFailure(404, 'NotFound', `${type.plural} "${ref.name}" not found`);
    return object;
  }

  #collection(type: ResourceType): Map<string, KubeObject> {
    const objects = this.#objects.get(type.plural) ?? new Map<string, KubeObject>();
    this.#objects.set(type.plural, objects);
    return objects;
  }

  #key(ref: AccessRef): string {
    return ref.namespace === undefined ? ref.name : `${ref.namespace}/${ref.name}`;
  }
}
