import { describe, expect, test } from '@jest/globals';
import { type AllocationDemand, allocate, fullAfterMs, noAllocation, yieldMs } from './allocate.ts';
import type { QueueModel } from './queueing.ts';

/** 150 ms a request, one at a time: 6.7 a second and replica at most. */
const model: QueueModel = {
  service: { meanSeconds: 0.15, scv: 0.1 },
  slots: 1,
  burstiness: 1,
  balancing: 'least-outstanding',
};

const demand = (key: string, change: Partial<AllocationDemand> = {}): AllocationDemand => ({
  key,
  pool: 'any',
  wanted: 6,
  current: 3,
  blocked: 0,
  starting: 0,
  least: 1,
  weight: 1,
  cost: 1,
  asks: { cpu: 1 },
  ratePerSecond: 20,
  aheadMs: 30_000,
  model,
  latency: [{ percentile: 'p99', targetMs: 700 }],
  ...change,
});

const room = (replicas: number) => new Map([['any', replicas]]);

/** Counts in force after so many seconds of the same demands, each given what it was given the second before. */
function settle(
  demands: readonly AllocationDemand[],
  capacity: number,
  seconds: number,
  from = noAllocation,
) {
  let memory = from;
  let moves = 0;
  const counts: Record<string, number> = {};
  for (let second = 0; second < seconds; second += 1) {
    const { memory: next } = allocate(demands, room(capacity), memory, second * 1_000);
    for (const { key } of demands) {
      const held = next.granted.get(key) ?? -1;
      if (second > 0 && held > (counts[key] ?? 0)) moves += held - (counts[key] ?? 0);
      counts[key] = held;
    }
    memory = next;
  }
  return { counts, moves, memory };
}

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, one) => all + one, 0);

describe('a cluster of known size', () => {
  test.each([
    ['SLA', 3],
    ['Timeout', 4],
  ] as const)(
    'with shedAt %s the last replica that is missing is worth as much as it serves in time',
    (shedAt, near) => {
      // One replica short of four; two or three short of eight. Where all of a queue is late, only the first is in reach.
      const demands = [
        demand('near', { ratePerSecond: 19, current: 3, shedAt }),
        demand('far', { ratePerSecond: 48, current: 5, wanted: 10, shedAt }),
      ];
      expect(settle(demands, 8, 60).counts.near).toBe(near);
    },
  );

  test('with room for all gives each what it asks for', () => {
    const { replicas, why } = allocate([demand('a'), demand('b')], room(12), noAllocation, 0);
    expect([...replicas, ...why]).toEqual([]);
  });

  test('is filled at once, and never beyond', () => {
    const demands = [demand('a', { current: 1 }), demand('b', { current: 1 }), demand('c', { current: 1 })];
    const { memory, why } = allocate(demands, room(11), noAllocation, 0);
    expect(sum(Object.fromEntries(memory.granted))).toBe(11);
    // Equal demands are treated alike, to one replica.
    expect([...memory.granted.values()].sort()).toEqual([3, 4, 4]);
    expect(why.get('a')?.sentence).toMatch(/^6 are needed, but the cluster is full: [34] of its replicas/);
  });

  test('gives the guaranteed minimum first, whatever the priorities', () => {
    const demands = [demand('poor', { least: 3, current: 3 }), demand('rich', { weight: 1_000, wanted: 9 })];
    expect(settle(demands, 7, 120).counts).toEqual({ poor: 3, rich: 4 });
  });

  test('a priority takes replicas from one without, two each ten seconds, and then all rests', () => {
    const demands = [demand('low', { current: 6 }), demand('high', { current: 0, least: 0, weight: 10 })];
    const first = settle(demands, 6, 5);
    expect(first.counts).toEqual({ low: 4, high: 2 });
    const settled = settle(demands, 6, 300);
    expect(settled.counts).toEqual({ low: 2, high: 4 });
    expect(settled.moves).toBeLessThanOrEqual(2);
  });

  test('a donor with pods that still start gives none', () => {
    const demands = [
      demand('low', { current: 6, starting: 1 }),
      demand('high', { current: 0, weight: 10, least: 0 }),
    ];
    expect(settle(demands, 6, 100).counts).toEqual({ low: 6, high: 0 });
  });

  test('a little more gain is not worth a start-up', () => {
    const demands = [demand('a', { current: 4, weight: 1 }), demand('b', { current: 3, weight: 1.4 })];
    expect(settle(demands, 7, 600).moves).toBe(0);
  });

  test('what is unknown neither gives nor takes', () => {
    const demands = [
      demand('new', { current: 5, model: 'unknown' }),
      demand('b', { current: 1, weight: 100 }),
    ];
    expect(settle(demands, 6, 100).counts).toEqual({ new: 5, b: 1 });
  });

  test('a cluster that shrinks takes where it hurts least', () => {
    const demands = [
      demand('busy', { current: 5, ratePerSecond: 26 }),
      demand('calm', { current: 5, ratePerSecond: 2 }),
    ];
    const { memory } = settle(demands, 10, 10);
    const { memory: shrunk } = allocate(demands, room(7), memory, 10_000);
    expect(Object.fromEntries(shrunk.granted)).toEqual({ busy: 5, calm: 2 });
  });
});

