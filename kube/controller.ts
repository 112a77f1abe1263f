/** Workers between a queue and a reconcile function: sources fill the queue, results decide when a key comes again. */
import { type Clock, realClock, sleep } from './clock.ts';
import type { ConsistencyTracker } from './consistency.ts';
import { isAborted, isConflict, isForbidden, isUnavailable, retryAfterMs, TerminalError } from './errors.ts';
import { type Log, messageOf, noLog } from './log.ts';
import { noObserver, type Observer } from './metrics.ts';
import type { KubeObject } from './objects.ts';
import { type Priority, type QueueOptions, WorkQueue } from './queue.ts';
import type { ChangeHandler } from './reflector.ts';
import type { ObjectKey, ResourceType } from './resource.ts';
import { jittered } from './retry.ts';
import { keyOf, type StoreChange, type StoreReader } from './store.ts';

export interface ReconcileResult {
  /** Come back after this long even if nothing changes. */
  readonly requeueAfterMs?: number;
}

export interface ReconcileContext {
  /** Aborted when the process gives up its work: pass it to every call. */
  readonly signal: AbortSignal;
  /** Failures of this key in a row before this run. */
  readonly failures: number;
}

/** Brings the world of one key nearer to what is wanted. A `TerminalError` is not tried again, any other error is. */
export type Reconcile = (key: ObjectKey, context: ReconcileContext) => Promise<ReconcileResult | undefined>;

export interface ControllerOptions {
  readonly name: string;
  readonly reconcile: Reconcile;
  /** Keys worked on at the same time; one key never runs twice at once. Default 8. */
  readonly workers?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly log?: Log;
  readonly observer?: Observer;
  readonly queue?: Omit<QueueOptions, 'clock' | 'observer' | 'name'>;
  /** Holds a key back until the stores have seen what was written for it. */
  readonly consistency?: ConsistencyTracker;
  /** Keys that may not be worked on now are let go: whoever opens the gate enqueues them. Default: all may. */
  readonly admits?: (key: ObjectKey) => boolean;
  /** Every key comes again after this long, ±10 %. Default 10 minutes. */
  readonly resyncMs?: number;
}

/** A server that is away is no fault of the key: when it is back, no key may sleep on for its 1,000 s. */
const serverRetryMs = 30_000;
/** Nothing tells when a missing rule is granted: it is tried again at least this often. */
const forbiddenRetryMs = 60_000;

/** What a controller watches: a reflector, or several of one kind. */
export interface WatchSource<T extends KubeObject> {
  readonly type: ResourceType;
  readonly store: StoreReader<T>;
  onChange(handler: ChangeHandler<T>): () => void;
  whenSynced(): Promise<void>;
}

const defaultResyncMs = 600_000;
/** A key whose own writes are not in the stores yet looks again this soon; the event itself brings it back sooner. */
const staleRecheckMs = 1000;

