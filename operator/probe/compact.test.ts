import { expect, test } from '@jest/globals';
import { recentArrivals } from '../model/scaling/readings.ts';
import { report } from '../model/scaling/testing/build.ts';
import { CompactSeconds, compact, SharedBounds } from './compact.ts';

test('seconds come back as they were, from both ends', () => {
  const { seconds } = report({ rate: 7, uptimeSeconds: 3_000_000, serviceMs: 12 });
  const kept = new CompactSeconds(seconds);
  expect(kept.length).toBe(120);
  for (const index of [0, 60, 119, -1, -120]) {
    const { endMs, arrivals, serviceCount, serviceSumSeconds } = seconds.at(index) ?? {};
    const second = kept.at(index);
    expect(second).toMatchObject({ endMs, arrivals, serviceCount });
    expect(second?.serviceSumSeconds).toBeCloseTo(serviceSumSeconds ?? Number.NaN, 6);
  }
  expect(kept.at(120)).toBeUndefined();
  expect(kept.at(-121)).toBeUndefined();
  expect(new CompactSeconds([]).at(-1)).toBeUndefined();
});

test('what is kept tells the same recent arrivals, and shares its boundaries with the others', () => {
  const bounds = new SharedBounds();
  const one = report({ rate: 7 });
  const other = report({ rate: 3 });
  expect(recentArrivals(compact(one, bounds))).toEqual(recentArrivals(one));
  expect(compact(one, bounds).latency.boundsMs).toBe(compact(other, bounds).latency.boundsMs);
});
