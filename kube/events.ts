/** Kubernetes Events as people read them: repeats are counted, look-alikes combined, floods dropped, nobody waits for them. */
import type { KubeApi } from './api.ts';
import { type Clock, realClock, sleep } from './clock.ts';
import { isAlreadyExists, isNotFound, isRetryable, retryAfterMs } from './errors.ts';
import { type Log, messageOf, noLog } from './log.ts';
import { noObserver, type Observer } from './metrics.ts';
import type { KubeEvent, KubeObject } from './objects.ts';
import { resources } from './resource.ts';
import { TokenBucket } from './retry.ts';

export interface EventRecorderOptions {
  readonly api: KubeApi;
  /** `reportingComponent`: what kubectl shows in the column FROM. */
  readonly component: string;
  /** `reportingInstance`: which process. */
  readonly instance: string;
  readonly clock?: Clock;
  readonly log?: Log;
  readonly observer?: Observer;
}

export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, from a closed list. */
  readonly reason: string;
  readonly message: string;
  readonly action?: string;
}

/** client-go's numbers: 25 events of each type at once per object, then one in five minutes; above 10 look-alikes in 10 minutes one stands for all. */
const burstPerObject = 25;
const perObjectPerSecond = 1 / 300;
const similarWithinMs = 600_000;
const maxSimilar = 10;
const maxMessageLength = 1024;
const maxPending = 1000;
const maxRemembered = 4096;
const maxTries = 4;

interface Posted {
  readonly name: string;
  readonly namespace: string;
  count: number;
  lastMs: number;
}

