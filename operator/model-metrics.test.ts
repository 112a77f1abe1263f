/** Whether it serves, cost and waiting pods as series: what is unknown has none. */
import { expect, test } from '@jest/globals';
import type { PendingCauseStatus, StatusCondition } from '../crds/status.ts';
import { createMetrics } from './http/metrics.ts';
import { makeDeployment } from './model/testing/builders.ts';
import { modelSamples } from './model-metrics.ts';

const cause = (reason: PendingCauseStatus['reason'], short: string, pods: number): PendingCauseStatus => ({
  reason,
  short,
  pods,
  since: '2026-01-01T12:00:00Z',
  pod: 'p',
  message: 'm',
});
const cost = (perHour: string) => ({
  perHour,
  perReplicaHour: 'unknown',
  source: 'NodePrice' as const,
  message: '',
});

test('series of ModelDeployments carry their own prefix and labels; the unknown has none', async () => {
  const priced = makeDeployment(
    {},
    {
      status: {
        cost: cost('0.42'),
        pending: {
          pods: 4,
          since: '2026-01-01T12:00:00Z',
          causes: [
            cause('Unschedulable', 'cpu', 2),
            cause('Unschedulable', 'memory', 1),
            cause('Pulling', '', 1),
          ],
        },
      },
    },
  );
  const unknown = makeDeployment({}, { status: { cost: cost('unknown') } });
  const metrics = createMetrics(
    () => [],
    () => modelSamples([priced, unknown, makeDeployment()]),
  );
  const lines = (await metrics.text()).split('\n').filter((line) => /^ballast_(?!operator_)/.test(line));
  metrics.close();
  expect(lines).toEqual([
    'ballast_cost_per_hour{namespace="shop",model_deployment="wine"} 0.42',
    'ballast_pods_pending{namespace="shop",model_deployment="wine",reason="Unschedulable"} 3',
    'ballast_pods_pending{namespace="shop",model_deployment="wine",reason="Pulling"} 1',
  ]);
});

const condition = (type: string, status: StatusCondition['status'], reason: string): StatusCondition => ({
  type,
  status,
  reason,
  message: 'm',
  lastTransitionTime: '2026-01-01T12:00:00Z',
});
const linesOf = (desiredReplicas: number, ...conditions: StatusCondition[]) =>
  modelSamples([makeDeployment({}, { status: { scaling: { desiredReplicas }, conditions } })]).map(
    ({ name, labels: { reason = '' }, value }) => `${name} ${reason} ${value}`,
  );

test('what serves, or sleeps until somebody asks, is available', () => {
  expect(linesOf(2, condition('Available', 'True', 'Serving'))).toEqual(['available  1']);
  expect(linesOf(0, condition('Available', 'True', 'Serving'))).toEqual(['available  1']);
});

test('what should serve and does not is not, and why the spec is not in effect is told', () => {
  expect(
    linesOf(1, condition('Available', 'False', 'NoReadyPods'), condition('Stalled', 'True', 'PodCrashing')),
  ).toEqual(['available  0', 'stalled PodCrashing 1']);
});

test('nobody is woken where nothing is asked for: suspended, 0 replicas, not looked at yet', () => {
  expect(
    linesOf(1, condition('Available', 'False', 'Suspended'), condition('Stalled', 'False', 'Suspended')),
  ).toEqual([]);
  expect(linesOf(0, condition('Available', 'False', 'NoReadyPods'))).toEqual([]);
  expect(modelSamples([makeDeployment()])).toEqual([]);
});
