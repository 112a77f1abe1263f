/** An operator that begins anew with nothing but what status holds, beside one that lived on. */
import { describe, expect, test } from '@jest/globals';
import type { LearnedStatus } from '../../../crds/status.ts';
import { learnedStatus } from '../status/learned.ts';
import { initialState } from './decide.ts';
import { restoredState } from './restore.ts';
import { answersAt, boundsMs } from './testing/answers.ts';
import { input, observation, pods } from './testing/build.ts';
import { behindGateway, tell, uptime } from './testing/tell.ts';
import type { ScalingState } from './types.ts';

const wallMs = (nowMs: number) => Date.UTC(2026, 0, 1) + nowMs;
type Remembered = (state: ScalingState, second: number, nowMs: number) => ScalingState;

/** Ends at this second and begins anew with what the last status, some seconds old, says as JSON. */
function restartAt(at: number, statusAge = 20): Remembered {
  let status: LearnedStatus | undefined;
  return (state, second, nowMs) => {
    if (second <= at - statusAge) status = learnedStatus(status, { state, at: wallMs(nowMs), atMs: nowMs });
    if (second !== at) return state;
    return restoredState(JSON.parse(JSON.stringify(status ?? null)), wallMs(nowMs), nowMs);
  };
}

const forgetAt =
  (at: number): Remembered =>
  (state, second) =>
    second === at ? initialState : state;

const largestDifference = (one: readonly number[], other: readonly number[], from: number) =>
  Math.max(...one.slice(from).map((count, at) => Math.abs(count - (other[from + at] ?? 0))));

describe('where requests wait longer than the model says', () => {
  const spec = input({ maxReplicas: 100 });
  const rateOf = (second: number) => 600 + 12 * Math.round(2 * Math.sin((2 * Math.PI * second) / 900));
  const each = new Map<string, number[]>();

  function run(remembered?: Remembered): readonly number[] {
    const counts = new Array<number>(boundsMs.length + 1).fill(0);
    return tell(
      900,
      (second, ready, nowMs) => {
        const rate = rateOf(second);
        const key = `${ready} ${rate}`;
        const answers = each.get(key) ?? answersAt(2.8, rate, rate, ready, spec);
        each.set(key, answers);
        for (const [at, count] of answers.entries()) counts[at] = (counts[at] ?? 0) + count;
        return observation(
          pods(ready, nowMs, rate, {
            ...uptime(second),
            boundsMs,
            counts: counts.map((count) => count / ready),
            counters: { arrivals: 1e6 + 1_000 * second },
          }),
        );
      },
      spec,
      12,
      10,
      remembered,
    ).counts;
  }
  const lived = run();

  test.each([277, 457, 593])('decisions after a restart at second %d are within one of its own', (at) => {
    expect(largestDifference(lived, run(restartAt(at)), at)).toBeLessThanOrEqual(1);
  });

  test('with nothing kept far fewer are asked for', () => {
    expect(largestDifference(lived, run(forgetAt(533)), 533)).toBeGreaterThan(3);
  });
});

describe('where pods slow each other on one full machine', () => {
  /** 300 a second against what two cores can do, whatever the number of pods. */
  const run = (remembered?: Remembered) =>
    tell(
      500,
      (second, ready, nowMs) =>
        behindGateway(
          () => 300,
          () => ({
            serviceMs: 12 * Math.max(1, ready / 2),
            queueLength: 200,
            served: () => Math.min(ready, 2) / 0.012,
          }),
        )(second, ready, nowMs),
      input({ balancing: 'least-outstanding', maxReplicas: 100 }),
      2,
      25,
      remembered,
    ).counts;
  const at = 400;

  test('a restart asks for no more than runs, where one with nothing kept grows again', () => {
    const lived = run();
    expect(Math.max(...lived)).toBeGreaterThan(20);
    expect(lived[at]).toBe(3);
    expect(largestDifference(lived, run(restartAt(at)), at)).toBeLessThanOrEqual(1);
    expect(Math.max(...run(forgetAt(at)).slice(at))).toBeGreaterThan(20);
  });
});
