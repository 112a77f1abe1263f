/** Watches the very objects that hold names which Ballast needs: a conflict ends when they do, not at the next look. */
import type { KubeApi } from '../../kube/api.ts';
import type { ObjectKey } from '../../kube/resource.ts';
import type { ChildKey, ChildKind } from '../model/snapshot.ts';
import { childType } from './kinds.ts';

export interface ConflictWatchesOptions {
  readonly api: Pick<KubeApi, 'watch'>;
  /** The holder of a child's name changed or went: what is remembered of it is void. */
  readonly onChange: (key: ObjectKey, uid: string, child: ChildKey) => void;
  /** Each is a connection; further conflicts wait for the next look. Default 20. */
  readonly most?: number;
}

/** A watch that ended begins anew with the next look, which comes twice a minute. */
const watchSeconds = 300;

export class ConflictWatches {
  readonly #options: ConflictWatchesOptions;
  readonly #watches = new Map<string, AbortController>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: ConflictWatchesOptions) {
    this.#options = options;
  }

  /** The names that a ModelDeployment waits for at present; none ends its watches. */
  set(key: ObjectKey, uid: string, children: readonly ChildKey[]): void {
    const wanted = new Set(children.map((child) => `${key} ${child}`));
    for (const [name, stop] of this.#watches)
      if (name.startsWith(`${key} `) && !wanted.has(name)) {
        stop.abort();
        this.#watches.delete(name);
      }
    for (const child of children) {
      const name = `${key} ${child}`;
      if (this.#watches.has(name) || this.#watches.size >= (this.#options.most ?? 20)) continue;
      const stop = new AbortController();
      this.#watches.set(name, stop);
      const running = this.#watch(key, uid, child, stop.signal).finally(() => {
        if (this.#watches.get(name) === stop) this.#watches.delete(name);
        this.#running.delete(running);
      });
      this.#running.add(running);
    }
  }

  get size(): number {
    return this.#watches.size;
  }

  /** Ends every watch. */
  async stop(): Promise<void> {
    for (const stop of this.#watches.values()) stop.abort();
    await Promise.all(this.#running);
  }

  async #watch(key: ObjectKey, uid: string, child: ChildKey, signal: AbortSignal): Promise<void> {
    const slash = child.indexOf('/');
    const events = this.#options.api.watch(childType(child.slice(0, slash) as ChildKind), {
      namespace: key.slice(0, key.indexOf('/')),
      fieldSelector: `metadata.name=${child.slice(slash + 1)}`,
      resourceVersion: '0',
      timeoutSeconds: watchSeconds,
      signal,
    });
    try {
      for await (const { type } of events) {
        if (type !== 'DELETED' && type !== 'MODIFIED') continue;
        if (!signal.aborted) this.#options.onChange(key, uid, child);
        return;
      }
    } catch {
      // Whatever it was, the next look comes by itself.
    }
  }
}
