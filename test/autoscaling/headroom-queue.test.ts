import { expect, test } from '@jest/globals';
import { createRandom, lateShare, type PodQueues } from '../../bench/headroom/queue.ts';

const times = { serviceSeconds: 0.012, targetSeconds: 0.05 };
const pods = (count: number) => Array.from({ length: count }, (_, index) => `pod-${index}`);
/** Share of late requests in the last of ten seconds. */
function after(count: number, rate: number): number {
  const queues: PodQueues = { freeAt: new Map() };
  const random = createRandom(7);
  let share = 0;
  for (let second = 0; second < 10; second++)
    share = lateShare(queues, pods(count), rate, second, times, random);
  return share;
}

test('a third of what the pods can do is answered in time, more than they can do is not', () => {
  expect(after(10, 277)).toBeLessThan(0.01);
  expect(after(10, 1_000)).toBeGreaterThan(0.5);
});

test('without a pod every request is late, without a request none is', () => {
  expect(after(0, 100)).toBe(1);
  expect(after(3, 0)).toBe(0);
});
