/** Cost and waiting pods as series: what is unknown has none. */
import { expect, test } from '@jest/globals';
import type { PendingCauseStatus } from '../crds/status.ts';
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
