import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BatchQueue, type Waiting } from './batch-queue.ts';

type Item = Waiting & { readonly id: number };
const item = (id: number, changes: Partial<Waiting> = {}): Item => ({
  id,
  rows: 1,
  rowElements: 1,
  groupKey: 'k',
  connection: undefined,
  enqueuedMs: 0,
  deadlineMs: 1000,
  promiseEndMs: Number.POSITIVE_INFINITY,
  place: undefined,
  ...changes,
});
const ids = (items: readonly Item[]) => items.map(({ id }) => id);
const queueOf = (...items: Item[]) => {
  const queue = new BatchQueue<Item>();
  for (const one of items) queue.add(one);
  return queue;
};
const rules = (maxRows: number, msPerRow = 0) => ({
  maxRows: () => maxRows,
  costMs: (_like: unknown, rows: number) => rows * msPerRow,
});
const take = (queue: BatchQueue<Item>, maxRows: number, nowMs = 0, msPerRow = 0) => {
  const { batch, expired } = queue.take(nowMs, rules(maxRows, msPerRow));
  return { batch: ids(batch), expired: ids(expired) };
};

describe('one connection', () => {
  test('what waits is taken in order, up to the largest batch', () => {
    const queue = queueOf(item(1), item(2, { rows: 2 }), item(3));
    expect(take(queue, 3).batch).toEqual([1, 2]);
    expect(take(queue, 3).batch).toEqual([3]);
    expect(take(queue, 3)).toEqual({ batch: [], expired: [] });
  });
  test('a request larger than the largest batch runs alone', () => {
    const queue = queueOf(item(1, { rows: 50 }), item(2));
    expect(take(queue, 2).batch).toEqual([1]);
    expect(take(queue, 2).batch).toEqual([2]);
  });
  test('another kind ends the batch: nobody overtakes on the same connection', () => {
    const queue = queueOf(item(1), item(2, { groupKey: 'other' }), item(3));
    expect(take(queue, 8).batch).toEqual([1]);
    expect(take(queue, 8).batch).toEqual([2]);
    expect(take(queue, 8).batch).toEqual([3]);
  });
  test('one row at most turns batching off', () => {
    expect(take(queueOf(item(1), item(2)), 1).batch).toEqual([1]);
  });
});

describe('several connections', () => {
  const [a, b, c] = [{}, {}, {}];
  test('one with a thousand waiting requests lets others in at once', () => {
    const queue = queueOf(...Array.from({ length: 1000 }, (_, i) => item(i, { connection: a })));
    queue.add(item(5000, { connection: b }));
    queue.add(item(6000, { connection: c }));
    expect(take(queue, 4).batch).toEqual([0, 5000, 6000, 1]);
    expect(take(queue, 4).batch).toEqual([2, 3, 4, 5]);
  });
  test('those of another kind are passed over and come next', () => {
    const queue = queueOf(
      item(1, { connection: a }),
      item(2, { connection: b, groupKey: 'other' }),
      item(3, { connection: c }),
      item(4, { connection: a }),
    );
    expect(take(queue, 8).batch).toEqual([1, 3, 4]);
    expect(take(queue, 8).batch).toEqual([2]);
  });
  test('one that does not fit keeps its turn', () => {
    const queue = queueOf(
      item(1, { connection: a, rows: 3 }),
      item(2, { connection: b, rows: 2 }),
      item(3, { connection: c }),
    );
    expect(take(queue, 4).batch).toEqual([1, 3]);
    expect(take(queue, 4).batch).toEqual([2]);
  });
});

describe('deadlines', () => {
  test('what is late is dropped and said', () => {
    const queue = queueOf(item(1, { deadlineMs: 5 }), item(2, { deadlineMs: 6 }));
    expect(take(queue, 8, 5)).toEqual({ batch: [2], expired: [1] });
    expect(queue.length).toBe(0);
    expect(queue.oldestMs).toBeUndefined();
  });
  test('what would be late is dropped too while others wait', () => {
    const queue = queueOf(item(1, { deadlineMs: 9 }), item(2));
    expect(take(queue, 8, 0, 10)).toEqual({ batch: [2], expired: [1] });
  });
  test('and tried all the same when it is alone, since the reckoning may be wrong', () => {
    const queue = queueOf(item(1, { deadlineMs: 9 }), item(2, { deadlineMs: 9 }));
    expect(take(queue, 8, 0, 10)).toEqual({ batch: [2], expired: [1] });
    expect(take(queue, 8, 0, 10)).toEqual({ batch: [], expired: [] });
  });
  test('a batch does not grow past the deadline of its oldest member', () => {
    const queue = queueOf(item(1, { deadlineMs: 25 }), item(2), item(3));
    expect(take(queue, 8, 0, 10).batch).toEqual([1, 2]);
    expect(take(queue, 8, 0, 10).batch).toEqual([3]);
  });
});

