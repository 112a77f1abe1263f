/** Alerts ask for metrics that exist: every name in a PromQL expression is one that the operator, the inference pod or the gateway tells. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { families } from '../../gateway/ops/families.ts';
import { createMetrics as createPodMetrics } from '../../inference-pod/http/metrics.ts';
import { createMetrics as createOperatorMetrics } from '../../operator/http/metrics.ts';
import { modelSeries } from '../../operator/model-metrics.ts';
import { promiseSeries } from '../../operator/promise-metrics.ts';
import { labelledScalingSeries, scalingSeries } from '../../operator/scaling-metrics.ts';
import { metricsIn } from './support/promql.ts';
import { find, render, root, withMonitoring } from './support/render.ts';

interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const rules = (
  find(render(['--set', 'prometheusRule.enabled=true', ...withMonitoring]), 'PrometheusRule', 'ballast')
    .spec as { groups: { rules: AlertRule[] }[] }
).groups.flatMap((group) => group.rules);

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (entry.isDirectory()) yield* sources(join(folder, entry.name));
    else if (/(?<!\.test)\.ts$/.test(entry.name)) yield readFileSync(join(root, folder, entry.name), 'utf8');
  }
}

/** Names that the operator's code counts under, some of them only when something goes wrong; each with the labels it gives. */
function countedNames(): string[] {
  const found: string[] = [];
  for (const text of [...sources('operator'), ...sources('kube')])
    for (const [, kind, name] of text.matchAll(/\.(count|gauge|duration)\(\s*'([a-z_]+)'/g))
      found.push(...(kind === 'duration' ? [`${name}_sum`, `${name}_count`] : [`${name}`]));
  return found.map((name) => `ballast_operator_${name}`);
}

const namesOf = (text: string) =>
  [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type]) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((ending) => name + ending) : [name],
  );

const operator = createOperatorMetrics(() => []);
const pod = createPodMetrics({
  queueLength: () => 0,
  inFlight: () => 0,
  bytesHeld: () => 0,
  ready: () => true,
  busySeconds: () => 0,
  capacityRowsPerSecond: () => 1,
  targetBatchRows: () => 1,
  queueRows: () => 0,
  predictedWaitSeconds: () => 0,
  arrivalsPerSecond: () => 0,
  memoryLimitBytes: () => 1,
});
const models = [...scalingSeries, ...labelledScalingSeries, ...promiseSeries, ...modelSeries].map(
  ({ name }) => `ballast_${name}`,
);
const gateway = families.map(({ name }) => `ballast_gateway_${name}`);
const known = new Set([
  ...countedNames(),
  ...namesOf(await operator.text()),
  ...namesOf(await pod.text()),
  ...models,
  ...gateway,
]);
operator.close();

test('the registries are read', () => {
  expect([...known]).toEqual(
    expect.arrayContaining([
      'ballast_operator_leader',
      'ballast_operator_reconcile_seconds_sum',
      'ballast_operator_process_resident_memory_bytes',
      'ballast_request_duration_seconds_bucket',
    ]),
  );
});

test('names are found in expressions', () => {
  const expression = 'sum by (a, b) (rate(x_total{c=~"d|e"}[5m])) / max(y) > 0.1 and absent(z == 1)';
  expect(metricsIn(expression)).toEqual(['x_total', 'y', 'z']);
});

describe.each(rules)('$alert', ({ alert, expr, labels, annotations, ...rule }) => {
  test('asks for series that exist', () => {
    const asked = metricsIn(expr);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
  });
  test('waits before it speaks, and says what to do', () => {
    expect(alert).toMatch(/^Ballast[A-Z][A-Za-z]+$/);
    expect(rule.for).toMatch(/^[0-9]+m$/);
    expect(['warning', 'critical']).toContain(labels.severity);
    expect(annotations.summary).toMatch(/\.$/);
    expect(annotations.description.length).toBeGreaterThan(20);
  });
  test('names labels that the expression leaves', () => {
    const left = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
    const used = [...`${annotations.summary} ${annotations.description}`.matchAll(/\$labels\.(\w+)/g)].map(
      ([, label = '']) => label,
    );
    expect(used.filter((label) => !left.includes(label))).toEqual([]);
  });
});
