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

describe('schedule and cost', () => {
  const scaling = {
    minReplicas: 2,
    maxHourlyCost: '0.30',
    schedule: [{ from: '08:00', to: '10:00', minReplicas: 9 }],
  };

  test('a window that is open now is a floor; without a clock none is', () => {
    const nine = Date.parse('2026-11-25T09:00:00Z');
    const noon = Date.parse('2026-11-25T12:00:00Z');
    const at = (wallMs?: number) =>
      scalingInputOf(spec({ scaling: { mode: 'SLA', replicas: 1, ...scaling } }), 'random', wallMs).scheduled;
    expect(at(nine)).toEqual({ replicas: 9, window: 'daily 08:00-10:00 UTC' });
    expect(at(noon)).toBeUndefined();
    expect(at()).toBeUndefined();
  });

  test('a schedule leaves room for itself where no maximum is written', () => {
    const of = (minReplicas: number) =>
      scalingInputOf(
        spec({
          scaling: { mode: 'SLA', replicas: 1, schedule: [{ from: '08:00', to: '10:00', minReplicas }] },
        }),
      ).maxReplicas;
    expect([of(2), of(30)]).toEqual([10, 30]);
  });

  test('a limit of the cost needs the price', () => {
    const of = (cost?: { perReplicaHour: string }) =>
      scalingInputOf(
        spec({ scaling: { mode: 'SLA', replicas: 1, ...scaling }, ...(cost === undefined ? {} : { cost }) }),
      ).costCap?.replicas;
    expect(of({ perReplicaHour: '0.1' })).toBe(3);
    expect(of()).toBe('unknown');
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
