import { afterEach, describe, expect, test } from '@jest/globals';
import { HeldClock } from './clock.ts';
import { ApiError } from './errors.ts';
import { MetricsRegistry } from './metrics.ts';
import type { KubeObject } from './objects.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { resources } from './resource.ts';
import type { StoreChange } from './store.ts';
import { failure } from './testing/fake-api.ts';
import { event, ScriptedApi, thing } from './testing/scripted-api.ts';

const running: Reflector[] = [];
afterEach(async () => {
  for (const reflector of running.splice(0)) await reflector.stop();
});

async function start(api: ScriptedApi, options: Partial<ReflectorOptions<KubeObject>> = {}) {
  const clock = new HeldClock();
  const observer = new MetricsRegistry();
  const reflector = new Reflector({
    api,
    type: resources.pods,
    clock,
    observer,
    random: () => 0.5,
    ...options,
  });
  const changes: StoreChange<KubeObject>[] = [];
  reflector.onChange((change) => changes.push(change));
  running.push(reflector);
  reflector.start();
  await clock.run(0);
  const told = () => changes.splice(0).map(({ type, key }) => `${type} ${key}`);
  return { clock, observer, reflector, told };
}

const network = (reason: string) => new ApiError({ code: 0, reason, message: reason });

describe('the reflector', () => {
  test('lists in pages, then watches from the version of the list', async () => {
    const api = new ScriptedApi();
    api.listAnswers = [
      { metadata: { resourceVersion: '10', continue: 'more' }, items: [thing('a', 1)] },
      { metadata: { resourceVersion: '10' }, items: [thing('b', 2)] },
    ];
    const { reflector, told } = await start(api, { labelSelector: 'x=y' });
    await reflector.whenSynced();
    expect(api.lists).toMatchObject([
      { limit: 500, resourceVersion: '0', labelSelector: 'x=y' },
      { limit: 500, continue: 'more', labelSelector: 'x=y' },
    ]);
    expect(api.lists[1]).not.toHaveProperty('resourceVersion');
    expect(api.watches).toMatchObject([{ resourceVersion: '10', timeoutSeconds: 450, labelSelector: 'x=y' }]);
    expect(told()).toEqual(['added ns/a', 'added ns/b']);
  });

  test('follows events and bookmarks, and drops managedFields', async () => {
    const api = new ScriptedApi();
    const managed = thing('a', 11, { managedFields: [{ manager: 'x' }] });
    api.watchScripts = [
      [
        event('ADDED', managed),
        event('MODIFIED', thing('a', 12)),
        event('DELETED', thing('a', 13)),
        event('BOOKMARK', thing('', 99)),
        'open',
      ],
    ];
    const { reflector, told } = await start(api);
    expect(told()).toEqual(['added ns/a', 'updated ns/a', 'deleted ns/a']);
    expect(reflector.store.resourceVersion).toBe('99');
    expect(managed.metadata.managedFields).toBeDefined();
  });

  const resumed: Record<string, Error> = {
    'connection refused': network('ConnectionRefused'),
    'connection reset': network('Network'),
    'no answer in time': network('Timeout'),
    '429': failure(429, 'TooManyRequests'),
  };
  test.each(Object.entries(resumed))(
    '%s: waits, then resumes from the same version without a list',
    async (_name, error) => {
      const api = new ScriptedApi();
      api.watchScripts = [[error], [error], ['open']];
      const { clock } = await start(api);
      expect(api.watches).toHaveLength(1);
      await clock.run(1199);
      expect(api.watches).toHaveLength(1);
      await clock.run(1);
      expect(api.watches).toHaveLength(2);
      await clock.run(2400);
      expect(api.watches.map((watch) => watch.resourceVersion)).toEqual(['10', '10', '10']);
      expect(api.lists).toHaveLength(1);
    },
  );

  const relisted: Record<string, Error> = {
    '500': failure(500, 'InternalError'),
    'a malformed line': network('Protocol'),
    'an error of our own making': new TypeError('bug'),
  };
  test.each(Object.entries(relisted))('%s: waits, then lists from the last version', async (_name, error) => {
    const api = new ScriptedApi();
    api.watchScripts = [[event('ADDED', thing('a', 11)), error]];
    const { clock, told } = await start(api);
    await clock.run(1200);
    expect(api.lists.map((list) => list.resourceVersion)).toEqual(['0', '11']);
    expect(told()).toEqual(['added ns/a', 'deleted ns/a']);
  });

  test('410: one list from the newest version, with DELETEs for what went meanwhile', async () => {
    const api = new ScriptedApi();
    api.listAnswers = [
      { metadata: { resourceVersion: '10' }, items: [thing('a', 1), thing('b', 2)] },
      { metadata: { resourceVersion: '50' }, items: [thing('b', 2)] },
    ];
    api.watchScripts = [[failure(410, 'Expired')], ['open']];
    const { clock, told } = await start(api);
    told();
    await clock.run(2000);
    expect(api.lists.map((list) => list.resourceVersion)).toEqual(['0', '']);
    expect(api.watches.map((watch) => watch.resourceVersion)).toEqual(['10', '50']);
    expect(told()).toEqual(['deleted ns/a']);
  });

  test('410 for a continue token: one whole list instead', async () => {
    const api = new ScriptedApi();
    api.listAnswers = [
      { metadata: { resourceVersion: '10', continue: 'old' }, items: [thing('a', 1)] },
      failure(410, 'Expired'),
      { metadata: { resourceVersion: '20' }, items: [thing('a', 1), thing('b', 2)] },
    ];
    const { reflector } = await start(api);
    expect(api.lists.map(({ limit, resourceVersion }) => [limit, resourceVersion])).toEqual([
      [500, '0'],
      [500, undefined],
      [undefined, ''],
    ]);
    expect(reflector.store.size).toBe(2);
  });

  test('a version that the server does not know yet (it lost its memory): a list without version', async () => {
    const api = new ScriptedApi();
    const tooLarge = new ApiError({
      code: 504,
      reason: 'Timeout',
      message: 'Too large resource version: 10',
    });
    api.watchScripts = [[tooLarge]];
    const { clock } = await start(api);
    await clock.run(2000);
    expect(api.lists.map((list) => list.resourceVersion)).toEqual(['0', '']);
  });

  test('a watch that ends after a healthy while is renewed at once; one that ends at once waits', async () => {
    const api = new ScriptedApi();
    api.watchScripts = [[], []];
    const { clock } = await start(api);
    expect(api.watches).toHaveLength(1);
    await clock.run(1200);
    expect(api.watches).toHaveLength(2);
  });

  test('a list that fails keeps the store, and the back-off grows', async () => {
    const api = new ScriptedApi();
    api.listAnswers = [
      { metadata: { resourceVersion: '10' }, items: [thing('a', 1)] },
      failure(503, 'ServiceUnavailable'),
    ];
    api.watchScripts = [[failure(500, 'InternalError')]];
    const { clock, reflector } = await start(api);
    await clock.run(60_000);
    expect(reflector.store.size).toBe(1);
    expect(api.lists.length).toBeLessThanOrEqual(7);
  });

  test('a handler that throws is counted, and the other handlers still hear', async () => {
    const api = new ScriptedApi();
    const ended = network('Network');
    api.watchScripts = [[ended], [event('ADDED', thing('a', 11)), event('ADDED', thing('b', 12)), 'open']];
    const { reflector, observer, clock } = await start(api);
    const heard: string[] = [];
    reflector.onChange(() => {
      throw new Error('bug');
    });
    reflector.onChange(({ key }) => heard.push(key));
    await clock.run(2000);
    expect(heard).toEqual(['ns/a', 'ns/b']);
    expect(observer.value('handler_errors_total', { kind: 'Pod' })).toBe(2);
  });

  test('tells how long the server has been silent, and when that is too long', async () => {
    const api = new ScriptedApi();
    const { clock, reflector } = await start(api, { watchSeconds: [60, 60] });
    await clock.run(119_999);
    expect([reflector.idleMs, reflector.stalled]).toEqual([119_999, false]);
    await clock.run(2);
    expect(reflector.stalled).toBe(true);
  });

  test('stopped before the first list: whoever waits for it is told', async () => {
    const api = new ScriptedApi();
    api.listAnswers = [failure(503, 'ServiceUnavailable')];
    const { reflector } = await start(api);
    await reflector.stop();
    await expect(reflector.whenSynced()).rejects.toThrow('stopped before the first list');
  });
});