export class Controller {
  readonly queue: WorkQueue;
  readonly #options: ControllerOptions;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #observer: Observer;
  readonly #stopping = new AbortController();
  readonly #synced: (() => Promise<void>)[] = [];
  readonly #unsubscribe: (() => void)[] = [];
  #primaryKeys: () => ObjectKey[] = () => [];
  #workers: Promise<void>[] = [];
  #cancelResync = () => {};

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#name = options.name;
    this.#clock = options.clock ?? realClock;
    this.#log = options.log ?? noLog;
    this.#observer = options.observer ?? noObserver;
    this.queue = new WorkQueue({
      ...options.queue,
      name: options.name,
      clock: this.#clock,
      observer: this.#observer,
    });
  }

  /** Reconciles the objects of this kind: their keys are the queue's keys. Call before `start`. */
  watchPrimary<T extends KubeObject>(source: WatchSource<T>): this {
    this.#primaryKeys = () => source.store.keys();
    return this.#subscribe(source, (change) => [change.key], primaryPriority);
  }

  /** Enqueues the owner (`kind`) that controls a changed object; when the owner changed, the former one too. */
  watchOwned<T extends KubeObject>(source: WatchSource<T>, ownerKind: string): this {
    return this.#subscribe(source, (change) => ownersOf(change, ownerKind));
  }

  /**
   * Enqueues whatever keys `map` names for an object; of an update, those of the former state too. When `map` throws,
   * the object's controlling owner is enqueued, so that a change is never lost to a fault in the mapping.
   */
  watchMapped<T extends KubeObject>(source: WatchSource<T>, map: (object: T) => readonly ObjectKey[]): this {
    return this.#subscribe(source, (change) => {
      const keys = new Set<ObjectKey>();
      for (const object of [change.object, change.previous]) {
        if (object === undefined) continue;
        try {
          for (const key of map(object)) keys.add(key);
        } catch (error) {
          this.#observer.count('handler_errors_total', { kind: source.type.kind });
          this.#log.error('mapping of a change failed', {
            controller: this.#name,
            kind: source.type.kind,
            key: change.key,
            error: messageOf(error),
          });
          for (const key of ownersOf(change)) keys.add(key);
        }
      }
      return [...keys];
    });
  }

  /** Asks for a key to be reconciled. */
  enqueue(key: ObjectKey, priority: Priority = 'high'): void {
    this.queue.add(key, priority);
  }

  /** Waits until every watched store holds its first list, then starts the workers; rejects when a reflector is stopped before. */
  async start(): Promise<void> {
    await Promise.all(this.#synced.map((whenSynced) => whenSynced()));
    if (this.#stopping.signal.aborted) return;
    this.#scheduleResync();
    const count = this.#options.workers ?? 8;
    this.#workers = Array.from({ length: count }, () => this.#work());
  }

  /** Takes no more keys, lets running reconciles end for `drainMs`, then aborts them; resolves when no worker runs. */
  async stop(drainMs = 20_000): Promise<void> {
    this.#cancelResync();
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.queue.drop();
    const drained = Promise.all(this.#workers);
    const late = new AbortController();
    await Promise.race([drained, sleep(this.#clock, drainMs, late.signal)]);
    late.abort();
    this.#stopping.abort();
    await drained;
  }

  #subscribe<T extends KubeObject>(
    source: WatchSource<T>,
    keysOf: (change: StoreChange<T>) => readonly ObjectKey[],
    priorityOf: (change: StoreChange<T>) => Priority = (change) => (change.fromList ? 'low' : 'high'),
  ): this {
    this.#synced.push(() => source.whenSynced());
    this.#unsubscribe.push(
      source.onChange((change) => {
        const priority = priorityOf(change);
        for (const key of keysOf(change)) this.queue.add(key, priority);
      }),
    );
    return this;
  }

  #scheduleResync(): void {
    const random = this.#options.random ?? Math.random;
    const periodMs = this.#options.resyncMs ?? defaultResyncMs;
    this.#cancelResync = this.#clock.setTimer(jittered(periodMs * 0.9, 2 / 9, random), () => {
      for (const key of this.#primaryKeys()) this.queue.add(key, 'low');
      this.#observer.count('controller_resyncs_total', { controller: this.#name });
      this.#scheduleResync();
    });
  }

  async #work(): Promise<void> {
    for (let key = await this.queue.get(); key !== undefined; key = await this.queue.get()) {
      await this.#process(key);
      this.queue.done(key);
    }
  }

  async #process(key: ObjectKey): Promise<void> {
    if (this.#options.admits?.(key) === false) {
      this.#observer.count('not_admitted_total', { controller: this.#name });
      this.queue.forget(key);
      return;
    }
    const waitingFor = this.#options.consistency?.waitingFor(key);
    if (waitingFor !== undefined) {
      this.#observer.count('stale_sync_skips_total', { controller: this.#name, kind: waitingFor });
      this.queue.addAfter(key, staleRecheckMs, 'high');
      return;
    }
    const startMs = this.#clock.monotonicMs();
    const result = await this.#reconcileOnce(key);
    this.#observer.count('reconciles_total', { controller: this.#name, result });
    const seconds = (this.#clock.monotonicMs() - startMs) / 1000;
    this.#observer.duration('reconcile_seconds', seconds, { controller: this.#name });
  }

  async #reconcileOnce(
    key: ObjectKey,
  ): Promise<'success' | 'requeue_after' | 'requeue' | 'error' | 'terminal'> {
    try {
      const context = { signal: this.#stopping.signal, failures: this.queue.failures(key) };
      const result = await this.#options.reconcile(key, context);
      this.queue.forget(key);
      if (result?.requeueAfterMs === undefined) return 'success';
      this.queue.addAfter(key, result.requeueAfterMs);
      return 'requeue_after';
    } catch (error) {
      if (error instanceof TerminalError) {
        this.#log.error('reconcile failed for good', {
          controller: this.#name,
          key,
          error: messageOf(error),
        });
        this.queue.forget(key);
        return 'terminal';
      }
      const mostMs = isUnavailable(error) ? serverRetryMs : isForbidden(error) ? forbiddenRetryMs : undefined;
      this.queue.addRateLimited(key, 'low', retryAfterMs(error) ?? 0, mostMs);
      // The store was behind, or the process ends: both are routine.
      if (isConflict(error) || (isAborted(error) && this.#stopping.signal.aborted)) return 'requeue';
      this.#log.warn('reconcile failed', { controller: this.#name, key, error: messageOf(error) });
      return 'error';
    }
  }
}

/** A changed spec, label, annotation or deletion goes before an echo of our own status write. */
function primaryPriority<T extends KubeObject>({ fromList, object, previous }: StoreChange<T>): Priority {
  if (fromList) return 'low';
  if (previous === undefined) return 'high';
  const { generation, deletionTimestamp, labels, annotations } = object.metadata;
  const before = previous.metadata;
  const changed =
    generation === undefined ||
    generation !== before.generation ||
    deletionTimestamp !== before.deletionTimestamp ||
    JSON.stringify([labels, annotations]) !== JSON.stringify([before.labels, before.annotations]);
  return changed ? 'high' : 'low';
}

/** Keys of the owners that control the object now and, of an update, did before. */
function ownersOf<T extends KubeObject>(change: StoreChange<T>, ownerKind?: string): ObjectKey[] {
  const keys = new Set<ObjectKey>();
  for (const object of [change.object, change.previous]) {
    const owner = object?.metadata.ownerReferences?.find((reference) => reference.controller);
    if (object === undefined || owner === undefined) continue;
    if (ownerKind !== undefined && owner.kind !== ownerKind) continue;
    const { namespace } = object.metadata;
    keys.add(keyOf({ metadata: { name: owner.name, ...(namespace === undefined ? {} : { namespace }) } }));
  }
  return [...keys];
}
