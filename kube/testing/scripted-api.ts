/** A `KubeApi` whose lists and watches follow a script: for tests of what a reflector does with each answer. */
import type { ListOptions, WatchOptions } from '../api.ts';
import type { KubeList, KubeObject, WatchEvent } from '../objects.ts';
import { FakeApi } from './fake-api.ts';

type ListAnswer = KubeList<KubeObject> | Error;
/** Events in order; an error ends the watch with it, `'open'` leaves it silent until it is aborted, the end closes it. */
export type WatchScript = readonly (WatchEvent | Error | 'open')[];

export class ScriptedApi extends FakeApi {
  readonly lists: ListOptions[] = [];
  readonly watches: WatchOptions[] = [];
  /** Answers to lists, in order; the last one stays. */
  listAnswers: ListAnswer[] = [{ metadata: { resourceVersion: '10' }, items: [] }];
  /** Scripts of watches, in order; after the last one watches stay open and silent. */
  watchScripts: WatchScript[] = [];

  override async list<T extends KubeObject>(_type: unknown, options: ListOptions = {}): Promise<KubeList<T>> {
    this.lists.push(options);
    const answer = this.listAnswers.length > 1 ? this.listAnswers.shift() : this.listAnswers[0];
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no answer scripted');
    return structuredClone(answer) as KubeList<T>;
  }

  override async *watch<T extends KubeObject>(
    _type?: unknown,
    options: WatchOptions = { resourceVersion: '', timeoutSeconds: 0 },
  ): AsyncGenerator<WatchEvent<T>> {
    this.watches.push(options);
    for (const step of this.watchScripts.shift() ?? ['open' as const]) {
      if (step instanceof Error) throw step;
      if (step !== 'open') {
        yield structuredClone(step) as WatchEvent<T>;
        continue;
      }
      await new Promise<void>((resolve) => {
        if (options.signal?.aborted) resolve();
        options.signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}

/** An object of a list or event. */
export const thing = (
  name: string,
  version: number | string,
  more: Partial<KubeObject['metadata']> = {},
): KubeObject => ({
  metadata: { namespace: 'ns', name, uid: `uid-${name}`, resourceVersion: String(version), ...more },
});

/** A watch event. */
export const event = (type: WatchEvent['type'], object: KubeObject): WatchEvent => ({ type, object });
