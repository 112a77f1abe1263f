import { describe, expect, test } from '@jest/globals';
import { ModelRecorder } from './recorder.ts';

describe('ModelRecorder', () => {
  test.each([
    [200, 'succeeded'],
    [400, 'clientErrors'],
    [499, 'clientErrors'],
    [429, 'rejected'],
    [503, 'rejected'],
    [504, 'rejected'],
    [500, 'failed'],
    [502, 'failed'],
  ] as const)('a %i counts as %s', (status, outcome) => {
    const recorder = new ModelRecorder(0);
    recorder.arrived(10);
    recorder.answered(20, status, 10);
    const { counters, latency } = recorder.read(1_500);
    expect(counters[outcome]).toBe(1);
    const counted = latency.counts.reduce((sum, count) => sum + count, 0);
    // What the client did wrong, or left, is no answer in time and none that was late.
    expect(counted).toBe(outcome === 'clientErrors' ? 0 : 1);
    expect(latency.counts.at(-1)).toBe(outcome === 'rejected' || outcome === 'failed' ? 1 : 0);
  });

  test('keeps seconds in which something happened, for two minutes, and no others', () => {
    const recorder = new ModelRecorder(0);
    const shown = (nowMs: number) =>
      recorder.read(nowMs).seconds.map(({ endMs, arrivals }) => [endMs, arrivals]);
    for (const atMs of [500, 5_500, 5_600]) recorder.arrived(atMs);
    expect(shown(7_000)).toEqual([
      [1_000, 1],
      [6_000, 2],
    ]);
    expect(shown(122_000)).toEqual([[6_000, 2]]);
    recorder.arrived(130_500);
    expect(shown(131_500)).toEqual([[131_000, 1]]);
  });

  test('tells only what is newer than the last look, when it is asked so', () => {
    const recorder = new ModelRecorder(0);
    for (let second = 0; second < 5; second += 1) recorder.arrived(second * 1_000 + 1);
    expect(recorder.read(5_500).seconds.map(({ endMs }) => endMs)).toEqual([
      1_000, 2_000, 3_000, 4_000, 5_000,
    ]);
    expect(recorder.read(5_600, 3_000).seconds.map(({ endMs }) => endMs)).toEqual([4_000, 5_000]);
  });

  test('adds up the time that pods have requests in hand, over seconds in which nothing else happens', () => {
    const recorder = new ModelRecorder(0);
    recorder.inHand(500, 1);
    recorder.inHand(1_500, 1);
    recorder.inHand(3_000, -1);
    recorder.inHand(4_250, -1);
    const { counters, seconds } = recorder.read(10_000);
    expect(counters.busySeconds).toBeCloseTo(2.5 + 2.75);
    expect(seconds.map(({ endMs, busySeconds }) => [endMs, busySeconds])).toEqual([
      [1_000, 0.5],
      [2_000, 1.5],
      [3_000, 2],
      [4_000, 1],
      [5_000, 0.25],
    ]);
  });

  test('a request that hangs for hours costs no more than the two minutes that are kept', () => {
    const recorder = new ModelRecorder(0);
    recorder.inHand(0, 1);
    const { counters, seconds } = recorder.read(3_600_000);
    expect(counters.busySeconds).toBeCloseTo(3_600);
    expect(seconds.length).toBeLessThanOrEqual(120);
    expect(seconds.length).toBeGreaterThan(115);
  });

  test('promised latencies are boundaries, and what was counted stays', () => {
    const recorder = new ModelRecorder(0);
    recorder.answered(1, 200, 47);
    recorder.setTargets([47.5]);
    recorder.answered(2, 200, 47.5);
    recorder.answered(3, 200, 47.6);
    const { latency } = recorder.read(4);
    const at = latency.boundsMs.indexOf(47.5);
    expect(at).toBeGreaterThan(0);
    expect(latency.counts[at]).toBe(1);
    expect(latency.counts.reduce((sum, count) => sum + count, 0)).toBe(3);
  });

  test('remembers how many waited at most in a second', () => {
    const recorder = new ModelRecorder(0);
    for (const count of [1, 7, 3]) recorder.waiting(100, count);
    expect(recorder.read(1_100).seconds[0]?.mostWaiting).toBe(7);
  });
});
