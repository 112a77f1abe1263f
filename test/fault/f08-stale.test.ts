/** F8: the cache of the children is a minute behind. */
import { afterEach, expect, test } from '@jest/globals';
import { expectStable, Family, unmet } from './family.ts';
import { least, most, note, seeds } from './figures.ts';
import { followChildren, type History } from './history.ts';
import { type Link, World } from './world.ts';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

interface Outcome {
  readonly world: World;
  readonly link: Link;
  readonly history: History;
  /** How long a parent that nobody else touched waited for its children. */
  readonly foreignMs: number;
}

/** Creates, scales up and scales down one parent while its children's events are late; children have random names. */
async function play(seed: number, consistency: boolean): Promise<Outcome> {
  const made = await World.start(seed);
  world = made;
  const link = await made.link();
  const family = new Family({
    api: link.client,
    clock: made.clock,
    random: made.random,
    metrics: link.metrics,
    randomNames: true,
    consistency,
  });
  made.onClose(() => family.stop());
  link.proxy.watchDelayMs = ({ query }) => (query.get('labelSelector') === 'role=child' ? 60_000 : 0);
  const started = family.start();
  await made.run(100);
  await started;
  const history = await followChildren(made);
  const pause = () => made.run(1000 + Math.floor(made.random() * 9000));
  made.createConfigMap('p0', 'parent', { children: '3', version: '1' });
  await pause();
  made.editConfigMap('p0', { children: '5' });
  await pause();
  made.createConfigMap('foreign', 'parent', { children: '2', version: '1' });
  const foreignMs = await made.until(
    () => history.created('foreign') >= 2,
    'the foreign parent is served',
    30_000,
  );
  await pause();
  made.editConfigMap('p0', { version: '2' });
  await made.run(65_000);
  made.editConfigMap('p0', { children: '2' });
  await made.run(200_000);
  return { world: made, link, history, foreignMs };
}

test.each(seeds(20).map((seed) => [seed]))(
  'F8 watch delayed by 60 s: no duplicates, no oscillation (seed %i)',
  async (seed) => {
    const { world: made, link, history, foreignMs } = await play(seed, true);
    await expectStable(made, 180_000, 'ESR with a late cache');
    const skips = link.metrics.total('stale_sync_skips_total');
    note(
      'F8',
      'cache 60 s late',
      most('duplicate children', history.created('p0') - 5, '', 0),
      most('deleted too much', history.deleted('p0') - 3, '', 0),
      most('turns of the scale', history.turns('p0'), '', 1),
      most('foreign object served after', foreignMs / 1000, 's', 2),
      least('stale_sync_skips_total', skips, '', 1),
    );
  },
);

test('F8 control: without read-your-own-writes the same fault does make duplicates', async () => {
  const { history, world: made } = await play(1, false);
  await made.run(300_000);
  expect(unmet(made)).toEqual([]);
  note(
    'F8',
    'control without own-write tracking',
    least('duplicate children', history.created('p0') - 5, '', 1),
  );
});
