import { expect, test } from '@jest/globals';
import type { FleetDecision } from './controllers/fleet-decision.ts';
import { createMetrics } from './http/metrics.ts';
import { makeDeployment } from './model/testing/builders.ts';
import { labelledScalingSeries, scalingSamples, scalingSeries } from './scaling-metrics.ts';

const decision = {
  replicas: 5,
  why: {
    reason: 'Latency',
    sentence: '',
    inputs: {
      minReplicas: 1,
      maxReplicas: 20,
      arrivalRate10s: 118,
      plannedRate: 120,
      forecastRate: 'unknown',
      serviceMs: 30,
      busyReplicas: 3.5,
      readyPods: 5,
      freshPods: 4,
      queueLength: 0,
      startupSeconds: 9,
    },
    freshness: 'ok',
    needed: 6,
    limited: { reason: 'NoRoom', sentence: '' },
  },
  lastChange: undefined,
  headroom: 2,
} as unknown as FleetDecision;

test('every figure of the decision in force is a series; the unknown and the undecided have none', async () => {
  const wine = makeDeployment();
  const other = makeDeployment({}, { metadata: { ...wine.metadata, uid: 'other', name: 'other' } });
  const metrics = createMetrics(
    () => [],
    () => scalingSamples([wine, other], (uid) => (uid === wine.metadata.uid ? decision : undefined)),
  );
  const lines = (await metrics.text()).split('\n').filter((line) => /^ballast_(?!operator_)/.test(line));
  metrics.close();
  const where = 'namespace="shop",model_deployment="wine"';
  expect(lines).toEqual(
    [
      ['arrivals_per_second', 118],
      ['desired_replicas', 5],
      ['fresh_pods', 4],
      ['headroom_replicas', 2],
      ['limited', 1, ',reason="NoRoom"'],
      ['max_replicas', 20],
      ['min_replicas', 1],
      ['needed_replicas', 6],
      ['planned_arrivals_per_second', 120],
      ['queue_length', 0],
      ['ready_pods', 5],
      ['reason', 1, ',reason="Latency"'],
      ['service_seconds', 0.03],
      ['startup_seconds', 9],
      ['utilisation_ratio', 0.7],
    ].map(([name, value, more = '']) => `ballast_scaling_${name}{${where}${more}} ${value}`),
  );
});

test('the list that the reference is made from names each series once', () => {
  const names = [...scalingSeries, ...labelledScalingSeries].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const told = scalingSamples([makeDeployment()], () => ({
    ...decision,
    lastChange: { at: 5_000, replicas: 5, previousReplicas: 4, why: decision.why },
  }));
  expect(told.every(({ name }) => names.includes(name))).toBe(true);
  expect(told.find(({ name }) => name === 'scaling_last_change_timestamp_seconds')?.value).toBe(5);
});
