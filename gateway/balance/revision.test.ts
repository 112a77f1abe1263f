import { describe, expect, test } from '@jest/globals';
import type { Waiting } from '../../queue/fair-queue.ts';
import type { PodAddress } from './address.ts';
import type { Pod, PodTransports } from './pod.ts';
import { type Peers, RevisionPool } from './revision.ts';

const none: PodTransports = {
  http: () => {
    throw new Error('not in this test');
  },
  grpc: () => {
    throw new Error('not in this test');
  },
};
const address = (name: string, changes: Partial<PodAddress> = {}): PodAddress => ({
  key: name,
  name,
  http: { host: name, port: 1 },
  grpc: undefined,
  ops: undefined,
  ready: true,
  ...changes,
});
const poolOf = (names: readonly string[], peers: Peers = { rank: 0, count: 1 }) => {
  const pool = new RevisionPool<Waiting>('r', none);
  pool.setPods(
    names.map((name) => address(name)),
    peers,
  );
  return pool;
};
const podOf = (pool: RevisionPool<Waiting>, name: string) =>
  pool.ready.find((pod) => pod.address.name === name) as Pod;

describe('the pod of the next request', () => {
  test('has the fewest requests in hand', () => {
    const pool = poolOf(['a', 'b', 'c']);
    for (const pod of pool.ready) pod.slots = 4;
    podOf(pool, 'a').outstanding = 2;
    podOf(pool, 'b').outstanding = 1;
    podOf(pool, 'c').outstanding = 3;
    expect(pool.pick(0)?.address.name).toBe('b');
  });

  test('has a free slot, or there is none', () => {
    const pool = poolOf(['a', 'b']);
    podOf(pool, 'a').outstanding = 1;
    expect(pool.pick(0)?.address.name).toBe('b');
    podOf(pool, 'b').outstanding = 1;
    expect(pool.pick(0)).toBeUndefined();
  });

  test('is each of equals in turn', () => {
    const pool = poolOf(['a', 'b', 'c']);
    const names = new Set([1, 2, 3].map(() => pool.pick(0)?.address.name));
    expect(names.size).toBe(3);
  });

  test('is waited for at home, as long as those of other gateways take more time', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const pool = poolOf(names, { rank: 0, count: 2 });
    for (const name of ['a', 'c', 'e', 'g']) podOf(pool, name).outstanding = 1;
    // Nothing is known yet.
    expect(pool.patienceMs).toBe(0);
    expect(pool.pick(0)?.isHome).toBe(false);
    pool.observe(podOf(pool, 'a'), 10);
    pool.observe(podOf(pool, 'b'), 14);
    expect(pool.patienceMs).toBeCloseTo(4);
    expect(pool.pick(0, 3)).toBeUndefined();
    expect(pool.pick(0, 4.1)?.isHome).toBe(false);
    podOf(pool, 'c').outstanding = 0;
    expect(pool.pick(0)?.address.name).toBe('c');
    // Never longer than a request takes at home.
    pool.observe(podOf(pool, 'b'), 1_000);
    expect(pool.patienceMs).toBeCloseTo(10);
    // Pods with many slots have a queue of their own.
    podOf(pool, 'c').outstanding = 1;
    for (const pod of pool.ready) pod.slots = 2;
    expect(pool.pick(0)?.isHome).toBe(false);
  });

  test('is any that is free where few are at home, or where the others take no longer', () => {
    const few = poolOf(['a', 'b', 'c', 'd', 'e', 'f'], { rank: 0, count: 2 });
    few.observe(podOf(few, 'a'), 10);
    few.observe(podOf(few, 'b'), 20);
    expect(few.patienceMs).toBe(0);
    const idle = poolOf(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], { rank: 0, count: 2 });
    idle.observe(podOf(idle, 'a'), 10);
    idle.observe(podOf(idle, 'b'), 9);
    expect(idle.patienceMs).toBe(0);
  });

  test('is at home here before one that is at home with another gateway, but never a busier one', () => {
    const ofFirst = poolOf(['a', 'b', 'c', 'd'], { rank: 0, count: 2 });
    const ofSecond = poolOf(['a', 'b', 'c', 'd'], { rank: 1, count: 2 });
    const picks = (pool: RevisionPool<Waiting>) => {
      const names: string[] = [];
      for (let pod = pool.pick(0); pod !== undefined; pod = pool.pick(0)) {
        pod.outstanding += 1;
        names.push(pod.address.name);
      }
      return names.map((name) => ('ac'.includes(name) ? 'even' : 'odd')).join(' ');
    };
    expect(picks(ofFirst)).toBe('even even odd odd');
    expect(picks(ofSecond)).toBe('odd odd even even');
  });

  test('is none that is unready', () => {
    const pool = poolOf([]);
    pool.setPods([address('a', { ready: false }), address('b')], { rank: 0, count: 1 });
    podOf(pool, 'b').outstanding = 1;
    expect(pool.pick(0)).toBeUndefined();
  });

  test('is none that failed, for a pause that doubles; then it gets one at a time until it answers', () => {
    const pool = poolOf(['a']);
    const pod = podOf(pool, 'a');
    pod.slots = 4;
    pod.failed(0);
    expect(pool.pick(99)).toBeUndefined();
    expect(pool.nextTryMs(99)).toBe(100);
    expect(pool.pick(100)).toBe(pod);
    pod.outstanding = 1;
    expect(pool.pick(100)).toBeUndefined();
    pod.outstanding = 0;
    pod.failed(100);
    expect(pool.pick(299)).toBeUndefined();
    expect(pool.pick(300)).toBe(pod);
    pod.succeeded();
    pod.outstanding = 3;
    expect(pool.pick(300)).toBe(pod);
  });

  test('that many requests fail at once is one failure', () => {
    const pool = poolOf(['a']);
    const pod = podOf(pool, 'a');
    for (let i = 0; i < 20; i += 1) pod.failed(0);
    expect(pool.nextTryMs(0)).toBe(100);
  });
});

test('a pod that stays keeps what is known of it; a new pod at its address begins anew', () => {
  const pool = poolOf(['a']);
  podOf(pool, 'a').slots = 8;
  pool.setPods([address('a'), address('b')], { rank: 0, count: 1 });
  expect(podOf(pool, 'a').slots).toBe(8);
  pool.setPods([address('a', { name: 'a2' })], { rank: 0, count: 1 });
  expect(pool.ready.map((pod) => [pod.address.name, pod.slots])).toEqual([['a2', 1]]);
});
