import { describe, expect, test } from '@jest/globals';
import { startupOf } from './startup.ts';
import type { Startup } from './types.ts';

test('twenty seconds until three pods were seen to start', () => {
  for (const samples of [undefined, [], [3, 4], [3, 4, Number.NaN], [3, 4, -1], [3, 4, 1e9]])
    expect(startupOf(samples)).toEqual({
      d50Seconds: 20,
      d90Seconds: 20,
      nodeSeconds: undefined,
      samples: 0,
    });
});

test('then the median and the slowest tenth of them', () => {
  expect(startupOf([10, 1, 9, 2, 8, 3, 7, 4, 6, 5])).toMatchObject({
    d50Seconds: 5,
    d90Seconds: 9,
    samples: 10,
  });
});

describe('pods that waited for a node', () => {
  const placed: Startup = { podSeconds: 5, nodeSeconds: 0 };
  const waited: Startup = { podSeconds: 5, nodeSeconds: 40 };
  const times = (count: number, sample: Startup) => Array.from({ length: count }, () => sample);

  test('make the horizon longer by that wait as long as one of the last five was among them', () => {
    expect(startupOf([...times(10, placed), waited, ...times(4, placed)])).toMatchObject({
      d50Seconds: 45,
      d90Seconds: 45,
      nodeSeconds: 40,
    });
  });

  test('do not once five in a row found a place at once, as with headroom: the two are not mixed', () => {
    expect(startupOf([...times(10, waited), ...times(5, placed)])).toMatchObject({
      d50Seconds: 5,
      d90Seconds: 5,
      nodeSeconds: undefined,
    });
  });

  test('count again at once when pods find no place', () => {
    const samples = [...times(2, waited), ...times(8, placed)];
    expect(startupOf(samples).d90Seconds).toBe(5);
    expect(startupOf(samples, true)).toMatchObject({ d90Seconds: 45, nodeSeconds: 40 });
    expect(startupOf(times(8, placed), true)).toMatchObject({ d90Seconds: 5, nodeSeconds: undefined });
  });

  test('a second or two until the scheduler decides is no wait for a node, but part of the start', () => {
    expect(startupOf(times(5, { podSeconds: 5, nodeSeconds: 2 }))).toMatchObject({
      d90Seconds: 7,
      nodeSeconds: undefined,
    });
  });
});
