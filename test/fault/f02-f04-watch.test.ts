/** F2-F4: what a reflector does when its watch breaks, ages or has nothing to tell. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ConfigMap } from '../../kube/objects.ts';
import { Reflector, type ReflectorOptions } from '../../kube/reflector.ts';
import { resources } from '../../kube/resource.ts';
import { keyOf, type StoreChange } from '../../kube/store.ts';
import { most, note, seeds } from './figures.ts';
import type { WatchStream } from './watch-stream.ts';
import { type Link, World } from './world.ts';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

interface Watched {
  readonly world: World;
  readonly link: Link;
  readonly reflector: Reflector<ConfigMap>;
  readonly changes: StoreChange<ConfigMap>[];
  lists(): number;
}

async function watched(seed: number, options: Partial<ReflectorOptions<ConfigMap>> = {}): Promise<Watched> {
  const made = await World.start(seed);
  world = made;
  for (const name of ['a', 'b', 'c']) made.createConfigMap(name, 'thing');
  const link = await made.link();
  const reflector = new Reflector<ConfigMap>({
    api: link.client,
    type: resources.configMaps,
    labelSelector: 'role=thing',
    clock: made.clock,
    random: made.random,
    observer: link.metrics,
    ...options,
  });
  const changes: StoreChange<ConfigMap>[] = [];
  reflector.onChange((change) => changes.push(change));
  made.onClose(() => reflector.stop());
  reflector.start();
  await made.until(() => link.proxy.watches().length === 1, 'the first watch', 1000);
  changes.length = 0;
  return { world: made, link, reflector, changes, lists: () => link.metrics.total('reflector_lists_total') };
}

/** Objects that the store lacks, has too much, or has in another version than the API. */
function lostOf({ world, reflector }: Watched): number {
  const versions = (objects: readonly ConfigMap[]) =>
    new Set(objects.map((object) => `${keyOf(object)} ${object.metadata.resourceVersion}`));
  const ours = versions(reflector.store.list());
  const theirs = versions(world.configMaps('thing'));
  return [...ours, ...theirs].filter((version) => !ours.has(version) || !theirs.has(version)).length;
}

describe('F2 watch drop', () => {
  const drops: Record<string, { breakIt: (watch: WatchStream) => void; boundMs: number }> = {
    FIN: { breakIt: (watch) => watch.fin(), boundMs: 2000 },
    'close in the middle of the body': { breakIt: (watch) => watch.close(), boundMs: 2000 },
    RST: { breakIt: (watch) => watch.rst(), boundMs: 2000 },
    'mid-JSON cut': { breakIt: (watch) => watch.cutMidJson(), boundMs: 2000 },
    'black hole': { breakIt: (watch) => watch.blackHole(), boundMs: 60_000 },
    'half-open': { breakIt: (watch) => watch.halfOpen(), boundMs: 60_000 },
  };
  test.each(Object.entries(drops))(
    '%s: the next event is seen in time and nothing is lost',
    async (name, { breakIt, boundMs }) => {
      for (const seed of seeds(20)) {
        const it = await watched(seed, { watchSeconds: [30, 30] });
        await it.world.run(Math.floor(it.world.random() * 20_000) + 1000);
        const watch = it.link.proxy.watches()[0];
        expect(watch).toBeDefined();
        if (watch !== undefined) breakIt(watch);
        it.world.createConfigMap('new', 'thing');
        it.world.editConfigMap('a', { x: '1' });
        it.world.deleteConfigMap('b');
        const tookMs = await it.world.until(
          () => it.reflector.store.resourceVersion === String(it.world.server.registry.core.storage.revision),
          `seed ${seed}: the events after a ${name}`,
          boundMs,
        );
        expect(lostOf(it)).toBe(0);
        expect(it.changes.map(({ type, key }) => `${type} ${key}`).sort()).toEqual([
          'added default/new',
          'deleted default/b',
          'updated default/a',
        ]);
        note(
          'F2',
          name,
          most('events seen after', tookMs / 1000, 's', boundMs / 1000),
          most('relists', it.lists() - 1),
          most('lost', lostOf(it), '', 0),
        );
        await it.world.close();
        world = undefined;
      }
    },
  );

  test('a line that is no JSON: one relist, no event skipped', async () => {
    const it = await watched(1);
    await it.world.run(5000);
    it.world.editConfigMap('a', { x: '1' });
    it.link.proxy.watches()[0]?.inject('{"type":"MODIFIED","object":{"metadata":{"na\n');
    it.world.editConfigMap('b', { x: '2' });
    await it.world.run(2000);
    expect(lostOf(it)).toBe(0);
    expect(it.lists()).toBe(2);
    note('F2', 'malformed line', most('relists', it.lists() - 1, '', 1), most('lost', lostOf(it), '', 0));
  });
});

