/** Keeps a store true to the API server: list in pages, watch with bookmarks, and carry on after every fault. */
import type { KubeApi } from './api.ts';
import { type Clock, realClock, sleep } from './clock.ts';
import {
  ApiError,
  isConnectionRefused,
  isForbidden,
  isGone,
  isNotFound,
  isProtocolError,
  isTooManyRequests,
  retryAfterMs,
} from './errors.ts';
import { type Log, messageOf, noLog } from './log.ts';
import { noObserver, type Observer } from './metrics.ts';
import type { KubeObject } from './objects.ts';
import type { ResourceType } from './resource.ts';
import { Backoff, type BackoffOptions, reflectorBackoff } from './retry.ts';
import { type Indexers, keyOf, Store, type StoreChange } from './store.ts';

export interface ReflectorOptions<T extends KubeObject> {
  readonly api: KubeApi;
  readonly type: ResourceType;
  /** Default: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Asks for metadata alone; the transform must not look at more. */
  readonly metadataOnly?: boolean;
  readonly indexers?: Indexers<T>;
  /** What is kept of an object, to save memory; default all but managedFields. It may change its argument. */
  readonly transform?: (object: T) => T;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly log?: Log;
  readonly observer?: Observer;
  /** Objects per page of a list. Default 500. */
  readonly pageSize?: number;
  /** A watch lives a random time between these. Default 300 to 600 s. */
  readonly watchSeconds?: readonly [minimum: number, maximum: number];
  readonly backoff?: BackoffOptions;
}

export type ChangeHandler<T> = (change: StoreChange<T>) => void;

/** A watch that lived this long was healthy: when it ends, the next one starts without a wait. */
const healthyWatchMs = 1000;
/** A relist for an expired version comes at once when the last list is at least this old, else after a back-off. */
const quietListMs = 30_000;