interface Similar {
  readonly messages: Set<string>;
  sinceMs: number;
}

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #observer: Observer;
  readonly #posted = new Map<string, Posted>();
  readonly #similar = new Map<string, Similar>();
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #stopped = new AbortController();
  #pending = 0;
  #serial = 0;
  #tail: Promise<void> = Promise.resolve();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#log = options.log ?? noLog;
    this.#observer = options.observer ?? noObserver;
  }

  /** Says something about an object. Returns at once; what cannot be delivered is counted and dropped. */
  record(about: KubeObject, note: EventNote): void {
    const nowMs = this.#clock.monotonicMs();
    const subject = `${about.metadata.uid ?? ''} ${about.kind ?? ''} ${about.metadata.name ?? ''}`;
    // Warnings have a budget of their own: many ordinary events must not keep the one that says what failed.
    const bucket = remembered(
      this.#buckets,
      `${subject} ${note.type}`,
      () => new TokenBucket(perObjectPerSecond, burstPerObject, nowMs),
    );
    if (this.#pending >= maxPending || this.#stopped.signal.aborted || !bucket.tryTake(nowMs)) {
      this.#observer.count('events_dropped_total');
      return;
    }
    const message = note.message.slice(0, maxMessageLength);
    const combined = this.#isOneTooMany(`${subject} ${note.type} ${note.reason}`, message, nowMs);
    const key = `${subject} ${note.type} ${note.reason} ${combined ? '' : message}`;
    const text = combined ? `(combined from similar events): ${message}`.slice(0, maxMessageLength) : message;
    const wallMs = this.#clock.now();
    this.#pending += 1;
    this.#tail = this.#tail
      .then(() => this.#deliver(about, { ...note, message: text }, key, wallMs))
      .finally(() => {
        this.#pending -= 1;
      });
  }

  /** Resolves when everything recorded so far was delivered or given up, or after `timeoutMs`; later events are dropped. */
  async close(timeoutMs = 2000): Promise<void> {
    const cancel = this.#clock.setTimer(timeoutMs, () => this.#stopped.abort());
    await this.#tail;
    cancel();
    this.#stopped.abort();
  }

  #isOneTooMany(group: string, message: string, nowMs: number): boolean {
    const similar = remembered(this.#similar, group, () => ({ messages: new Set<string>(), sinceMs: nowMs }));
    if (nowMs - similar.sinceMs > similarWithinMs) {
      similar.messages.clear();
      similar.sinceMs = nowMs;
    }
    if (similar.messages.size < maxSimilar) similar.messages.add(message);
    return !similar.messages.has(message);
  }

  async #deliver(about: KubeObject, note: EventNote, key: string, wallMs: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        const posted = this.#posted.get(key);
        const isNew = posted === undefined || posted.count === 0;
        if (isNew || this.#clock.monotonicMs() - posted.lastMs > similarWithinMs)
          await this.#create(about, note, key, wallMs);
        else await this.#countUp(posted, note, wallMs);
        this.#observer.count('events_sent_total', { type: note.type });
        return;
      } catch (error) {
        // The server keeps events for an hour only.
        if (isNotFound(error) && this.#posted.delete(key) && attempt < maxTries) continue;
        if (!isRetryable(error) || attempt >= maxTries || this.#stopped.signal.aborted) {
          this.#observer.count('events_dropped_total');
          this.#log.debug('event not delivered', { reason: note.reason, error: messageOf(error) });
          return;
        }
        await sleep(this.#clock, retryAfterMs(error) ?? 1000 * attempt, this.#stopped.signal);
      }
    }
  }

  async #create(about: KubeObject, note: EventNote, key: string, wallMs: number): Promise<void> {
    const { component, instance, api } = this.#options;
    const { name = '', uid } = about.metadata;
    // Events about objects without a namespace live in `default`.
    const namespace = about.metadata.namespace ?? 'default';
    const tried = this.#posted.get(key);
    // A second try keeps the name, so that a first one that did arrive is recognised.
    const eventName = tried?.count === 0 ? tried.name : this.#nameFor(name, wallMs);
    const entry = { name: eventName, namespace, count: 0, lastMs: this.#clock.monotonicMs() };
    this.#posted.delete(key);
    remembered(this.#posted, key, () => entry);
    const time = second(wallMs);
    const event: KubeEvent = {
      metadata: { name: eventName, namespace },
      involvedObject: {
        ...(about.apiVersion === undefined ? {} : { apiVersion: about.apiVersion }),
        ...(about.kind === undefined ? {} : { kind: about.kind }),
        name,
        ...(about.metadata.namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
      },
      type: note.type,
      reason: note.reason,
      message: note.message,
      count: 1,
      firstTimestamp: time,
      lastTimestamp: time,
      source: { component },
      reportingComponent: component,
      reportingInstance: instance,
      ...(note.action === undefined ? {} : { action: note.action }),
    };
    try {
      await api.create(resources.events, event, { signal: this.#stopped.signal });
    } catch (error) {
      // The first try arrived and only its answer was lost.
      if (!isAlreadyExists(error)) throw error;
    }
    entry.count = 1;
  }

  #nameFor(subject: string, wallMs: number): string {
    this.#serial += 1;
    return `${subject.slice(0, 200)}.${wallMs.toString(16)}${this.#serial.toString(16).padStart(4, '0')}`;
  }

  async #countUp(posted: Posted, note: EventNote, wallMs: number): Promise<void> {
    await this.#options.api.patch(
      resources.events,
      posted,
      { count: posted.count + 1, lastTimestamp: second(wallMs), message: note.message },
      { patchType: 'application/merge-patch+json', signal: this.#stopped.signal },
    );
    posted.count += 1;
    posted.lastMs = this.#clock.monotonicMs();
  }
}

/** Entry of a bounded map, made when missing; the one that was not used longest goes first. */
function remembered<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  const value = known ?? make();
  map.delete(key);
  map.set(key, value);
  if (map.size > maxRemembered) {
    for (const oldest of map.keys()) {
      map.delete(oldest);
      break;
    }
  }
  return value;
}

const second = (wallMs: number) => new Date(wallMs).toISOString().replace(/\.\d+Z$/, 'Z');
