/** F12-F14: two operators at once, leadership lost in the middle, clocks that disagree. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { expectStable, Family, unmet } from './family.ts';
import { changesOf, type FaultProxy } from './fault-proxy.ts';
import { most, note, seeds } from './figures.ts';
import { followChildren } from './history.ts';
import { SkewedClock, startReplica } from './replica.ts';
import { World } from './world.ts';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const childWrites = (proxy: FaultProxy) => proxy.writes().filter(({ resource }) => resource === 'configmaps');

/** Create, scale up, change and scale down ten parents within a minute, by so many operators that all believe to lead. */
async function play(seed: number, operators: number) {
  const made = await World.start(seed);
  world = made;
  const history = await followChildren(made);
  const proxies: FaultProxy[] = [];
  for (let i = 0; i < operators; i++) {
    const link = await made.link({ userAgent: `operator-${i}` });
    const family = new Family({
      api: link.client,
      clock: made.clock,
      random: made.random,
      metrics: link.metrics,
    });
    made.onClose(() => family.stop());
    // Answers and events take a little while, a different one each: neither sees the other's work at once.
    link.proxy.rule = ({ isWatch }) =>
      isWatch ? undefined : { kind: 'delay', ms: 1 + Math.floor(made.random() * 50) };
    link.proxy.watchDelayMs = () => Math.floor(made.random() * 100);
    proxies.push(link.proxy);
    const started = family.start();
    await made.run(200);
    await started;
  }
  for (let i = 0; i < 10; i++) made.createConfigMap(`p${i}`, 'parent', { children: '3', version: '1' });
  await made.run(15_000);
  for (let i = 0; i < 10; i++) made.editConfigMap(`p${i}`, { children: '5' });
  await made.run(15_000);
  for (let i = 0; i < 10; i++) made.editConfigMap(`p${i}`, { version: '2' });
  await made.run(15_000);
  for (let i = 0; i < 10; i++) made.editConfigMap(`p${i}`, { children: '2' });
  await made.run(15_000);
  const writes = proxies.flatMap(childWrites);
  if (operators > 1) await expectStable(made, 60_000, `ESR with ${operators} operators`);
  const { length: again } = history.madeAgain();
  await made.close();
  world = undefined;
  return { requests: writes.length, changes: changesOf(writes), again };
}

test.each(seeds(5).map((seed) => [seed]))(
  'F12 split brain: two operators of one build for a minute (seed %i)',
  async (seed) => {
    const single = await play(seed, 1);
    const both = await play(seed, 2);
    note(
      'F12',
      'two operators at once, 60 s',
      most('changes against one operator', both.changes / single.changes, 'x', 2),
      // Each does the whole work: what the other has done already is a no-op to the server.
      most('requests against one operator', both.requests / single.requests, 'x'),
      most('objects deleted and made again', both.again, '', 0),
    );
  },
);

