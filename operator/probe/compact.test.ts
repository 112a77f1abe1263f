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
  expect(recentArrivals(compact(one, bounds, undefined))).toEqual(recentArrivals(one));
  expect(compact(one, bounds, undefined).latency.boundsMs).toBe(
    compact(other, bounds, undefined).latency.boundsMs,
  );
});

test('newer seconds go on from the ones before, whether they overlap or leave a gap, for two minutes in all', () => {
  const { seconds } = report({ rate: 7, uptimeSeconds: 400 });
  const numbered = seconds.map((second, index) => ({ ...second, arrivals: index }));
  const all = (kept: CompactSeconds) =>
    Array.from({ length: kept.length }, (_, index) => [kept.at(index)?.endMs, kept.at(index)?.arrivals]);
  const plain = (from: number, to: number) =>
    numbered.slice(from, to).map(({ endMs, arrivals }) => [endMs, arrivals]);
  const after = (more: typeof numbered, before = numbered.slice(0, 60)) => {
    const kept = new CompactSeconds(before);
    kept.add(more);
    return kept;
  };
  expect(all(after(numbered.slice(60, 80)))).toEqual(plain(0, 80));
  expect(all(after(numbered.slice(40, 80)))).toEqual(plain(0, 80));
  expect(all(after([]))).toEqual(plain(0, 60));
  expect(all(after(numbered.slice(70, 72)))).toEqual([...plain(0, 60), ...plain(70, 72)]);
  // A pod that tells all again, as one does that knows no `sinceMs`.
  expect(all(after(numbered))).toEqual(plain(0, 120));
  const later = numbered.map((second) => ({ ...second, endMs: second.endMs + 90_000 }));
  const joined = after(later.slice(30, 120), numbered);
  expect(joined.length).toBe(120);
  expect(joined.at(0)).toMatchObject({ endMs: numbered[90]?.endMs, arrivals: 90 });
  expect(joined.at(-1)).toMatchObject({ endMs: later[119]?.endMs, arrivals: 119 });
  // What was beyond the end before is not read again.
  const restarted = after(numbered.slice(0, 2), numbered.slice(0, 60));
  expect(all(restarted)).toEqual(plain(0, 2));
  expect(restarted.at(2)).toBeUndefined();
});

test('reports of one process share one block, and another process begins its own', () => {
  const bounds = new SharedBounds();
  const { seconds, ...rest } = report({ rate: 7 });
  const first = compact({ ...rest, seconds: seconds.slice(0, 30) }, bounds, undefined);
  const next = compact({ ...rest, seconds: seconds.slice(30, 40) }, bounds, first);
  expect(next.seconds).toBe(first.seconds);
  expect(next.seconds.length).toBe(40);
  expect(compact({ ...rest, seconds }, bounds, undefined).seconds).not.toBe(first.seconds);
});
