import { expect, test } from '@jest/globals';
import { makeDeployment, makeMeasured } from './model/testing/builders.ts';
import { promiseSamples, promiseSeries } from './promise-metrics.ts';

const promised = makeDeployment({
  sla: { latency: { p95: '50ms', p99: '200ms' }, errorRate: '1%', window: '5m' },
});
const linesOf = (...[part]: Parameters<typeof makeMeasured>) =>
  promiseSamples([promised], () => ({ measured: makeMeasured(part) })).map(
    ({ name, labels: { namespace, model_deployment, ...more }, value }) =>
      `${namespace}/${model_deployment} ${name} ${Object.values(more).join()} ${Number(value.toPrecision(6))}`,
  );

test('a promise that is kept, with its targets', () => {
  expect(linesOf({ requests: 1_000, errorRate: 0.001, lateShare: { p95: 0.02, p99: 0.001 } })).toEqual([
    'shop/wine sla_met  1',
    'shop/wine sla_latency_seconds p95 0.02',
    'shop/wine sla_latency_target_seconds p95 0.05',
    'shop/wine sla_latency_seconds p99 0.041',
    'shop/wine sla_latency_target_seconds p99 0.2',
    'shop/wine sla_error_ratio  0.001',
    'shop/wine sla_error_target_ratio  0.01',
    'shop/wine sla_budget_left_ratio  0.6',
  ]);
});

test('one that is broken, by errors that leave no percentile', () => {
  const lines = linesOf({
    requests: 1_000,
    errorRate: 0.5,
    lateShare: { p95: 0.5, p99: 0.5 },
    latencyMs: { p50: 5, p90: Infinity, p95: Infinity, p99: Infinity },
  });
  expect(lines).toContain('shop/wine sla_met  0');
  expect(lines).toContain('shop/wine sla_budget_left_ratio  0');
  expect(lines.filter((line) => line.includes('sla_latency_seconds'))).toEqual([]);
});

test('what is unknown has no series: no traffic, no decision', () => {
  const none = { p50: 'unknown', p90: 'unknown', p95: 'unknown', p99: 'unknown' } as const;
  const lines = linesOf({ requests: 0, errorRate: 'unknown', latencyMs: none });
  expect(lines.map((line) => line.split(' ')[1])).toEqual([
    'sla_latency_target_seconds',
    'sla_latency_target_seconds',
    'sla_error_target_ratio',
  ]);
  expect(promiseSamples([promised], () => undefined)).toEqual([]);
});

test('every series is told by the list, and the other way round', () => {
  const all = promiseSamples([promised], () => ({
    measured: makeMeasured({ requests: 1_000, lateShare: { p95: 0.02, p99: 0.001 } }),
  }));
  expect([...new Set(all.map(({ name }) => name))].sort()).toEqual(
    promiseSeries.map(({ name }) => name as string).sort(),
  );
});
