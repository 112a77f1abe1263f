/** Promise and measurement: verdicts, budgets and how figures are written. */
import { describe, expect, test } from '@jest/globals';
import { makeDeployment, makeMeasured } from '../testing/builders.ts';
import { formatLatency, formatPercent, formatRate } from './rounding.ts';
import { slaMet, slaStatus } from './sla.ts';

describe('promise and measurement', () => {
  const promised = makeDeployment({ sla: { latency: { p95: '50ms' }, errorRate: '1%', window: '5m' } }).spec;
  const late = (share: number, p95 = 40) =>
    makeMeasured({ latencyMs: { p50: 5, p90: 20, p95, p99: 80 }, lateShare: { p95: share } });
  test.each<[string, Parameters<typeof slaMet>, string]>([
    ['nothing is promised', [makeDeployment().spec, makeMeasured()], 'Unknown NotPromised'],
    ['no loop has run', [promised, 'unknown'], 'Unknown MetricsUnknown'],
    ['pods are silent', [promised, makeMeasured({ readyPods: 2, freshPods: 0 })], 'Unknown MetricsUnknown'],
    ['no request came', [promised, makeMeasured({ requests: 0 })], 'Unknown NoTraffic'],
    ['every promise is kept', [promised, late(0.04)], 'True Met'],
    ['too many are late', [promised, late(0.06, 61)], 'False Violated'],
    ['the only request was late', [promised, { ...late(1, 130), requests: 1 }], 'Unknown NoTraffic'],
    ['two of two were late', [promised, { ...late(1, 130), requests: 2 }], 'False Violated'],
    ['too many fail', [promised, { ...late(0.01), errorRate: 0.02 }], 'False Violated'],
  ])('%s', (_, args, want) => {
    const { status, reason } = slaMet(...args);
    expect(`${status} ${reason}`).toBe(want);
  });

  test('the message has promised and measured, and the budget what is left', () => {
    const measured = { ...late(0.02, 41), errorRate: 0.0002 };
    expect(slaMet(promised, measured).message).toBe(
      'promised p95 50ms, measured 41ms; promised error rate 1%, measured 0.02% over the last 5m',
    );
    // 2 % late of 5 % allowed: 60 % is left, less than of the error rate's.
    expect(slaStatus(promised, measured)).toEqual({
      window: '5m',
      requests: 100,
      p50: '5ms',
      p90: '20ms',
      p95: '41ms',
      p99: '80ms',
      errorRate: '0.02%',
      budgetLeft: '60%',
    });
  });

  test('a broken budget is 0 %, never negative, and an unkeepable one too', () => {
    expect(slaStatus(promised, late(0.5, 900))?.budgetLeft).toBe('0%');
    const none = makeDeployment({ sla: { errorRate: '0%', window: '5m' } }).spec;
    expect(slaMet(none, makeMeasured({ errorRate: 0 })).status).toBe('True');
    expect(slaStatus(none, makeMeasured({ requests: 2_000, errorRate: 0.001 }))?.budgetLeft).toBe('0%');
  });

  test.each([
    [formatLatency(0.04), '<0.1ms'],
    [formatLatency(4.237), '4.2ms'],
    [formatLatency(41.4), '41ms'],
    [formatLatency(123.4), '123ms'],
    [formatLatency(1234), '1.23s'],
    [formatLatency(Number.POSITIVE_INFINITY), 'failed'],
    [formatRate(0), '0/s'],
    [formatRate(0.444), '0.44/s'],
    [formatRate(1234), '1200/s'],
    [formatPercent(0.00021), '0.021%'],
    [formatPercent(1), '100%'],
  ])('%s is %s', (got, want) => {
    expect(got).toBe(want);
  });
});
