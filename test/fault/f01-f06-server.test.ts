/** F1 and F6: the API server is away, refuses, or fails. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { Lifecycle } from '../../kube/lifecycle.ts';
import type { ConfigMap } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { expectStable, Family, unmet } from './family.ts';
import type { Fault, FaultProxy, Seen } from './fault-proxy.ts';
import { least, most, note, seeds } from './figures.ts';
import { type Link, World } from './world.ts';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

interface Running {
  readonly world: World;
  readonly link: Link;
  readonly proxy: FaultProxy;
  readonly family: Family;
  readonly lifecycle: Lifecycle;
  /** How often a parent's `ready` changed. */
  flips(): number;
}

async function running(seed: number, parents: number, children: number): Promise<Running> {
  const made = await World.start(seed);
  world = made;
  const link = await made.link();
  const family = new Family({
    api: link.client,
    clock: made.clock,
    random: made.random,
    metrics: link.metrics,
  });
  for (let i = 0; i < parents; i++)
    made.createConfigMap(`p${i}`, 'parent', { children: String(children), version: '1' });
  const lifecycle = new Lifecycle({ clock: made.clock });
  lifecycle.addCheck('watch', () =>
    family.parents.stalled || family.children.stalled ? 'silent' : undefined,
  );
  made.onClose(() => family.stop());
  await Promise.all([family.start(), made.until(() => unmet(made).length === 0, 'the start', 60_000)]);
  let flips = 0;
  const ready = new Map<string, string | undefined>();
  const watch = made.server.registry.watch<ConfigMap>(
    resources.configMaps,
    { labelSelector: 'role=parent' },
    ({ object }) => {
      const name = object.metadata.name ?? '';
      if (ready.has(name) && ready.get(name) !== object.data?.ready) flips += 1;
      ready.set(name, object.data?.ready);
    },
  );
  made.onClose(async () => watch.stop());
  await made.run(0);
  return { world: made, link, proxy: link.proxy, family, lifecycle, flips: () => flips };
}

test.each(seeds(20).map((seed) => [seed]))(
  'F1 API server restart in the middle of a rollout, 30 s refused (seed %i)',
  async (seed) => {
    const { world: made, link, proxy } = await running(seed, 5, 8);
    proxy.rule = ({ method }) => (method === 'GET' ? undefined : { kind: 'delay', ms: 200 });
    for (let i = 0; i < 5; i++) made.editConfigMap(`p${i}`, { version: '2' });
    await made.until(
      () => made.configMaps('child').some(({ data }) => data?.version === '2'),
      'the rollout began',
      10_000,
    );
    const before = {
      watches: link.metrics.total('reflector_watches_total'),
      lists: link.metrics.total('reflector_lists_total'),
    };
    await proxy.down();
    await made.run(30_000);
    const attempts = (link.metrics.total('reflector_watches_total') - before.watches) / 2;
    expect(attempts).toBeLessThanOrEqual(12);
    expect(made.configMaps('child')).toHaveLength(40);
    expect(made.configMaps('child').some(({ data }) => data?.version === '1')).toBe(true);
    await proxy.up();
    const tookMs = await expectStable(made, 35_000, 'ESR after the return');
    const lists = (link.metrics.total('reflector_lists_total') - before.lists) / 2;
    expect(lists).toBeLessThanOrEqual(1);
    note(
      'F1',
      'API server away for 30 s in a rollout',
      most('attempts per watch', attempts, '', 12),
      most('ESR after return', tookMs / 1000, 's', 35),
      most('relists', lists, '', 1),
    );
  },
);

/** Shortest time between a refusal and the next try of the same call. */
function shortestRetryMs(seen: readonly Seen[]): number {
  const refusedAtMs = new Map<string, number>();
  let shortest = Number.POSITIVE_INFINITY;
  for (const { method, path, query, atMs, code } of seen) {
    const call = `${method} ${path}${query.has('labelSelector') ? query.get('labelSelector') : ''}`;
    const before = refusedAtMs.get(call);
    if (before !== undefined) shortest = Math.min(shortest, atMs - before);
    refusedAtMs.delete(call);
    if (code === 429) refusedAtMs.set(call, atMs);
  }
  return shortest;
}

/** Most requests within any second. */
function peakPerSecond(seen: readonly Seen[]): number {
  let peak = 0;
  let from = 0;
  for (const [index, { atMs }] of seen.entries()) {
    while ((seen[from]?.atMs ?? 0) <= atMs - 1000) from += 1;
    peak = Math.max(peak, index - from + 1);
  }
  return peak;
}