describe('promises', () => {
  const broken = (queue: BatchQueue<Item>, maxRows: number, nowMs: number, msPerRow: number) => {
    const taken = queue.take(nowMs, rules(maxRows, msPerRow));
    return { batch: ids(taken.batch), broken: ids(taken.broken), expired: ids(taken.expired) };
  };
  test('what can keep its promise no more is dropped, and told from what is out of time', () => {
    const queue = queueOf(item(1, { promiseEndMs: 9 }), item(2, { deadlineMs: 9 }), item(3));
    expect(broken(queue, 1, 0, 10)).toEqual({ batch: [3], broken: [1], expired: [2] });
    expect(queue.length).toBe(0);
  });
  test('one that just keeps it runs', () => {
    const queue = queueOf(item(1, { promiseEndMs: 10 }), item(2));
    expect(broken(queue, 1, 0, 10)).toMatchObject({ batch: [1], broken: [] });
  });
  test('a batch does not shrink for the promise of its oldest: it is dropped for the many', () => {
    const queue = queueOf(item(1, { promiseEndMs: 25 }), item(2), item(3), item(4, { promiseEndMs: 29 }));
    expect(broken(queue, 4, 0, 10)).toMatchObject({ batch: [2, 3], broken: [1, 4] });
  });
  test('those that are not reached by this batch wait for the next', () => {
    const queue = queueOf(item(1), item(2, { promiseEndMs: 5 }), item(3));
    expect(broken(queue, 1, 0, 10)).toMatchObject({ batch: [1], broken: [] });
    expect(broken(queue, 1, 10, 10)).toMatchObject({ batch: [3], broken: [2] });
  });
  test('one that is alone is tried all the same, and before one that is out of time', () => {
    const queue = queueOf(
      item(1, { promiseEndMs: 9 }),
      item(2, { deadlineMs: 9 }),
      item(3, { promiseEndMs: 9 }),
    );
    expect(broken(queue, 1, 0, 10)).toEqual({ batch: [3], broken: [1], expired: [2] });
    expect(broken(queue, 1, 0, 10)).toEqual({ batch: [], broken: [], expired: [] });
  });
});

test('the age of the oldest, and the rows that wait by kind', () => {
  const queue = queueOf(
    item(1, { enqueuedMs: 9, connection: {} }),
    item(2, { enqueuedMs: 7, rows: 3 }),
    item(3, { enqueuedMs: 8, groupKey: 'other' }),
  );
  expect(queue.oldestMs).toBe(7);
  expect([...queue.groups()].map(({ groupKey, rows, items }) => [groupKey, rows, items])).toEqual([
    ['k', 4, 2],
    ['other', 1, 1],
  ]);
});

test('no order of adding, taking and removing loses, doubles or reorders a request of a connection', () => {
  const connections = [undefined, {}, {}, {}];
  const add = fc.record({
    do: fc.constant('add' as const),
    connection: fc.nat(connections.length - 1),
    rows: fc.integer({ min: 1, max: 5 }),
    kind: fc.nat(1),
    patience: fc.integer({ min: 1, max: 60 }),
    promise: fc.integer({ min: 1, max: 60 }),
  });
  const takeStep = fc.record({ do: fc.constant('take' as const), maxRows: fc.integer({ min: 1, max: 8 }) });
  const removeStep = fc.record({ do: fc.constant('remove' as const), which: fc.nat(30) });
  fc.assert(
    fc.property(fc.array(fc.oneof(add, add, takeStep, removeStep)), (steps) => {
      const queue = new BatchQueue<Item>();
      const added: Item[] = [];
      const left = new Map<number, 'run' | 'dropped' | 'removed'>();
      const leave = (one: Item, how: 'run' | 'dropped' | 'removed') => {
        expect(left.has(one.id)).toBe(false);
        left.set(one.id, how);
      };
      let nowMs = 0;
      const takeNow = (maxRows: number) => {
        nowMs += 3;
        const { batch, expired, broken } = queue.take(nowMs, rules(maxRows, 1));
        const dropped = [...expired, ...broken];
        for (const one of batch) {
          leave(one, 'run');
          expect(one.groupKey).toBe(batch[0]?.groupKey);
          // Nothing that came before it on its connection still waits.
          for (const earlier of added)
            if (earlier.connection === one.connection && earlier.id < one.id)
              expect(left.has(earlier.id) || dropped.includes(earlier)).toBe(true);
        }
        for (const one of dropped) leave(one, 'dropped');
        // Whoever is dropped makes room for another: the runner is never left without work for a promise.
        expect(batch.length > 0 || broken.length === 0).toBe(true);
        expect(batch.length === 1 || batch.reduce((sum, { rows }) => sum + rows, 0) <= maxRows).toBe(true);
      };
      for (const step of steps) {
        if (step.do === 'add') {
          const one = item(added.length, {
            connection: connections[step.connection],
            rows: step.rows,
            groupKey: `${step.kind}`,
            deadlineMs: nowMs + step.patience,
            promiseEndMs: nowMs + step.promise,
          });
          added.push(one);
          queue.add(one);
        } else if (step.do === 'take') takeNow(step.maxRows);
        else {
          const one = added[step.which];
          if (one === undefined) continue;
          if (!left.has(one.id)) leave(one, 'removed');
          queue.remove(one);
        }
        const waiting = added.filter(({ id }) => !left.has(id));
        expect(queue.length).toBe(waiting.length);
        expect([...queue.groups()].reduce((sum, { rows }) => sum + rows, 0)).toBe(
          waiting.reduce((sum, { rows }) => sum + rows, 0),
        );
      }
      while (queue.length > 0) takeNow(8);
      expect(left.size).toBe(added.length);
    }),
  );
});
