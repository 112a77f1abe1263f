import { describe, expect, test } from '@jest/globals';
import { input } from './testing/build.ts';
import { behindGateway, tell } from './testing/tell.ts';

/** Line 7 of reference/autoscaling.md §3.11: a storm of repetitions. */
describe('requests that are refused', () => {
  const spec = input({
    balancing: 'least-outstanding',
    maxReplicas: 1_000,
    latency: [{ percentile: 'p95', targetMs: 250 }],
  });
  /** 20 a second, then 160, at 60 ms a request; of what is refused, so much is sent again each second until it is served. */
  const refused = (again: number, isTold = true) => {
    const offered: number[] = [];
    let rejected = 0;
    let waiting = 0;
    return tell(
      240,
      (second, ready, nowMs) => {
        offered[second] = (second < 20 ? 20 : 160) + waiting;
        const late = Math.max(0, offered[second] - Math.floor(ready * 16.7));
        waiting = again * late;
        rejected += late;
        return behindGateway(
          (end) => offered[Math.max(0, Math.min(second, end))] ?? 20,
          () => ({ serviceMs: 60, ...(isTold ? { rejected } : {}) }),
        )(second, ready, nowMs);
      },
      spec,
      2,
    );
  };

  test('and come again until they are served are no demand without bound', () => {
    const need = refused(0).last.replicas;
    const storm = refused(1);
    expect(refused(1, false).peak).toBeGreaterThan(8 * need);
    expect(storm.peak).toBeLessThanOrEqual(6 * need);
    expect(storm.last.replicas).toBeLessThanOrEqual(1.5 * need);
    expect(storm.decisions.some(({ why }) => /are refused and may come again/.test(why.sentence))).toBe(true);
  });

  test('and never come again are all demand: the counts are as if nothing was refused', () => {
    expect(refused(0).counts).toEqual(refused(0, false).counts);
  });
});
