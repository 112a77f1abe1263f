import { describe, expect, test } from '@jest/globals';
import { FairQueue, type Waiting } from './fair-queue.ts';

interface Item extends Waiting {
  readonly name: string;
}

const connections = { a: {}, b: {}, c: {} };
const item = (name: string, enqueuedMs = 0): Item => ({
  name,
  connection: connections[name[0] as 'a' | 'b' | 'c'],
  enqueuedMs,
  place: undefined,
});
const filled = (...names: string[]) => {
  const queue = new FairQueue<Item>();
  const items = names.map((name, index) => item(name, index));
  for (const one of items) queue.add(one);
  return { queue, items };
};
const drain = (queue: FairQueue<Item>) => {
  const names: string[] = [];
  for (let one = queue.take(); one !== undefined; one = queue.take()) names.push(one.name);
  return names.join(' ');
};

describe('FairQueue', () => {
  test('one connection is first in, first out', () => {
    expect(drain(filled('a1', 'a2', 'a3').queue)).toBe('a1 a2 a3');
  });

  test('a connection that asks much does not keep others waiting: they take turns', () => {
    expect(drain(filled('a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2').queue)).toBe('a1 b1 c1 a2 b2 a3 a4');
  });

  test('a request that leaves takes its place with it', () => {
    const { queue, items } = filled('a1', 'a2', 'b1', 'a3');
    expect(queue.remove(items[1] as Item)).toBe(true);
    expect(queue.remove(items[1] as Item)).toBe(false);
    expect(queue.length).toBe(3);
    expect(drain(queue)).toBe('a1 b1 a3');
  });

  test('a request that comes back is the next of all', () => {
    const { queue } = filled('a1', 'b1', 'a2', 'c1');
    const taken = queue.take() as Item;
    queue.addFirst(taken);
    expect(queue.length).toBe(4);
    expect(drain(queue)).toBe('a1 b1 c1 a2');
  });

  test('it is not taken out of a queue in which it does not wait', () => {
    const { items } = filled('a1');
    expect(new FairQueue<Item>().remove(items[0] as Item)).toBe(false);
  });

  test('knows since when the oldest waits', () => {
    const { queue, items } = filled('a1', 'b1', 'a2');
    expect(queue.oldestMs).toBe(0);
    queue.remove(items[0] as Item);
    expect(queue.oldestMs).toBe(1);
    drain(queue);
    expect(queue.oldestMs).toBeUndefined();
  });
});
