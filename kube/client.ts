/** `KubeApi` over HTTP: paths, deadlines, retries that honour Retry-After, and a rate limit. */
import type {
  ApplyOptions,
  CallOptions,
  DeleteOptions,
  GetOptions,
  KubeApi,
  ListOptions,
  ObjectRef,
  PatchType,
  WatchOptions,
  WriteOptions,
} from './api.ts';
import type { Auth } from './auth.ts';
import { type Call, Caller, callTimeoutMs, whatOf } from './calls.ts';
import { type Clock, realClock } from './clock.ts';
import { answerError } from './errors.ts';
import { noObserver, type Observer } from './metrics.ts';
import type { KubeList, KubeObject, WatchEvent } from './objects.ts';
import { apiVersionOf, pathOf, type ResourceType } from './resource.ts';
import { Transport } from './transport.ts';
import { linesOf, parseWatchEvent, protocolError } from './watch-lines.ts';

export interface ClientOptions {
  readonly userAgent?: string;
  readonly clock?: Clock;
  readonly observer?: Observer;
  /** Calls per second and burst over all kinds; watches take a token too. Default 100 and 200. */
  readonly qps?: number;
  readonly burst?: number;
  /** Sockets for calls. Default 32. */
  readonly connections?: number;
}

/** A `KubeApi` with what belongs to the process that holds it. */
export interface KubeClient extends KubeApi {
  readonly server: string;
  readonly namespace: string;
  /** GET of any path below the server (`/version`, a pod's log), as text. */
  getText(path: string, options?: CallOptions): Promise<string>;
  /** Ends all connections. Calls in flight reject. */
  close(): Promise<void>;
}

const listTimeoutMs = 60_000;
/** The client ends a watch this long after the server should have. */
const watchGraceMs = 30_000;

