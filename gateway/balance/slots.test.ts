import { expect, test } from '@jest/globals';
import { slotsOf } from './slots.ts';

const counters = (runs: number, seconds: number) => ({ serviceCount: runs, serviceSumSeconds: seconds });

test.each([
  ['one without batches, before its first run', { parallelism: 1 }, 1],
  ['long runs', { parallelism: 1, counters: counters(10, 1) }, 1],
  ['short runs: one more is on its way', { parallelism: 1, counters: counters(1_000, 0.5) }, 2],
  [
    'a batch of 8: one that runs and one that is there when it ends',
    { parallelism: 1, batchRequests: 8 },
    16,
  ],
  ['two at a time', { parallelism: 2, counters: counters(10, 1) }, 2],
  ['an absurd batch', { parallelism: 1, batchRequests: 100_000 }, 512],
  ['no parallelism', {}, undefined],
  ['a lie', { parallelism: -1 }, undefined],
])('slots of a pod with %s', (_name, load, slots) => {
  expect(slotsOf(JSON.stringify(load))).toBe(slots);
});

test('what is no JSON says nothing', () => {
  expect(slotsOf('busy')).toBeUndefined();
});
