import { describe, expect, test } from '@jest/globals';
import { LoadRecorder } from './recorder.ts';

describe('seconds', () => {
  test('hold what happened in them, and idle ones are zeros', () => {
    const recorder = new LoadRecorder(0);
    recorder.arrived(100);
    recorder.arrived(900);
    recorder.answered(950, 200, 20);
    recorder.answered(1500, 503, 5);
    const { seconds } = recorder.read(4_200);
    expect(seconds.map(({ endMs, arrivals, completions }) => [endMs, arrivals, completions])).toEqual([
      [1000, 2, 1],
      [2000, 0, 1],
      [3000, 0, 0],
      [4000, 0, 0],
    ]);
  });
  test('are 120 at most, oldest first, also after a long silence', () => {
    const recorder = new LoadRecorder(0);
    recorder.arrived(10);
    recorder.arrived(1_000_500);
    const { seconds, counters } = recorder.read(1_002_000);
    expect(seconds).toHaveLength(120);
    expect(seconds.at(-1)?.endMs).toBe(1_002_000);
    expect(seconds[0]?.endMs).toBe(1_002_000 - 119_000);
    expect(
      seconds.every((second, i) => i === 0 || second.endMs === (seconds[i - 1]?.endMs ?? 0) + 1000),
    ).toBe(true);
    expect(seconds.reduce((sum, second) => sum + second.arrivals, 0)).toBe(1);
    expect(counters.arrivals).toBe(2);
  });
  test('share the time of a run that crosses their edge', () => {
    const recorder = new LoadRecorder(0);
    recorder.busy(800);
    expect(recorder.read(1_300).seconds[0]?.busySeconds).toBeCloseTo(0.2);
    recorder.idle(2_500, [
      { rows: 1, share: 1 },
      { rows: 1, share: 1 },
    ]);
    const { seconds, counters } = recorder.read(3_000);
    expect(seconds.map(({ busySeconds }) => Math.round(busySeconds * 1000))).toEqual([200, 1000, 500]);
    expect(counters.busySeconds).toBeCloseTo(1.7);
    expect(counters).toMatchObject({ serviceCount: 2 });
    expect(counters.serviceSumSeconds).toBeCloseTo(1.7);
    expect(counters.serviceSumSquares).toBeCloseTo(2 * 0.85 ** 2);
    expect(seconds[2]?.serviceCount).toBe(2);
  });
  test('time is shared by rows, and the pieces of one request are one service', () => {
    const recorder = new LoadRecorder(0);
    for (const at of [0, 1000]) {
      recorder.busy(at);
      recorder.idle(at + 400, [
        { rows: 3, share: 0.5 },
        { rows: 1, share: 1 },
      ]);
    }
    const { counters } = recorder.read(2000);
    expect(counters.serviceCount).toBe(3);
    expect(counters.serviceSumSeconds).toBeCloseTo(0.8);
    expect(counters.serviceSumSquares).toBeCloseTo(0.6 ** 2 + 2 * 0.1 ** 2);
  });
  test('a run of many minutes keeps the runner busy in every second that is kept', () => {
    const recorder = new LoadRecorder(0);
    recorder.busy(0);
    const { seconds, counters } = recorder.read(600_000);
    expect(seconds).toHaveLength(120);
    expect(seconds.every(({ busySeconds }) => Math.abs(busySeconds - 1) < 1e-9)).toBe(true);
    expect(counters.busySeconds).toBeCloseTo(600);
  });
});

describe('answers', () => {
  test('are counted by who is at fault', () => {
    const recorder = new LoadRecorder(0);
    for (const status of [200, 200, 400, 404, 413, 499, 429, 503, 504, 500, 501])
      recorder.answered(1, status, 1);
    expect(recorder.read(2).counters).toMatchObject({
      succeeded: 2,
      clientErrors: 4,
      rejected: 3,
      failed: 2,
    });
  });
  test('refusals and failures are infinitely late, the client’s mistakes are in no bucket', () => {
    const recorder = new LoadRecorder(0);
    for (const status of [200, 400, 429, 500]) recorder.answered(1, status, 1);
    const { latency } = recorder.read(2);
    expect(latency.counts.at(-1)).toBe(2);
    expect(latency.counts.reduce((sum, count) => sum + count, 0)).toBe(3);
    expect(latency.counts).toHaveLength(latency.boundsMs.length + 1);
  });
});

test('promised latencies are boundaries, exactly, and a change of them loses no count', () => {
  const recorder = new LoadRecorder(0);
  recorder.answered(1, 200, 49);
  recorder.setTargets([47.5, 120]);
  recorder.answered(1, 200, 47.5);
  recorder.answered(1, 200, 47.6);
  const { boundsMs, counts } = recorder.read(2).latency;
  expect(boundsMs).toEqual([...boundsMs].sort((a, b) => a - b));
  const at = boundsMs.indexOf(47.5);
  expect(at).toBeGreaterThan(0);
  expect(boundsMs).toContain(120);
  expect(counts.slice(0, at + 1).reduce((sum, count) => sum + count, 0)).toBe(1);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(3);
  const before = recorder.read(3).latency;
  recorder.setTargets([47.5, 120]);
  expect(recorder.read(3).latency).toEqual(before);
});
