/** A tiny in-memory `KubeApi` for unit tests: versions, uids, conflicts and preconditions, and calls that can be made to fail. */
import type { KubeApi, ListOptions, ObjectRef } from '../api.ts';
import { ApiError } from '../errors.ts';
import type { KubeList, KubeObject, WatchEvent } from '../objects.ts';
import { apiVersionOf, type ResourceType } from '../resource.ts';

/** Any failure of the server. */
export const failure = (code: number, reason: string, retryAfterMs?: number): ApiError =>
  new ApiError({ code, reason, message: `${code} ${reason}`, retryAfterMs });

type Verb = 'get' | 'list' | 'watch' | 'create' | 'replace' | 'patch' | 'apply' | 'delete';

export class FakeApi implements KubeApi {
  readonly objects = new Map<string, KubeObject>();
  readonly calls: { verb: Verb; kind: string; name: string }[] = [];
  /** Called before each call; it may throw, wait or do nothing. */
  before: (verb: Verb, type: ResourceType, name: string) => void | Promise<void> = () => {};
  #version = 0;

  count(verb: Verb): number {
    return this.calls.filter((call) => call.verb === verb).length;
  }

  /** Puts an object in without counting it as a call. */
  seed<T extends KubeObject>(type: ResourceType, object: T): T {
    return this.#store(type, object, this.#read(type, refOf(object)));
  }

  async get<T extends KubeObject>(type: ResourceType, ref: ObjectRef): Promise<T> {
    await this.#called('get', type, ref.name);
    return this.#known(type, ref) as T;
  }

  async list<T extends KubeObject>(type: ResourceType, options: ListOptions = {}): Promise<KubeList<T>> {
    await this.#called('list', type, '');
    const name = /^metadata\.name=(.*)$/.exec(options.fieldSelector ?? '')?.[1];
    const items = [...this.objects.entries()]
      .filter(([key]) => key.startsWith(`${type.kind} `))
      .filter(([, { metadata }]) => name === undefined || metadata.name === name)
      .map(([, object]) => structuredClone(object) as T);
    return { metadata: { resourceVersion: String(this.#version) }, items };
  }

  // biome-ignore lint/correctness/useYield: no unit test needs events from here; the reflector has a server of its own
  async *watch<T extends KubeObject>(): AsyncGenerator<WatchEvent<T>> {
    throw new Error('the fake API has no watch');
  }

  async create<T extends KubeObject>(type: ResourceType, object: T): Promise<T> {
    await this.#called('create', type, object.metadata.name ?? '');
    if (this.#read(type, refOf(object)) !== undefined) throw failure(409, 'AlreadyExists');
    return this.#store(type, object, undefined);
  }

  async replace<T extends KubeObject>(type: ResourceType, object: T): Promise<T> {
    await this.#called('replace', type, object.metadata.name ?? '');
    const known = this.#known(type, refOf(object));
    const version = object.metadata.resourceVersion;
    if (version !== undefined && version !== known.metadata.resourceVersion) throw failure(409, 'Conflict');
    return this.#store(type, object, known);
  }

  async patch<T extends KubeObject>(type: ResourceType, ref: ObjectRef, patch: unknown): Promise<T> {
    await this.#called('patch', type, ref.name);
    const known = this.#known(type, ref);
    return this.#store(type, { ...known, ...(patch as object) } as T, known);
  }

  async apply<T extends KubeObject>(type: ResourceType, object: KubeObject): Promise<T> {
    await this.#called('apply', type, object.metadata.name ?? '');
    const known = this.#read(type, refOf(object));
    const { uid, resourceVersion: version } = object.metadata;
    if (uid !== undefined && uid !== known?.metadata.uid) throw failure(409, 'Conflict');
    // As the real server: a version is held against what is there, and nobody asks for it where nothing is.
    if (version !== undefined && known !== undefined && version !== known.metadata.resourceVersion)
      throw failure(409, 'Conflict');
    if (known !== undefined && same(known, object)) return structuredClone(known) as T;
    return this.#store(type, object as T, known);
  }

  async delete(type: ResourceType, ref: ObjectRef, options: { uid?: string } = {}): Promise<void> {
    await this.#called('delete', type, ref.name);
    const known = this.#known(type, ref);
    if (options.uid !== undefined && options.uid !== known.metadata.uid) throw failure(409, 'Conflict');
    this.#version += 1;
    this.objects.delete(keyFor(type, ref));
  }

  async #called(verb: Verb, type: ResourceType, name: string): Promise<void> {
    this.calls.push({ verb, kind: type.kind, name });
    await this.before(verb, type, name);
  }

  #read(type: ResourceType, ref: ObjectRef): KubeObject | undefined {
    return this.objects.get(keyFor(type, ref));
  }

  #known(type: ResourceType, ref: ObjectRef): KubeObject {
    const known = this.#read(type, ref);
    if (known === undefined) throw failure(404, 'NotFound');
    return structuredClone(known);
  }

  #store<T extends KubeObject>(type: ResourceType, object: T, known: KubeObject | undefined): T {
    this.#version += 1;
    const metadata = {
      ...object.metadata,
      uid: known?.metadata.uid ?? `uid-${this.#version}`,
      resourceVersion: String(this.#version),
    };
    const stored = { ...structuredClone(object), apiVersion: apiVersionOf(type), kind: type.kind, metadata };
    this.objects.set(keyFor(type, refOf(object)), stored);
    return structuredClone(stored);
  }
}

const refOf = (object: KubeObject): ObjectRef => ({
  name: object.metadata.name ?? '',
  namespace: object.metadata.namespace ?? '',
});

const keyFor = (type: ResourceType, ref: ObjectRef) => `${type.kind} ${ref.namespace ?? ''}/${ref.name}`;

function same(known: KubeObject, object: KubeObject): boolean {
  const plain = ({
    metadata: { uid: _u, resourceVersion: _r, ...metadata },
    apiVersion: _a,
    kind: _k,
    ...rest
  }: KubeObject) => JSON.stringify({ ...rest, metadata });
  return plain(known) === plain(object);
}
