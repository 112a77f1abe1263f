import { afterEach, describe, expect, test } from '@jest/globals';
import { HeldClock } from './clock.ts';
import { ConsistencyTracker } from './consistency.ts';
import { Controller, type ControllerOptions, type Reconcile } from './controller.ts';
import { TerminalError } from './errors.ts';
import { MetricsRegistry } from './metrics.ts';
import type { KubeObject } from './objects.ts';
import { Reflector } from './reflector.ts';
import { resources } from './resource.ts';
import { failure } from './testing/fake-api.ts';
import { event, ScriptedApi, thing, type WatchScript } from './testing/scripted-api.ts';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of cleanUp.splice(0)) await stop();
});

interface Setting {
  readonly items?: KubeObject[];
  readonly watch?: WatchScript;
  readonly options?: Partial<ControllerOptions>;
  readonly wire?: (controller: Controller, reflector: Reflector) => void;
}

async function start(
  reconcile: Reconcile,
  { items = [], watch = ['open'], options = {}, wire }: Setting = {},
) {
  const clock = new HeldClock();
  const observer = new MetricsRegistry();
  const api = new ScriptedApi();
  api.listAnswers = [{ metadata: { resourceVersion: '10' }, items }];
  api.watchScripts = [watch];
  const reflector = new Reflector({ api, type: resources.configMaps, clock, observer });
  const controller = new Controller({
    name: 'test',
    reconcile,
    clock,
    observer,
    random: () => 0.5,
    ...options,
  });
  if (wire === undefined) controller.watchPrimary(reflector);
  else wire(controller, reflector);
  cleanUp.push(async () => {
    await controller.stop(0);
    await reflector.stop();
  });
  reflector.start();
  await controller.start();
  await clock.run(0);
  return { clock, observer, controller, reflector };
}

