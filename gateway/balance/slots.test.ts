import { expect, test } from '@jest/globals';
import { slotsOf } from './slots.ts';

const counters = (runs: number, meanMs: number) => ({
  serviceCount: runs,
  serviceSumSeconds: (runs * meanMs) / 1000,
});

test.each([
  ['one without batches, before its first run', { parallelism: 1 }, 1],
  ['runs of 20 ms', { parallelism: 1, counters: counters(100, 20) }, 1],
  ['runs of 1 ms: one more is on its way', { parallelism: 1, counters: counters(100, 1) }, 2],
  ['runs of 50 µs: as many as it does meanwhile', { parallelism: 1, counters: counters(100, 0.05) }, 21],
  [
    'a batch of 8: one that runs and one that is there when it ends',
    { parallelism: 1, batchRequests: 8 },
    16,
  ],
  ['a batch of 2 and runs of 50 µs', { parallelism: 1, batchRequests: 2, counters: counters(100, 0.05) }, 21],
  ['two at a time', { parallelism: 2, counters: counters(100, 20) }, 2],
  ['an absurd batch', { parallelism: 1, batchRequests: 100_000 }, 512],
  ['runs of no time', { parallelism: 1, counters: counters(100, 1e-9) }, 512],
  ['no parallelism', {}, undefined],
  ['a lie', { parallelism: -1 }, undefined],
])('slots of a pod with %s', (_name, load, slots) => {
  expect(slotsOf(JSON.stringify(load))?.slots).toBe(slots);
});

test('is founded when enough has run', () => {
  expect(slotsOf(JSON.stringify({ parallelism: 1, counters: counters(49, 1) }))?.isFounded).toBe(false);
  expect(slotsOf(JSON.stringify({ parallelism: 1, counters: counters(50, 1) }))?.isFounded).toBe(true);
});

test('what is no JSON says nothing', () => {
  expect(slotsOf('busy')).toBeUndefined();
});