describe('F13', () => {
  async function midPlan(seed: number) {
    const made = await World.start(seed);
    world = made;
    for (let i = 0; i < 6; i++) made.createConfigMap(`p${i}`, 'parent', { children: '20', version: '1' });
    const one = await startReplica(made, 'one', { workers: 2 });
    await made.until(() => unmet(made).length === 0, 'the start', 30_000);
    const two = await startReplica(made, 'two', { workers: 2 });
    await made.run(10_000);
    expect([one.elector.leading, two.elector.leading]).toEqual([true, false]);
    for (let i = 0; i < 6; i++) made.editConfigMap(`p${i}`, { version: '2' });
    return { made, one, two };
  }
  const lastRenewalMs = (proxy: FaultProxy) =>
    Math.max(
      ...proxy.seen
        .filter(({ resource, method, code }) => resource === 'leases' && method !== 'GET' && code === 200)
        .map(({ atMs }) => atMs),
    );

  test.each(seeds(10).map((seed) => [seed]))(
    'leader cut off from its lease in the middle of its plan, its writes still pass (seed %i)',
    async (seed) => {
      const { made, one, two } = await midPlan(seed);
      // Slow enough that the plan would go on for a minute.
      one.link.proxy.rule = ({ resource, method }) => {
        if (resource === 'leases') return { kind: 'hang' };
        return method === 'GET' ? undefined : { kind: 'delay', ms: 1000 };
      };
      await made.until(() => childWrites(two.link.proxy).length > 0, 'the new leader acts', 40_000);
      const renewedMs = lastRenewalMs(one.link.proxy);
      const lastWriteMs = Math.max(...childWrites(one.link.proxy).map(({ atMs }) => atMs));
      const firstWriteMs = childWrites(two.link.proxy)[0]?.atMs ?? Number.NaN;
      expect(one.exitCode()).toBe(1);
      await expectStable(made, 60_000, 'ESR under the new leader');
      note(
        'F13',
        'leader loses its lease mid-plan',
        most('last write after renewal', (lastWriteMs - renewedMs) / 1000, 's', 10),
        most('new leader acts after renewal', (firstWriteMs - renewedMs) / 1000, 's', 17),
      );
    },
  );

  test.each(seeds(5).map((seed) => [seed]))('SIGTERM in the middle of the plan (seed %i)', async (seed) => {
    const { made, one, two } = await midPlan(seed);
    one.link.proxy.rule = ({ method, resource }) =>
      method === 'GET' || resource === 'leases' ? undefined : { kind: 'delay', ms: 100 };
    await made.run(500);
    const stopped = one.lifecycle.stop();
    await made.until(() => childWrites(two.link.proxy).length > 0, 'the new leader acts', 40_000);
    await stopped;
    const releasedMs = lastRenewalMs(one.link.proxy);
    const lastWriteMs = Math.max(...childWrites(one.link.proxy).map(({ atMs }) => atMs));
    const firstWriteMs = childWrites(two.link.proxy)[0]?.atMs ?? Number.NaN;
    expect(lastWriteMs).toBeLessThanOrEqual(releasedMs);
    await expectStable(made, 60_000, 'ESR under the new leader');
    note(
      'F13',
      'SIGTERM mid-plan, lease released',
      most('new leader acts after release', (firstWriteMs - releasedMs) / 1000, 's', 3),
    );
  });
});

test.each([
  ['an hour ahead', 3_600_000, -3_600_000],
  ['an hour behind', -3_600_000, 3_600_000],
])('F14 leader %s of its rival, then its clock jumps', async (_name, skewMs, jumpMs) => {
  const made = await World.start(1);
  world = made;
  made.createConfigMap('p0', 'parent', { children: '2', version: '1' });
  const clock = new SkewedClock(made.clock, skewMs);
  const one = await startReplica(made, 'one', { clock, revisitMs: 30_000 });
  await made.until(() => unmet(made).length === 0, 'the start', 30_000);
  const two = await startReplica(made, 'two', { clock: new SkewedClock(made.clock, -skewMs) });
  await made.run(120_000);
  one.family.visits.length = 0;
  await made.run(60_000);
  clock.offsetMs += jumpMs;
  await made.run(60_000);
  clock.offsetMs -= jumpMs;
  await made.run(180_000);
  expect([one.elector.leading, two.elector.leading, one.exitCode()]).toEqual([true, false, undefined]);
  const gaps = one.family.visits
    .slice(1)
    .map(({ atMs }, index) => atMs - (one.family.visits[index]?.atMs ?? 0));
  expect(gaps.length).toBeGreaterThanOrEqual(8);
  const renewals = one.link.proxy.seen.filter(
    ({ resource, method }) => resource === 'leases' && method !== 'GET',
  );
  const renewalGaps = renewals.slice(1).map(({ atMs }, index) => atMs - (renewals[index]?.atMs ?? 0));
  note(
    'F14',
    'clocks 2 h apart, jumps of 1 h',
    most('second leaders', two.elector.leading ? 1 : 0, '', 0),
    most(
      'worst error of a 30 s timer',
      Math.max(...gaps.map((gap) => Math.abs(gap - 30_000))) / 1000,
      's',
      0.1,
    ),
    most('longest time between renewals', Math.max(...renewalGaps) / 1000, 's', 2.1),
  );
});
