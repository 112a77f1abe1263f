import { describe, expect, test } from '@jest/globals';
import { pod, silentPod } from './testing/build.ts';
import type { PodObservation } from './types.ts';
import { emptyWindow, measuredOf, observeWindow } from './window.ts';

const at = 10_000_000;
const windowMs = 60_000;
const targets = [{ percentile: 'p95' as const, targetMs: 50 }];

/** Buckets up to 10, 50, 100 ms and beyond. */
const counted = (
  name: string,
  nowMs: number,
  counts: number[],
  changes: Partial<Parameters<typeof pod>[2]> = {},
) => {
  const succeeded = counts.slice(0, 3).reduce((sum, count) => sum + count, 0);
  return pod(name, nowMs, {
    rate: 1,
    uptimeSeconds: 30,
    counts,
    counters: { succeeded, rejected: counts[3] ?? 0, failed: 0 },
    ...changes,
  });
};

const measure = (steps: [nowMs: number, pods: PodObservation[]][]) => {
  let window = emptyWindow;
  let last: [number, PodObservation[]] = [at, []];
  for (const step of steps) {
    window = observeWindow(window, step[1], windowMs, step[0]);
    last = step;
  }
  return measuredOf(window, last[1], targets, windowMs, last[0]);
};

describe('the SLO window', () => {
  test('holds all that a young process ever did', () => {
    const measured = measure([[at, [counted('a', at, [50, 40, 5, 5])]]]);
    expect(measured).toMatchObject({
      windowMs,
      coveredMs: 30_000,
      requests: 100,
      errorRate: 0.05,
      lateShare: { p95: 0.1 },
      latencyMs: { p50: 10, p90: 50, p95: 100, p99: Number.POSITIVE_INFINITY },
      readyPods: 1,
      freshPods: 1,
    });
  });

  test('of an old process holds what it did since it was first read', () => {
    const old = { uptimeSeconds: 5_000 };
    const first = measure([[at, [counted('a', at, [1_000, 0, 0, 900], old)]]]);
    expect(first).toMatchObject({ requests: 0, errorRate: 'unknown', coveredMs: 0 });
    expect(first.latencyMs.p95).toBe('unknown');
    const later = measure([
      [at, [counted('a', at, [1_000, 0, 0, 900], old)]],
      [at + 2_000, [counted('a', at + 2_000, [1_090, 10, 0, 900], { uptimeSeconds: 5_002 })]],
    ]);
    expect(later).toMatchObject({ requests: 100, errorRate: 0, lateShare: { p95: 0 }, coveredMs: 2_000 });
  });

  test('adds up pods, and counts a reading once', () => {
    const pods = [counted('a', at, [10, 0, 0, 0]), counted('b', at, [0, 10, 0, 0])];
    expect(
      measure([
        [at, pods],
        [at + 1_000, pods],
      ]).requests,
    ).toBe(20);
  });

  test('a restarted container adds to what the one before did', () => {
    const measured = measure([
      [at, [counted('a', at, [10, 0, 0, 0], { instance: 'first' })]],
      [at + 5_000, [counted('a', at + 5_000, [3, 0, 0, 0], { instance: 'second', uptimeSeconds: 2 })]],
    ]);
    expect(measured.requests).toBe(13);
  });

  test('lets go of what is older than itself', () => {
    const measured = measure([
      [at, [counted('a', at, [10, 0, 0, 10])]],
      [at + 63_000, [counted('a', at + 63_000, [30, 0, 0, 10], { uptimeSeconds: 93 })]],
    ]);
    expect(measured).toMatchObject({ requests: 20, errorRate: 0, coveredMs: windowMs });
  });

  test('goes on when the promise, and with it the boundaries, changes', () => {
    const before = counted('a', at, [10, 10, 0, 0]);
    const after = counted('a', at + 2_000, [10, 20, 0, 0, 0], {
      uptimeSeconds: 32,
      boundsMs: [10, 50, 75, 100],
      counters: { succeeded: 30 },
    });
    const measured = measure([
      [at, [before]],
      [at + 2_000, [after]],
    ]);
    expect(measured).toMatchObject({ requests: 30, lateShare: { p95: 0 } });
    expect(measured.latencyMs.p90).toBeLessThanOrEqual(50);
  });

  test('a cumulative count that fell inside one process adds nothing', () => {
    const measured = measure([
      [at, [counted('a', at, [10, 0, 0, 0])]],
      [at + 2_000, [counted('a', at + 2_000, [5, 0, 0, 0], { uptimeSeconds: 32 })]],
    ]);
    expect(measured.requests).toBe(10);
  });

  test('says which revision got which share of the last minute', () => {
    const measured = measure([
      [
        at,
        [
          pod('a', at, { rate: 9, revision: 'old' }),
          pod('b', at, { rate: 3, revision: 'new' }),
          silentPod('c'),
        ],
      ],
    ]);
    expect(measured.revisionShares).toEqual({ old: 0.75, new: 0.25 });
    expect(measured).toMatchObject({ requestRate: 12, readyPods: 3, freshPods: 2 });
  });

  test('knows nothing without readings', () => {
    expect(measure([[at, [silentPod('a')]]])).toMatchObject({
      requests: 0,
      requestRate: 'unknown',
      errorRate: 'unknown',
      revisionShares: {},
      lateShare: { p95: 'unknown' },
    });
  });
});