describe('a real cluster, known by the pods that do not fit', () => {
  const world = (high: Partial<AllocationDemand> = {}) => [
    demand('ns/low', { current: 6, wanted: 6 }),
    demand('ns/high', { current: 3, blocked: 2, starting: 2, weight: 10, ...high }),
  ];
  const later = (demands: readonly AllocationDemand[], ms: number) => {
    const first = allocate(demands, new Map(), noAllocation, 0);
    return allocate(demands, new Map(), first.memory, ms);
  };

  test('the more valuable one takes the place of the other, once it surely is full', () => {
    expect([...later(world(), fullAfterMs - 1).replicas]).toEqual([]);
    const { replicas, why, memory } = later(world(), fullAfterMs);
    expect([...replicas]).toEqual([['ns/low', 4]]);
    expect(why.get('ns/low')?.sentence).toBe(
      '6 are needed, but the cluster is full, and 2 replicas keep more promises in high (scaling.priority 10, here 1): 4 stay. The rest is asked for again within a minute; what scaling.minReplicas guarantees is never taken',
    );
    // Placed: what was given stays given until the new pods have their place, then it is asked for again.
    const placed = world({ blocked: 0, current: 3 });
    const still = allocate(placed, new Map(), memory, fullAfterMs + yieldMs - 1);
    expect([...still.replicas]).toEqual([['ns/low', 4]]);
    expect([...allocate(placed, new Map(), still.memory, fullAfterMs + yieldMs).replicas]).toEqual([]);
  });

  test('never below the guaranteed minimum', () => {
    const [low, high] = world();
    const { replicas } = later(
      [{ ...low, least: 5 } as AllocationDemand, high as AllocationDemand],
      fullAfterMs,
    );
    expect([...replicas]).toEqual([['ns/low', 5]]);
  });

  test('no replica moves to another pool of nodes, nor to a larger pod', () => {
    const [low, high] = world();
    for (const change of [{ pool: 'gpu' }, { asks: { cpu: 2 } }])
      expect([
        ...later([low as AllocationDemand, { ...high, ...change } as AllocationDemand], 60_000).replicas,
      ]).toEqual([]);
  });

  test('no more is taken than waits for a place, however long its pods take', () => {
    let memory = noAllocation;
    let given = 6;
    for (let second = 0; second < 80; second += 1) {
      const demands = world().map((one) => (one.key === 'ns/low' ? { ...one, current: given } : one));
      const allocation = allocate(demands, new Map(), memory, second * 1_000);
      given = allocation.replicas.get('ns/low') ?? given;
      memory = allocation.memory;
    }
    expect(given).toBe(4);
  });

  test('pods that do not take the places made for them (a volume, a zone) get no more of them', () => {
    let memory = noAllocation;
    let given = 6;
    const counts: number[] = [];
    for (let second = 0; second < 600; second += 1) {
      const demands = world().map((one) => (one.key === 'ns/low' ? { ...one, current: given } : one));
      const allocation = allocate(demands, new Map(), memory, second * 1_000);
      given = allocation.replicas.get('ns/low') ?? 6;
      counts.push(given);
      memory = allocation.memory;
    }
    expect(counts.filter((count) => count < 6)).toHaveLength(60);
    expect(counts.at(-1)).toBe(6);
  });

  test('a moment without room changes nothing', () => {
    const first = allocate(world(), new Map(), noAllocation, 0);
    const fits = allocate(world({ blocked: 0 }), new Map(), first.memory, 20_000);
    expect([...allocate(world(), new Map(), fits.memory, 40_000).replicas]).toEqual([]);
  });
});
