/** Server-side apply that is left out when it would change nothing, and that tells what it did. */
import { createHash } from 'node:crypto';
import type { CallOptions, KubeApi } from './api.ts';
import { covers } from './covers.ts';
import type { KubeObject } from './objects.ts';
import type { ResourceType } from './resource.ts';
import { keyOf } from './store.ts';

export interface ApplierOptions {
  readonly api: KubeApi;
  /** Owner of the fields: the whole object that is applied, each time. */
  readonly fieldManager: string;
  /** Annotation that keeps the hash of what was applied last: with it a new process knows that nothing is to do. */
  readonly hashAnnotation: string;
  /** Bound of the memory of what was applied. Default 20,000 objects. */
  readonly maxRemembered?: number;
}

export type ApplyOutcome =
  /** Not sent: the live object is what was applied last and says all of it. */
  | 'skipped'
  | 'created'
  /** Sent because the wanted object changed. */
  | 'changed'
  /** Sent because somebody changed a field of ours. */
  | 'corrected'
  /** Sent, and the server found nothing to change. */
  | 'noop';

export interface Applied<T extends KubeObject> {
  readonly outcome: ApplyOutcome;
  /** The object as the server has it (as the store has it when skipped). */
  readonly object: T;
  /** The server's answer does not say what was applied: an admission webhook changed it in passing. */
  readonly mutated: boolean;
}

interface Remembered {
  readonly hash: string;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}

export class Applier {
  readonly #options: ApplierOptions;
  readonly #remembered = new Map<string, Remembered>();

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Applies the whole object, forcing our fields; `live` is the store's copy, undefined when there is none. */
  async apply<T extends KubeObject>(
    type: ResourceType,
    wanted: KubeObject,
    live: T | undefined,
    options: CallOptions = {},
  ): Promise<Applied<T>> {
    const { api, fieldManager, hashAnnotation } = this.#options;
    const hash = hashOf(wanted);
    const cacheKey = `${type.group}/${type.kind} ${keyOf(wanted)}`;
    const annotations = { ...wanted.metadata.annotations, [hashAnnotation]: hash };
    const { uid: liveUid } = live?.metadata ?? {};
    const request: KubeObject = {
      ...wanted,
      metadata: {
        ...wanted.metadata,
        annotations,
        // A precondition: what was deleted behind the store's back must not rise again by our update (409 instead).
        ...(liveUid === undefined ? {} : { uid: liveUid }),
      },
    };
    const sameAsBefore = live?.metadata.annotations?.[hashAnnotation] === hash;
    if (
      live !== undefined &&
      (this.#isRemembered(cacheKey, hash, live) || (sameAsBefore && covers(live, request)))
    )
      return { outcome: 'skipped', object: live, mutated: false };
    const object = await api.apply<T>(type, request, { ...options, fieldManager, force: true });
    const { uid, resourceVersion } = object.metadata;
    this.#remember(cacheKey, { hash, uid, resourceVersion });
    const mutated = !covers(object, request);
    if (live === undefined) return { outcome: 'created', object, mutated };
    if (resourceVersion === live.metadata.resourceVersion) return { outcome: 'noop', object, mutated };
    return { outcome: sameAsBefore ? 'corrected' : 'changed', object, mutated };
  }

  /** Forgets an object that was deleted. */
  forget(type: ResourceType, object: KubeObject): void {
    this.#remembered.delete(`${type.group}/${type.kind} ${keyOf(object)}`);
  }

  /** The server already said that this very request changes nothing on this very version. */
  #isRemembered(cacheKey: string, hash: string, live: KubeObject): boolean {
    const known = this.#remembered.get(cacheKey);
    return (
      known !== undefined &&
      known.hash === hash &&
      known.uid === live.metadata.uid &&
      known.resourceVersion === live.metadata.resourceVersion
    );
  }

  #remember(cacheKey: string, entry: Remembered): void {
    this.#remembered.delete(cacheKey);
    this.#remembered.set(cacheKey, entry);
    if (this.#remembered.size <= (this.#options.maxRemembered ?? 20_000)) return;
    for (const oldest of this.#remembered.keys()) {
      this.#remembered.delete(oldest);
      break;
    }
  }
}

/** Hash of a value that does not depend on the order of its fields; 16 hex digits. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(',')}}`;
}
