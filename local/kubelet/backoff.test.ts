import { describe, expect, test } from '@jest/globals';
import { Backoff, goSeconds, kubeletBackoff } from './backoff.ts';

/** Waits of a container that ends as soon as it starts. */
function waits(count: number): number[] {
  const backoff = new Backoff();
  const found: number[] = [];
  let nowMs = 0;
  for (let index = 0; index < count; index++) {
    const waitMs = backoff.waitMs(nowMs, nowMs);
    found.push(waitMs / 1000);
    const failedAtMs = nowMs;
    nowMs += waitMs;
    backoff.next(failedAtMs, nowMs);
  }
  return found;
}

describe('restart back-off', () => {
  test('starts again at once, then after 10 s, doubled up to 5 min', () => {
    expect(waits(9)).toEqual([0, 10, 20, 40, 80, 160, 300, 300, 300]);
  });
  test('time that passed since the failure counts', () => {
    const backoff = new Backoff();
    backoff.next(0, 0);
    expect(backoff.waitMs(100_000, 104_000)).toBe(6_000);
    expect(backoff.waitMs(100_000, 120_000)).toBe(0);
  });
  test('is forgotten after 10 minutes without a failure', () => {
    const backoff = new Backoff();
    backoff.next(0, 0);
    backoff.next(10_000, 20_000);
    expect(backoff.waitMs(600_000, 600_000)).toBe(20_000);
    const lateMs = 20_000 + 2 * kubeletBackoff.maxMs + 1;
    expect(backoff.waitMs(lateMs, lateMs)).toBe(0);
    backoff.next(lateMs, lateMs);
    expect(backoff.delayMs).toBe(10_000);
  });
});

test.each([
  [50, '50ms'],
  [10_000, '10s'],
  [160_000, '2m40s'],
  [300_000, '5m0s'],
])('%i ms reads %s', (ms, want) => {
  expect(goSeconds(ms)).toBe(want);
});