describe('F3 410 Gone', () => {
  test('at connect: one relist, DELETE events for what went meanwhile', async () => {
    const it = await watched(1);
    await it.world.run(40_000);
    let refused = 0;
    it.link.proxy.rule = ({ isWatch }) => {
      if (!isWatch || refused > 0) return undefined;
      refused += 1;
      return {
        kind: 'status',
        code: 410,
        body: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' },
      };
    };
    it.link.proxy.watches()[0]?.fin();
    it.world.deleteConfigMap('a');
    await it.world.run(3000);
    expect(lostOf(it)).toBe(0);
    expect(it.lists()).toBe(2);
    expect(it.changes.map(({ type, key, fromList }) => `${type} ${key} ${fromList}`)).toEqual([
      'deleted default/a true',
    ]);
    note('F3', '410 at connect', most('relists', it.lists() - 1, '', 1), most('lost', lostOf(it), '', 0));
  });

  test('at connect, from a server that really forgot', async () => {
    const it = await watched(1);
    await it.world.run(40_000);
    it.link.proxy.watches()[0]?.blackHole();
    it.world.deleteConfigMap('a');
    it.world.createConfigMap('d', 'thing');
    it.world.server.registry.core.storage.compact();
    await it.world.run(700_000);
    expect(lostOf(it)).toBe(0);
    expect(it.lists()).toBe(2);
    note('F3', 'compaction while black-holed', most('relists', it.lists() - 1, '', 1));
  });

  test('in the stream: one relist', async () => {
    const it = await watched(1);
    await it.world.run(40_000);
    const watch = it.link.proxy.watches()[0];
    watch?.inject(
      '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}\n',
    );
    it.world.deleteConfigMap('a');
    await it.world.run(3000);
    expect(lostOf(it)).toBe(0);
    expect(it.lists()).toBe(2);
    note('F3', '410 in stream', most('relists', it.lists() - 1, '', 1));
  });

  test('in continue: one whole list instead of the pages', async () => {
    const made = await World.start(1);
    world = made;
    for (let i = 0; i < 25; i++) made.createConfigMap(`thing-${i}`, 'thing');
    const link = await made.link();
    link.proxy.rule = ({ query }) =>
      query.get('continue') === null
        ? undefined
        : {
            kind: 'status',
            code: 410,
            body: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' },
          };
    const reflector = new Reflector<ConfigMap>({
      api: link.client,
      type: resources.configMaps,
      labelSelector: 'role=thing',
      clock: made.clock,
      observer: link.metrics,
      pageSize: 10,
    });
    made.onClose(() => reflector.stop());
    reflector.start();
    await made.until(() => reflector.synced, 'the list', 5000);
    expect(reflector.store.size).toBe(25);
    const requests = link.proxy
      .lists('configmaps')
      .map(({ query }) => [query.get('limit'), query.has('continue')]);
    expect(requests).toEqual([
      ['10', false],
      ['10', true],
      [null, false],
    ]);
    note(
      'F3',
      '410 in continue',
      most('whole lists', 1, '', 1),
      most('lost', 25 - reflector.store.size, '', 0),
    );
  });

  test.each(['at connect', 'in stream'] as const)(
    '%s without end: at most 0.3 lists per second',
    async (where) => {
      const it = await watched(1);
      const error = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
      it.link.proxy.rule = ({ isWatch }) =>
        isWatch && where === 'at connect' ? { kind: 'status', code: 410, body: error } : undefined;
      for (const watch of it.link.proxy.watches()) watch.fin();
      const before = it.lists();
      for (let second = 0; second < 600; second++) {
        await it.world.run(1000);
        if (where === 'in stream')
          for (const watch of it.link.proxy.watches())
            watch.inject(`${JSON.stringify({ type: 'ERROR', object: error })}\n`);
      }
      const perSecond = (it.lists() - before) / 600;
      expect(perSecond).toBeLessThanOrEqual(0.3);
      note('F3', `endless 410 ${where}`, most('lists', perSecond, '/s', 0.3));
    },
  );
});

test('F4 a quiet resource for an hour, kept fresh by bookmarks, then compaction: no relist', async () => {
  const it = await watched(1);
  await it.world.run(600_000);
  // Others write all the time: without bookmarks our version would age.
  for (let minute = 0; minute < 50; minute++) {
    for (let i = 0; i < 20; i++)
      it.world.server.registry.create(resources.configMaps, {
        metadata: { namespace: 'default', name: `other-${minute}-${i}` },
      });
    await it.world.run(60_000);
  }
  await it.world.run(60_000);
  it.world.server.registry.core.storage.compact();
  for (const watch of it.link.proxy.watches()) watch.fin();
  it.world.createConfigMap('after', 'thing');
  await it.world.run(5000);
  expect(lostOf(it)).toBe(0);
  const watches = it.link.metrics.total('reflector_watches_total');
  expect(it.lists()).toBe(1);
  note(
    'F4',
    'bookmarks only for 1 h, then compaction',
    most('relists', it.lists() - 1, '', 0),
    most('watches', watches),
  );
});
