import { expect, test } from '@jest/globals';
import { startupOf } from './startup.ts';

test('twenty seconds until three pods were seen to start', () => {
  for (const samples of [undefined, [], [3, 4], [3, 4, Number.NaN], [3, 4, -1], [3, 4, 1e9]])
    expect(startupOf(samples)).toEqual({ d50Seconds: 20, d90Seconds: 20, samples: 0 });
});

test('then the median and the slowest tenth of them', () => {
  expect(startupOf([10, 1, 9, 2, 8, 3, 7, 4, 6, 5])).toEqual({ d50Seconds: 5, d90Seconds: 9, samples: 10 });
});
