/**
 * Read-your-own-writes (after KEP-5647): a key is not reconciled until the stores have seen what was written for it.
 * Kept per key, so that a late watch of one kind holds back only the objects that wrote to it.
 */
import { type Clock, realClock } from './clock.ts';
import { type Log, noLog } from './log.ts';
import { noObserver, type Observer } from './metrics.ts';
import type { KubeObject } from './objects.ts';
import type { ObjectKey, ResourceType } from './resource.ts';
import { keyOf, type StoreReader } from './store.ts';

export interface ConsistencyOptions {
  readonly clock?: Clock;
  readonly log?: Log;
  readonly observer?: Observer;
  /** A key is held back no longer than this after its last write: being late must not become being stuck. Default 5 minutes. */
  readonly maxWaitMs?: number;
}

interface Expectation {
  readonly kind: string;
  readonly atMs: number;
  readonly seen: () => boolean;
}

interface Tracked {
  readonly store: StoreReader<KubeObject>;
  readonly holds: (object: KubeObject) => boolean;
}

const defaultMaxWaitMs = 300_000;

export class ConsistencyTracker {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #observer: Observer;
  readonly #maxWaitMs: number;
  readonly #stores = new Map<string, Tracked[]>();
  /** Owner key → object written → what the store must show. */
  readonly #expected = new Map<ObjectKey, Map<string, Expectation>>();

  constructor(options: ConsistencyOptions = {}) {
    this.#clock = options.clock ?? realClock;
    this.#log = options.log ?? noLog;
    this.#observer = options.observer ?? noObserver;
    this.#maxWaitMs = options.maxWaitMs ?? defaultMaxWaitMs;
  }

  /**
   * Names the store that must have seen the writes to a kind. Where several stores hold parts of one kind (by label),
   * `holds` tells which objects are in this one. Writes that no store holds are not waited for.
   */
  track(
    type: ResourceType,
    store: StoreReader<KubeObject>,
    holds: (object: KubeObject) => boolean = () => true,
  ): void {
    const kind = kindOf(type);
    this.#stores.set(kind, [...(this.#stores.get(kind) ?? []), { store, holds }]);
  }

  /** Notes that `owner`'s reconcile wrote this object; `written` is the server's answer. */
  wrote(owner: ObjectKey, type: ResourceType, written: KubeObject): void {
    const version = written.metadata.resourceVersion;
    // Versions are opaque in principle: where they are no numbers, nothing can be waited for.
    if (version === undefined || !/^\d+$/.test(version)) return;
    this.#expect(owner, type, written, (store) => !isOlder(store.resourceVersion, version));
  }

  /** Notes that `owner`'s reconcile deleted this object: seen once that uid is gone from the store or marked as deleted. */
  deleted(owner: ObjectKey, type: ResourceType, gone: KubeObject): void {
    const key = keyOf(gone);
    this.#expect(owner, type, gone, (store) => {
      const known = store.get(key);
      return (
        known === undefined ||
        known.metadata.uid !== gone.metadata.uid ||
        known.metadata.deletionTimestamp !== undefined
      );
    });
  }

  /** Kind of a write that the stores have not seen yet; undefined when the key may be reconciled. */
  waitingFor(owner: ObjectKey): string | undefined {
    const expected = this.#expected.get(owner);
    if (expected === undefined) return undefined;
    for (const [object, expectation] of expected) {
      if (expectation.seen()) expected.delete(object);
      else if (this.#clock.monotonicMs() - expectation.atMs > this.#maxWaitMs) {
        expected.delete(object);
        this.#observer.count('stale_sync_given_up_total', { kind: expectation.kind });
        this.#log.warn('own write never seen, going on without it', { owner, object });
      } else return expectation.kind;
    }
    this.#expected.delete(owner);
    return undefined;
  }

  /** Forgets an owner: it is gone, or was made anew under another uid. */
  forget(owner: ObjectKey): void {
    this.#expected.delete(owner);
  }

  /** Owners with writes that were not seen when last asked. */
  get size(): number {
    return this.#expected.size;
  }

  #expect(
    owner: ObjectKey,
    type: ResourceType,
    object: KubeObject,
    isIn: (store: StoreReader<KubeObject>) => boolean,
  ): void {
    const kind = kindOf(type);
    const tracked = this.#stores.get(kind)?.find(({ holds }) => holds(object));
    if (tracked === undefined || isIn(tracked.store)) return;
    let expected = this.#expected.get(owner);
    if (expected === undefined) {
      expected = new Map();
      this.#expected.set(owner, expected);
    }
    const seen = () => isIn(tracked.store);
    expected.set(`${kind} ${keyOf(object)}`, { kind, atMs: this.#clock.monotonicMs(), seen });
  }
}

const kindOf = (type: ResourceType) => (type.group === '' ? type.kind : `${type.kind}.${type.group}`);

/** True when `known` is surely older than `version`; versions are decimal numbers that outgrow a double. */
function isOlder(known: string | undefined, version: string): boolean {
  if (known === undefined) return true;
  if (!/^\d+$/.test(known)) return false;
  return BigInt(known) < BigInt(version);
}
