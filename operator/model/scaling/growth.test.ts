import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Estimates } from './estimate.ts';
import { growthOf } from './growth.ts';
import { arrivalsIn, emptyRing, merge } from './ring.ts';
import { seededRandom } from './testing/random.ts';

const startSecond = 1_000;

/** What is known after these seconds, each with so many arrivals. */
function estimatesOf(arrivals: readonly number[], changes: Partial<Estimates> = {}) {
  const ring = merge(
    emptyRing,
    arrivals.map((count, index) => ({
      atMs: (startSecond + index) * 1_000,
      arrivals: count,
      serviceCount: 0,
      serviceSumSeconds: 0,
      serviceSumSquares: 0,
    })),
  );
  const lastSecond = startSecond + arrivals.length - 1;
  const rate = (seconds: number) => arrivalsIn(ring, lastSecond, seconds) / seconds;
  return {
    arrivals: { ring, lastSecond, factor: 1 },
    rates: [rate(2), rate(10), rate(60)] as const,
    burstiness: 1,
    coveredSeconds: arrivals.length,
    ...changes,
  } as Estimates;
}

/** Ready pods that serve 100 a second, a start of 13 s, nothing refused. */
const facts = { capacity: 100, isBurst: false, startupSeconds: 13, mostRate: Number.POSITIVE_INFINITY };
const seen = (arrivals: readonly number[], changes: Partial<typeof facts> = {}) =>
  growthOf({ ...facts, ...changes, estimates: estimatesOf(arrivals) });
const until = (seconds: number, rate: (second: number) => number) =>
  Array.from({ length: seconds }, (_, second) => rate(second));

const ramp = until(60, (second) => (second < 40 ? 60 : 60 + 3 * (second - 39)));

describe('a rise that goes on', () => {
  test('is drawn on to the moment in which a new pod serves, and told', () => {
    const growth = seen(ramp);
    // 3 a second for 18 s, and what Poisson noise may hide of it.
    expect(growth?.ratePerSecond).toBeGreaterThan(130);
    expect(growth?.ratePerSecond).toBeLessThan(175);
    expect(growth?.sentence).toMatch(/^[\d.]+ req\/s grow by [\d.]+ each second: 1\d\d in 18s$/);
  });

  test('is drawn on further in a burst, where it needs no proof', () => {
    expect(seen(ramp, { isBurst: true })?.ratePerSecond).toBeGreaterThan(seen(ramp)?.ratePerSecond ?? 0);
  });

  test('asks for no more than half as much again, whatever its slope', () => {
    const step = until(60, (second) => (second < 55 ? 50 : 500));
    const growth = seen(step, { isBurst: true });
    expect(growth?.ratePerSecond).toBeLessThanOrEqual(1.5 * 500);
    expect(growth?.ratePerSecond).toBeGreaterThan(500);
    expect(growth?.sentence).toMatch(/ in 18s \(at most half as much again\)$/);
    const refused = seen(step, { isBurst: true, mostRate: 510 });
    expect(refused?.sentence).toMatch(/: 510 in 18s \(no more, since refused requests come again\)$/);
  });

  test('of what is refused and comes again is no more than what is taken for demand', () => {
    expect(seen(ramp, { mostRate: 101 })?.ratePerSecond).toBe(101);
  });
});

describe('there is none', () => {
  test.each([
    ['while the ready pods have room to spare', ramp, { capacity: 200 }],
    ['of a rate that falls', ramp.toReversed(), { isBurst: true }],
    ['ten seconds after a step', until(70, (second) => (second < 55 ? 50 : 150)), { isBurst: true }],
    ['of two requests where there was none', until(60, (second) => (second < 58 ? 0 : 1)), { isBurst: true }],
    ['in the first half minute of any traffic', ramp.slice(35), { isBurst: true }],
  ])('%s', (_name, arrivals, changes) => {
    expect(seen(arrivals, changes)).toBeUndefined();
  });

  test('while nothing is heard', () => {
    const silent = { arrivals: 'unknown', rates: 'unknown' } as const;
    expect(growthOf({ ...facts, isBurst: true, estimates: estimatesOf(ramp, silent) })).toBeUndefined();
  });
});

test('Poisson noise of busy pods is seldom taken for a rise, and then for a small one', () => {
  const random = seededRandom(3);
  const counts = until(600, () => random.poisson(95));
  const rates = until(540, (second) => seen(counts.slice(second, second + 60))?.ratePerSecond ?? 0);
  const rises = rates.filter((rate) => rate > 95);
  expect(rises.length).toBeLessThan(0.05 * rates.length);
  expect(Math.max(...rates)).toBeLessThan(1.25 * 95);
});

test('whatever arrives, what is drawn on lies between what surely arrives and half as much again', () => {
  const traffic = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 30, maxLength: 120 });
  fc.assert(
    fc.property(traffic, fc.boolean(), (arrivals, isBurst) => {
      const rate = estimatesOf(arrivals).rates;
      const growth = seen(arrivals, { isBurst });
      if (growth === undefined || rate === 'unknown') return;
      expect(growth.ratePerSecond).toBeGreaterThan(0);
      expect(growth.ratePerSecond).toBeLessThanOrEqual(1.5 * rate[0]);
    }),
  );
});
