import { describe, expect, test } from '@jest/globals';
import type { LoadReport } from '../../crds/wire.ts';
import { report } from '../model/scaling/testing/build.ts';
import { BurstWatch, recentAgainstUsual } from './bursts.ts';

/** A pod that got `before` requests a second, and `now` in its last two. */
function answer(before: number, now: number, seconds = 60): LoadReport {
  const one = report({ rate: before, uptimeSeconds: seconds });
  return {
    ...one,
    seconds: one.seconds.map((second, index) => ({
      ...second,
      arrivals: index >= seconds - 2 ? now : before,
    })),
  };
}

/** Deterministic Poisson counts (Knuth). */
function poisson(seed: number) {
  let state = seed;
  const random = () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return (state + 1) / 2 ** 32;
  };
  return (mean: number) => {
    let count = -1;
    for (let product = 1; product > Math.exp(-mean); count += 1) product *= random();
    return count;
  };
}

describe('a burst', () => {
  test.each([
    ['three times the load, of one pod', 20, 60, true],
    ['half as much again', 20, 30, false],
    ['the same', 20, 20, false],
    ['less', 20, 2, false],
    ['from nothing', 0, 5, true],
    ['a single request', 0, 1, false],
    ['a tenth more of much', 10_000, 11_000, false],
  ])('%s: %d to %d requests per second is %s', (_, before, now, expected) => {
    expect(new BurstWatch().see('a', answer(before, now), 0)).toBe(expected);
  });

  test('what one pod leaves open, several within two seconds tell', () => {
    const watch = new BurstWatch();
    const seen = [0, 400, 800, 1_200].map((atMs) => watch.see('a', answer(20, 32), atMs));
    expect(seen[0]).toBe(false);
    expect(seen.at(-1)).toBe(true);
    const slow = new BurstWatch();
    expect([0, 20_000, 40_000].map((atMs) => slow.see('a', answer(20, 32), atMs))).not.toContain(true);
  });

  test('a pod that is too young says nothing', () => {
    expect(recentAgainstUsual(answer(5, 50, 11))).toBeUndefined();
    expect(recentAgainstUsual(answer(5, 50, 12))).toEqual({ seen: 100, usual: 10 });
  });

  test('noise is taken for one less than once in 500 answers', () => {
    const draw = poisson(7);
    const watch = new BurstWatch();
    let wrong = 0;
    for (let index = 0; index < 3_000; index += 1) {
      const one = report({ rate: 1, uptimeSeconds: 40 });
      const seconds = one.seconds.map((second) => ({ ...second, arrivals: draw(10) }));
      if (watch.see('a', { ...one, seconds }, index * 400)) wrong += 1;
    }
    expect(wrong).toBeLessThan(6);
  });
});
