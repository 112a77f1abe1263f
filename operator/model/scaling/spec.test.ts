import { describe, expect, test } from '@jest/globals';
import type { ModelDeploymentSpec } from '../../../crds/types.ts';
import { figure, seconds } from './explain.ts';
import { scalingInputOf } from './spec.ts';

const spec = (changes: Partial<ModelDeploymentSpec>): ModelDeploymentSpec => ({
  model: { uri: 'file:///samples/wine/model.onnx' },
  scaling: { mode: 'SLA', replicas: 1 },
  ...changes,
});

describe('scalingInputOf', () => {
  test.each([
    ['nothing promised', {}, [1, 1]],
    ['an sla', { sla: { latency: { p95: '50ms' }, window: '5m' } }, [1, 10]],
    ['an sla without latency', { sla: { errorRate: '1%', window: '5m' } }, [1, 10]],
    [
      'a request rate',
      { scaling: { mode: 'SLA' as const, replicas: 1, requestsPerSecondPerReplica: 9 } },
      [1, 10],
    ],
    [
      'a minimum above ten',
      {
        sla: { latency: { p95: '50ms' }, window: '5m' },
        scaling: { mode: 'SLA' as const, replicas: 1, minReplicas: 12 },
      },
      [12, 12],
    ],
    [
      'both limits',
      { scaling: { mode: 'SLA' as const, replicas: 1, minReplicas: 2, maxReplicas: 3 } },
      [2, 3],
    ],
  ])('with %s', (_name, changes, [minReplicas, maxReplicas]) => {
    expect(scalingInputOf(spec(changes))).toMatchObject({ minReplicas, maxReplicas, suspended: false });
  });

  test('reads the promises in milliseconds, lowest percentile first', () => {
    const { latency } = scalingInputOf(spec({ sla: { latency: { p99: '1s', p50: '20ms' }, window: '5m' } }));
    expect(latency).toEqual([
      { percentile: 'p50', targetMs: 20 },
      { percentile: 'p99', targetMs: 1_000 },
    ]);
  });

  test('takes mode, replicas and suspend as they are', () => {
    expect(
      scalingInputOf(spec({ suspend: true, scaling: { mode: 'Fixed', replicas: 4 } }), 'least-outstanding'),
    ).toMatchObject({ mode: 'Fixed', fixedReplicas: 4, suspended: true, balancing: 'least-outstanding' });
  });
});

describe('figures for people', () => {
  test.each([
    [0, '0'],
    [118.4, '118'],
    [1.4159, '1.42'],
    [0.0012345, '0.00123'],
    [1_234_567, '1234567'],
    [Number.POSITIVE_INFINITY, 'no end'],
  ])('%d is %s', (value, text) => expect(figure(value)).toBe(text));

  test.each([
    [0.00004, '40µs'],
    [0.0411, '41.1ms'],
    [2.5, '2.5s'],
    [Number.POSITIVE_INFINITY, 'without end'],
  ])('%d s is %s', (value, text) => expect(seconds(value)).toBe(text));
});