describe('the controller', () => {
  test('reconciles what the list holds and what events change', async () => {
    const seen: string[] = [];
    await start(async (key) => void seen.push(key), {
      items: [thing('a', 1), thing('b', 2)],
      watch: [event('ADDED', thing('c', 11)), event('DELETED', thing('a', 12)), 'open'],
    });
    expect(new Set(seen)).toEqual(new Set(['ns/a', 'ns/b', 'ns/c']));
  });

  test('never runs one key twice at once, and runs it again for what came meanwhile', async () => {
    let inWork = 0;
    let most = 0;
    let runs = 0;
    const gate = Promise.withResolvers<void>();
    const { controller, clock } = await start(
      async () => {
        inWork += 1;
        runs += 1;
        most = Math.max(most, inWork);
        await gate.promise;
        inWork -= 1;
        return undefined;
      },
      { items: [thing('a', 1)] },
    );
    for (let i = 0; i < 5; i++) controller.enqueue('ns/a');
    gate.resolve();
    await clock.run(0);
    expect([most, runs]).toEqual([1, 2]);
  });

  test('retries errors slower and slower, forgets success, gives terminal errors up', async () => {
    const atMs: number[] = [];
    let answer: () => void = () => {
      throw new Error('not yet');
    };
    const { clock, observer, controller } = await start(
      async () => {
        atMs.push(clockNow());
        answer();
        return undefined;
      },
      { items: [thing('a', 1)] },
    );
    const clockNow = () => clock.monotonicMs();
    await clock.run(100);
    expect(atMs.length).toBeGreaterThan(3);
    answer = () => {};
    await clock.run(1000);
    const done = atMs.length;
    await clock.run(60_000);
    expect(atMs.length).toBe(done);
    answer = () => {
      throw new TerminalError('never');
    };
    controller.enqueue('ns/a');
    await clock.run(60_000);
    expect(atMs.length).toBe(done + 1);
    expect(observer.value('reconciles_total', { controller: 'test', result: 'terminal' })).toBe(1);
    expect(observer.value('reconciles_total', { controller: 'test', result: 'success' })).toBe(1);
  });

  test('waits as long as the server asked, and treats a conflict as routine', async () => {
    let runs = 0;
    const errors = [failure(429, 'TooManyRequests', 7000), failure(409, 'Conflict')];
    const { clock, observer } = await start(
      async () => {
        runs += 1;
        const error = errors.shift();
        if (error !== undefined) throw error;
        return undefined;
      },
      { items: [thing('a', 1)] },
    );
    await clock.run(6999);
    expect(runs).toBe(1);
    await clock.run(1000);
    expect(runs).toBe(3);
    expect(observer.value('reconciles_total', { controller: 'test', result: 'requeue' })).toBe(1);
    expect(observer.value('reconciles_total', { controller: 'test', result: 'error' })).toBe(1);
  });

  test('comes back after the time that the result names, and every 10 minutes anyway', async () => {
    let runs = 0;
    const { clock } = await start(
      async () => {
        runs += 1;
        return runs === 1 ? { requeueAfterMs: 5000 } : undefined;
      },
      { items: [thing('a', 1)] },
    );
    await clock.run(4999);
    expect(runs).toBe(1);
    await clock.run(1);
    expect(runs).toBe(2);
    await clock.run(600_000);
    expect(runs).toBe(3);
  });

  test('holds a key back while its own write is unseen, counts the skips, and lets others pass', async () => {
    const seen: string[] = [];
    const tracker = new ConsistencyTracker();
    const { clock, observer, reflector, controller } = await start(async (key) => void seen.push(key), {
      options: { consistency: tracker },
    });
    tracker.track(resources.configMaps, reflector.store);
    tracker.wrote('ns/a', resources.configMaps, thing('child', 15));
    controller.enqueue('ns/a');
    controller.enqueue('ns/b');
    await clock.run(3000);
    expect(seen).toEqual(['ns/b']);
    expect(observer.value('stale_sync_skips_total', { controller: 'test', kind: 'ConfigMap' })).toBe(4);
    reflector.store.advance('15');
    await clock.run(1000);
    expect(seen).toEqual(['ns/b', 'ns/a']);
  });

  test('enqueues the controlling owner of a child, the former one too', async () => {
    const owned = (version: number, owner: string, controls = true) =>
      thing('child', version, {
        ownerReferences: [
          { apiVersion: 'x/v1', kind: 'Parent', name: owner, uid: owner, controller: controls },
        ],
      });
    const seen: string[] = [];
    await start(async (key) => void seen.push(key), {
      items: [owned(1, 'first')],
      watch: [event('MODIFIED', owned(11, 'second')), 'open'],
      wire: (controller, reflector) => controller.watchOwned(reflector, 'Parent'),
    });
    expect(new Set(seen)).toEqual(new Set(['ns/first', 'ns/second']));
  });

  test('a mapping that throws is counted, and the key is enqueued all the same', async () => {
    const child = thing('child', 1, {
      ownerReferences: [{ apiVersion: 'x/v1', kind: 'Parent', name: 'boss', uid: 'b', controller: true }],
    });
    const seen: string[] = [];
    const { observer } = await start(async (key) => void seen.push(key), {
      items: [child],
      wire: (controller, reflector) =>
        controller.watchMapped(reflector, () => {
          throw new Error('bug');
        }),
    });
    expect(seen).toEqual(['ns/boss']);
    expect(observer.value('handler_errors_total', { kind: 'ConfigMap' })).toBe(1);
  });

  test('stop lets a running reconcile end, aborts it after the drain time, and starts nothing new', async () => {
    let aborted = false;
    let runs = 0;
    const { controller, clock } = await start(
      (_key, { signal }) =>
        new Promise((resolve) => {
          runs += 1;
          signal.addEventListener('abort', () => {
            aborted = true;
            resolve(undefined);
          });
        }),
      { items: [thing('a', 1)], options: { workers: 1 } },
    );
    controller.enqueue('ns/b');
    const stopped = controller.stop(20_000);
    await clock.run(19_999);
    expect(aborted).toBe(false);
    await clock.run(1);
    await stopped;
    expect([aborted, runs]).toEqual([true, 1]);
  });
});