/** What asks for metadata alone, and takes whole objects from a server that knows only those. */
const metadataOf = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`;

/** Connects to the server that `auth` names. Leader election should get a client of its own, so that no queue delays a renewal. */
export function createClient(auth: Auth, options: ClientOptions = {}): KubeClient {
  return new HttpKubeClient(auth, options);
}

class HttpKubeClient implements KubeClient {
  readonly server: string;
  readonly namespace: string;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #caller: Caller;

  constructor(auth: Auth, options: ClientOptions) {
    this.server = auth.server;
    this.namespace = auth.namespace;
    this.#clock = options.clock ?? realClock;
    this.#observer = options.observer ?? noObserver;
    this.#transport = new Transport({
      auth,
      clock: this.#clock,
      userAgent: options.userAgent ?? 'ballast-kube',
      connections: options.connections ?? 32,
    });
    this.#caller = new Caller({
      transport: this.#transport,
      clock: this.#clock,
      observer: this.#observer,
      qps: options.qps ?? 100,
      burst: options.burst ?? 200,
    });
  }

  async get<T extends KubeObject>(type: ResourceType, ref: ObjectRef, options: GetOptions = {}): Promise<T> {
    const path = pathOf(type, { ...place(type, ref), ...subresource(options) });
    const call = {
      ...callOptions(options),
      method: 'GET',
      path,
      verb: 'get',
      type,
      repeatable: true,
    } as const;
    return this.#object<T>(call);
  }

  async list<T extends KubeObject>(type: ResourceType, options: ListOptions = {}): Promise<KubeList<T>> {
    const { namespace, labelSelector, fieldSelector, limit, resourceVersion } = options;
    const query = queryOf({
      labelSelector,
      fieldSelector,
      limit,
      continue: options.continue,
      resourceVersion: options.continue === undefined ? resourceVersion : undefined,
    });
    const list = await this.#object<KubeList<T>>({
      ...callOptions(options),
      method: 'GET',
      path: pathOf(type, namespace === undefined ? {} : { namespace }) + query,
      verb: 'list',
      type,
      ...(options.metadataOnly === true ? { accept: metadataOf('PartialObjectMetadataList') } : {}),
      repeatable: true,
      defaultTimeoutMs: listTimeoutMs,
    });
    if (!Array.isArray(list.items)) throw protocolError(`list ${type.kind}`, 'a list without items');
    // The server leaves kind and apiVersion out of the items of built-in kinds.
    const apiVersion = apiVersionOf(type);
    for (const item of list.items) {
      item.kind ??= type.kind;
      item.apiVersion ??= apiVersion;
    }
    return list;
  }

  async *watch<T extends KubeObject>(
    type: ResourceType,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    const { namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, signal } = options;
    const query = queryOf({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds,
      labelSelector,
      fieldSelector,
    });
    const what = `watch ${type.kind}`;
    await this.#caller.takeToken(what, signal, callTimeoutMs);
    const stream = await this.#transport.open({
      method: 'GET',
      path: pathOf(type, namespace === undefined ? {} : { namespace }) + query,
      timeoutMs: timeoutSeconds * 1000 + watchGraceMs,
      signal,
      ...(options.metadataOnly === true ? { accept: metadataOf('PartialObjectMetadata') } : {}),
      what,
    });
    const { code, headers, chunks } = stream;
    try {
      this.#observer.count('client_requests_total', { verb: 'watch', kind: type.kind, code: String(code) });
      if (code !== 200) throw answerError(what, code, headers, await chunks.text(), this.#clock.now());
      for await (const line of linesOf(chunks, what)) yield parseWatchEvent<T>(line, what);
    } catch (error) {
      throw stream.errorOf(error);
    } finally {
      stream.close();
    }
  }

  async create<T extends KubeObject>(type: ResourceType, object: T, options: WriteOptions = {}): Promise<T> {
    const ref = { name: object.metadata.name ?? '', namespace: object.metadata.namespace };
    const { namespace } = place(type, ref);
    const path =
      options.subresource === undefined
        ? pathOf(type, namespace === undefined ? {} : { namespace })
        : pathOf(type, { ...place(type, ref), subresource: options.subresource });
    return this.#write<T>('POST', 'create', type, path, object, options, 'application/json');
  }

  async replace<T extends KubeObject>(type: ResourceType, object: T, options: WriteOptions = {}): Promise<T> {
    const path = pathOf(type, { ...place(type, refOf(object)), ...subresource(options) });
    return this.#write<T>('PUT', 'replace', type, path, object, options, 'application/json');
  }

  async patch<T extends KubeObject>(
    type: ResourceType,
    ref: ObjectRef,
    patch: unknown,
    options: WriteOptions & { readonly patchType: PatchType },
  ): Promise<T> {
    const path = pathOf(type, { ...place(type, ref), ...subresource(options) });
    const query = queryOf(writeQuery(options));
    return this.#object<T>({
      ...callOptions(options),
      method: 'PATCH',
      path: path + query,
      verb: 'patch',
      type,
      contentType: options.patchType,
      body: JSON.stringify(patch),
    });
  }

  async apply<T extends KubeObject>(
    type: ResourceType,
    object: KubeObject,
    options: ApplyOptions,
  ): Promise<T> {
    const { managedFields: _managed, ...metadata } = object.metadata;
    const path = pathOf(type, { ...place(type, refOf(object)), ...subresource(options) });
    const query = queryOf({ ...writeQuery(options), force: String(options.force ?? true) });
    return this.#object<T>({
      ...callOptions(options),
      method: 'PATCH',
      path: path + query,
      verb: 'apply',
      type,
      contentType: 'application/apply-patch+yaml',
      body: JSON.stringify({ ...object, apiVersion: apiVersionOf(type), kind: type.kind, metadata }),
      repeatable: true,
    });
  }

  async delete(type: ResourceType, ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, propagationPolicy, gracePeriodSeconds } = options;
    const preconditions =
      uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion };
    await this.#caller.call({
      ...callOptions(options),
      method: 'DELETE',
      path: pathOf(type, place(type, ref)),
      verb: 'delete',
      type,
      contentType: 'application/json',
      body: JSON.stringify({
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions,
        propagationPolicy,
        gracePeriodSeconds,
      }),
    });
  }

  async getText(path: string, options: CallOptions = {}): Promise<string> {
    return (await this.#caller.call({ ...options, method: 'GET', path, verb: 'get', repeatable: true })).text;
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  #write<T>(
    method: 'POST' | 'PUT',
    verb: string,
    type: ResourceType,
    path: string,
    object: KubeObject,
    options: WriteOptions,
    contentType: string,
  ): Promise<T> {
    const body = JSON.stringify({ ...object, apiVersion: apiVersionOf(type), kind: type.kind });
    const query = queryOf(writeQuery(options));
    return this.#object<T>({
      ...callOptions(options),
      method,
      path: path + query,
      verb,
      type,
      contentType,
      body,
    });
  }

  async #object<T>(call: Call): Promise<T> {
    const { text } = await this.#caller.call(call);
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null && 'metadata' in value) return value as T;
    } catch (cause) {
      throw protocolError(whatOf(call), 'a body that is not JSON', cause);
    }
    throw protocolError(whatOf(call), 'a body that is no Kubernetes object');
  }
}

const refOf = (object: KubeObject) => ({
  name: object.metadata.name ?? '',
  namespace: object.metadata.namespace,
});

function place(type: ResourceType, ref: { name: string; namespace?: string | undefined }) {
  if (type.namespaced && (ref.namespace === undefined || ref.namespace === ''))
    throw new TypeError(`${type.kind} ${ref.name}: metadata.namespace is required`);
  if (ref.name === '') throw new TypeError(`${type.kind}: metadata.name is required`);
  return ref.namespace === undefined ? { name: ref.name } : { name: ref.name, namespace: ref.namespace };
}

const subresource = (options: GetOptions) =>
  options.subresource === undefined ? {} : { subresource: options.subresource };

const callOptions = ({ signal, timeoutMs }: CallOptions): CallOptions => ({
  ...(signal === undefined ? {} : { signal }),
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
});

const writeQuery = (options: WriteOptions) => ({
  fieldManager: options.fieldManager,
  dryRun: options.dryRun ? 'All' : undefined,
});

function queryOf(parameters: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && value !== '') query.set(name, String(value));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
