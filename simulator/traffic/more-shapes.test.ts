import { expect, test } from '@jest/globals';
import { meanRate } from './arrivals.ts';
import { moreShapes } from './more-shapes.ts';

test('each of them is an hour of some traffic, the same each time and like no other', () => {
  const seen = new Set<string>();
  for (const [name, make] of Object.entries(moreShapes)) {
    const trace = make();
    expect([trace.name, trace.counts.length, trace.bucketSeconds]).toEqual([name, 3_600, 1]);
    expect([name, trace.counts.every((rate) => rate >= 0 && rate < 1_000)]).toEqual([name, true]);
    expect(meanRate(trace)).toBeGreaterThan(1);
    expect(make().counts).toEqual(trace.counts);
    seen.add(trace.counts.join());
  }
  expect(seen.size).toBe(Object.keys(moreShapes).length);
});