/** Leaves out `managedFields`, which are large and which no reader of the store needs. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  delete object.metadata.managedFields;
  return object;
}

export class Reflector<T extends KubeObject = KubeObject> {
  readonly store: Store<T>;
  readonly type: ResourceType;
  /** Where it looks; undefined: in all namespaces. */
  readonly namespace: string | undefined;
  readonly #options: ReflectorOptions<T>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #observer: Observer;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #watchSeconds: readonly [number, number];
  readonly #transform: (object: T) => T;
  readonly #handlers = new Set<ChangeHandler<T>>();
  readonly #stopped = new AbortController();
  readonly #synced = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #isSynced = false;
  #versionExpired = false;
  #lastListMs = Number.NEGATIVE_INFINITY;
  #lastActivityMs: number;
  #fault: { readonly during: 'list' | 'watch'; readonly error: unknown } | undefined;
  #lastReport = '';

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.type = options.type;
    this.namespace = options.namespace;
    this.store = new Store<T>(options.indexers);
    this.#clock = options.clock ?? realClock;
    this.#log = options.log ?? noLog;
    this.#observer = options.observer ?? noObserver;
    this.#random = options.random ?? Math.random;
    this.#backoff = new Backoff(options.backoff ?? reflectorBackoff, this.#random);
    this.#watchSeconds = options.watchSeconds ?? [300, 600];
    this.#transform = options.transform ?? withoutManagedFields;
    this.#lastActivityMs = this.#clock.monotonicMs();
    this.#synced.promise.catch(() => {});
  }

  /** Calls the handler for every change from now on. What it throws is counted and logged, and hurts nobody else. Returns the way out. */
  onChange(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  /** Starts to list and watch; it goes on until `stop`. */
  start(): void {
    this.#running ??= this.#run(this.#stopped.signal);
  }

  /** Ends the watch and resolves when nothing more will change. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  /** The first list is in the store. */
  get synced(): boolean {
    return this.#isSynced;
  }

  /** Resolves when the first list is in the store; rejects when stopped before. */
  whenSynced(): Promise<void> {
    return this.#synced.promise;
  }

  /** Why it cannot read at present: what the last list failed with, or a refused watch; undefined when nothing is known to be wrong. */
  get fault(): unknown {
    return this.#fault?.error;
  }

  /** Time since the server last said anything (events, bookmarks, lists), milliseconds. */
  get idleMs(): number {
    return this.#clock.monotonicMs() - this.#lastActivityMs;
  }

  /** True when the server has been silent for twice the longest life of a watch: not ready, though a restart would not help. */
  get stalled(): boolean {
    return this.idleMs > 2 * this.#watchSeconds[1] * 1000;
  }

  async #run(stop: AbortSignal): Promise<void> {
    let mustList = true;
    while (!stop.aborted) {
      const startedMs = this.#clock.monotonicMs();
      try {
        if (mustList) {
          await this.#list(stop);
          mustList = false;
          continue;
        }
        await this.#watch(stop);
        this.#fault = undefined;
        this.#lastActivityMs = this.#clock.monotonicMs();
        if (this.#clock.monotonicMs() - startedMs < healthyWatchMs) await this.#pause(0, stop);
      } catch (error) {
        if (stop.aborted) break;
        const livedMs = this.#clock.monotonicMs() - startedMs;
        const listed = mustList;
        mustList ||= needsList(error);
        if (versionIsUseless(error)) this.#versionExpired = true;
        if (listed || isRefusal(error)) this.#fault = { during: listed ? 'list' : 'watch', error };
        this.#report(error, listed ? 'list' : 'watch', mustList);
        if (this.#mayGoOnAtOnce(error, listed, livedMs)) continue;
        await this.#pause(retryAfterMs(error) ?? 0, stop);
      }
    }
    if (!this.#isSynced) this.#synced.reject(new Error(`${this.type.kind}: stopped before the first list`));
  }

  #mayGoOnAtOnce(error: unknown, listed: boolean, livedMs: number): boolean {
    if (versionIsUseless(error)) return this.#clock.monotonicMs() - this.#lastListMs >= quietListMs;
    if (listed || needsList(error) || isConnectionRefused(error) || isTooManyRequests(error)) return false;
    return livedMs >= healthyWatchMs;
  }

  async #pause(leastMs: number, stop: AbortSignal): Promise<void> {
    const waitMs = Math.max(leastMs, this.#backoff.nextMs(this.#clock.monotonicMs()));
    await sleep(this.#clock, waitMs, stop);
  }

  async #list(stop: AbortSignal): Promise<void> {
    const {
      api,
      type,
      namespace,
      labelSelector,
      fieldSelector,
      metadataOnly,
      pageSize = 500,
    } = this.#options;
    const resourceVersion = this.#versionExpired ? '' : (this.store.resourceVersion ?? '0');
    this.#lastListMs = this.#clock.monotonicMs();
    this.#observer.count('reflector_lists_total', { kind: type.kind });
    const common = {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      ...(metadataOnly === undefined ? {} : { metadataOnly }),
      signal: stop,
    };
    let objects: T[] = [];
    let version: string | undefined;
    let next: string | undefined;
    do {
      try {
        const page = await api.list<T>(type, {
          ...common,
          limit: pageSize,
          ...(next === undefined ? { resourceVersion } : { continue: next }),
        });
        for (const object of page.items) objects.push(this.#transform(object));
        version = page.metadata.resourceVersion;
        next = page.metadata.continue === '' ? undefined : page.metadata.continue;
      } catch (error) {
        if (next === undefined || !isGone(error)) throw error;
        // The pages' common version is gone: one whole list, which cannot age between pages.
        this.#observer.count('reflector_page_expired_total', { kind: type.kind });
        const whole = await api.list<T>(type, { ...common, resourceVersion: '' });
        objects = whole.items.map((object) => this.#transform(object));
        version = whole.metadata.resourceVersion;
        next = undefined;
      }
    } while (next !== undefined);
    if (version === undefined)
      throw new ApiError({ code: 0, reason: 'Protocol', message: `list ${type.kind}: no resourceVersion` });
    this.#versionExpired = false;
    if (this.#fault?.during === 'list') this.#fault = undefined;
    this.#lastReport = '';
    this.#lastActivityMs = this.#clock.monotonicMs();
    const changes = this.store.replaceAll(objects, version);
    this.#isSynced = true;
    for (const change of changes) this.#tell(change);
    this.#synced.resolve();
  }

  async #watch(stop: AbortSignal): Promise<void> {
    const { api, type, namespace, labelSelector, fieldSelector, metadataOnly } = this.#options;
    const [minimum, maximum] = this.#watchSeconds;
    this.#observer.count('reflector_watches_total', { kind: type.kind });
    const events = api.watch<T>(type, {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      ...(metadataOnly === undefined ? {} : { metadataOnly }),
      resourceVersion: this.store.resourceVersion ?? '0',
      // Random, so that the watches of all kinds and replicas do not end in one moment.
      timeoutSeconds: Math.round(minimum + this.#random() * (maximum - minimum)),
      signal: stop,
    });
    for await (const event of events) {
      this.#fault = undefined;
      this.#lastActivityMs = this.#clock.monotonicMs();
      const version = event.object.metadata.resourceVersion;
      let change: StoreChange<T> | undefined;
      if (event.type === 'ADDED' || event.type === 'MODIFIED')
        change = this.store.put(this.#transform(event.object));
      else if (event.type === 'DELETED')
        change = this.store.remove(keyOf(event.object), this.#transform(event.object));
      if (version !== undefined) this.store.advance(version);
      this.#observer.count('reflector_events_total', { kind: type.kind, type: event.type });
      if (change !== undefined) this.#tell(change);
    }
  }

  #tell(change: StoreChange<T>): void {
    for (const handler of this.#handlers) {
      try {
        handler(change);
      } catch (error) {
        this.#observer.count('handler_errors_total', { kind: this.type.kind });
        this.#log.error('event handler failed', {
          kind: this.type.kind,
          key: change.key,
          error: messageOf(error),
        });
      }
    }
  }

  #report(error: unknown, during: 'list' | 'watch', mustList: boolean): void {
    const reason = error instanceof ApiError ? error.reason : 'Unexpected';
    const where = this.namespace === undefined ? {} : { namespace: this.namespace };
    this.#observer.count('reflector_errors_total', { kind: this.type.kind, during, reason, ...where });
    const message = messageOf(error);
    // A version that aged is routine, and a refusal is the same each time; the back-off bounds the other lines.
    const isOld = isRefusal(error) && message === this.#lastReport;
    this.#lastReport = message;
    const level = isGone(error) || isOld ? 'debug' : 'warn';
    this.#log[level](`${during} failed`, {
      kind: this.type.kind,
      ...where,
      error: message,
      relist: mustList,
    });
  }
}

/** The server answered, and will answer the same until somebody changes a rule or installs a kind. */
const isRefusal = (error: unknown): boolean => isForbidden(error) || isNotFound(error);

/** 410, or a version that the server does not know yet (it was restored from a backup or lost its memory). */
const versionIsUseless = (error: unknown): boolean =>
  isGone(error) || (error instanceof ApiError && /too large resource version/i.test(error.message));

/** After a network fault, a refusal or a 429 the old version still holds; after anything else only a list is sure. */
function needsList(error: unknown): boolean {
  if (!(error instanceof ApiError)) return true;
  if (isProtocolError(error) || versionIsUseless(error)) return true;
  return !(error.code === 0 || isTooManyRequests(error));
}