describe('F6', () => {
  test.each(seeds(5).map((seed) => [seed]))(
    '429 with Retry-After: 7 for a minute (seed %i)',
    async (seed) => {
      const { world: made, proxy, flips, lifecycle } = await running(seed, 5, 4);
      proxy.rule = () => ({ kind: 'status', code: 429, headers: { 'retry-after': '7' } });
      for (const watch of proxy.watches()) watch.rst();
      const from = proxy.seen.length;
      for (let i = 0; i < 5; i++) made.editConfigMap(`p${i}`, { version: '2' });
      for (let second = 0; second < 60; second++) {
        await made.run(1000);
        expect(lifecycle.unready()).toEqual([]);
      }
      const seen = proxy.seen.slice(from);
      const shortestMs = shortestRetryMs(seen);
      expect(shortestMs).toBeGreaterThanOrEqual(7000);
      const flipped = flips();
      proxy.rule = () => undefined;
      const tookMs = await expectStable(made, 60_000, 'ESR after 429');
      note(
        'F6',
        '429 with Retry-After 7 for 1 min',
        least('next try after', shortestMs / 1000, 's', 7),
        most('requests', seen.length),
        most('status flips', flipped, '', 0),
        most('ESR', tookMs / 1000, 's', 60),
      );
    },
  );

  test.each(seeds(5).map((seed) => [seed]))('5xx storm for 5 minutes (seed %i)', async (seed) => {
    const { world: made, proxy, flips, lifecycle } = await running(seed, 20, 4);
    proxy.rule = () => ({ kind: 'status', code: made.random() < 0.5 ? 500 : 503 });
    // With their watches alive controllers go on trying to write; without, they also try to list.
    if (seed % 2 === 0) for (const watch of proxy.watches()) watch.rst();
    const from = proxy.seen.length;
    for (let i = 0; i < 20; i++) made.editConfigMap(`p${i}`, { version: '2' });
    for (let step = 0; step < 60; step++) {
      await made.run(5000);
      expect(lifecycle.unready()).toEqual([]);
    }
    const seen = proxy.seen.slice(from);
    const peak = peakPerSecond(seen);
    const perSecond = seen.length / 300;
    expect(perSecond).toBeLessThanOrEqual(100);
    expect(peak).toBeLessThanOrEqual(300);
    const flipped = flips();
    proxy.rule = () => undefined;
    const tookMs = await expectStable(made, 60_000, 'ESR after the storm');
    note(
      'F6',
      '5xx for 5 min',
      most('requests', perSecond, '/s', 100),
      most('peak', peak, '/s', 300),
      most('status flips', flipped, '', 0),
      most('ESR', tookMs / 1000, 's', 60),
    );
  });

  test.each(seeds(10).map((seed) => [seed]))(
    '30 %% of all calls fail in all ways for 5 minutes (seed %i)',
    async (seed) => {
      const { world: made, proxy, lifecycle } = await running(seed, 10, 4);
      const faults: Fault[] = [
        { kind: 'status', code: 500 },
        { kind: 'status', code: 503, headers: { 'retry-after': '1' } },
        { kind: 'status', code: 429, headers: { 'retry-after': '2' } },
        { kind: 'reset' },
        { kind: 'lose-answer' },
        { kind: 'truncate', bytes: 40 },
        { kind: 'delay', ms: 3000 },
      ];
      proxy.rule = () =>
        made.random() < 0.3 ? faults[Math.floor(made.random() * faults.length)] : undefined;
      const from = proxy.seen.length;
      for (let step = 1; step <= 30; step++) {
        const name = `p${Math.floor(made.random() * 10)}`;
        made.editConfigMap(name, {
          version: String(step),
          children: String(1 + Math.floor(made.random() * 6)),
        });
        if (made.random() < 0.3) proxy.watches()[0]?.rst();
        await made.run(10_000);
        expect(lifecycle.unready()).toEqual([]);
      }
      const peak = peakPerSecond(proxy.seen.slice(from));
      expect(peak).toBeLessThanOrEqual(100);
      proxy.rule = () => undefined;
      const tookMs = await expectStable(made, 60_000, 'ESR after the errors');
      note(
        'F6',
        '30 % of calls fail for 5 min',
        most('peak', peak, '/s', 100),
        most('ESR', tookMs / 1000, 's', 60),
      );
    },
  );
});
