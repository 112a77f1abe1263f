/** Events as `kubectl describe` shows them: the same thing said again raises a count. */
import type { Clock } from '../../kube/clock.ts';
import type { KubeEvent, KubeObject } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import type { ClusterAccess } from './access.ts';
import { failureText, timestamp } from './access.ts';

export interface EventSource {
  readonly component: string;
  readonly host?: string;
}

const rememberedEvents = 2_000;

/** Writes events in the background; a failure to write one is logged and never disturbs the work. */
export class EventLog {
  readonly #access: ClusterAccess;
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  readonly #known = new Map<string, { name: string; namespace: string; count: number }>();
  #tail: Promise<void> = Promise.resolve();
  #sequence = 0;

  constructor(access: ClusterAccess, clock: Clock, log: (line: string) => void) {
    this.#access = access;
    this.#clock = clock;
    this.#log = log;
  }

  /** Says something about an object. */
  say(
    about: KubeObject & { kind?: string | undefined },
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    source: EventSource,
    fieldPath?: string,
  ): void {
    const text = message.length > 1024 ? `${message.slice(0, 1021)}...` : message;
    this.#tail = this.#tail.then(() =>
      this.#write(about, type, reason, text, source, fieldPath).catch((error) => {
        // A namespace that is being deleted refuses new events.
        this.#log(`event ${reason} of ${about.metadata.name ?? ''}: ${failureText(error)}`);
      }),
    );
  }

  /** Resolves when everything said so far was written. */
  flush(): Promise<void> {
    return this.#tail;
  }

  async #write(
    about: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    source: EventSource,
    fieldPath: string | undefined,
  ): Promise<void> {
    const { name = '', uid = '', resourceVersion = '' } = about.metadata;
    const namespace = about.metadata.namespace ?? 'default';
    const key = JSON.stringify([about.kind, uid, type, reason, message, source.component, fieldPath]);
    const now = timestamp(this.#clock.now());
    const known = this.#known.get(key);
    if (known !== undefined) {
      const count = known.count + 1;
      try {
        await this.#access.patch(resources.events, known, { count, lastTimestamp: now });
        known.count = count;
        return;
      } catch {
        // Its hour is over or its namespace was emptied: write it anew.
        this.#known.delete(key);
      }
    }
    const event: KubeEvent & { involvedObject: { fieldPath?: string; resourceVersion?: string } } = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: `${name}.${(this.#clock.now() * 4096 + (this.#sequence++ % 4096)).toString(16)}`,
        namespace,
      },
      involvedObject: {
        ...(about.apiVersion === undefined ? {} : { apiVersion: about.apiVersion }),
        ...(about.kind === undefined ? {} : { kind: about.kind }),
        name,
        ...(about.metadata.namespace === undefined ? {} : { namespace }),
        uid,
        resourceVersion,
        ...(fieldPath === undefined ? {} : { fieldPath }),
      },
      reason,
      message,
      type,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { ...source },
      reportingComponent: source.component,
      reportingInstance: source.host ?? '',
    };
    await this.#access.create(resources.events, event);
    this.#known.set(key, { name: event.metadata.name ?? '', namespace, count: 1 });
    if (this.#known.size > rememberedEvents) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
  }
}
