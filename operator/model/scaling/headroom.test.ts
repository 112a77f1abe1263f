import { describe, expect, test } from '@jest/globals';
import { initialState } from './decide.ts';
import type { Forecast } from './forecast.ts';
import {
  type HeadroomPeak,
  type HeadroomView,
  headroomOf,
  headroomReplicas,
  headroomWishOf,
} from './headroom.ts';
import { input } from './testing/build.ts';

/** 100 requests a second, 20 ms each: rises by 2 a second in each bin of 5 s. */
const rising: Forecast = {
  bin: 10,
  level: 100,
  trend: 10,
  recent: [],
  pending: [],
  errors: [],
  margin: undefined,
};
const view: HeadroomView = {
  replicas: 3,
  maxReplicas: 20,
  forecast: rising,
  model: {
    service: { meanSeconds: 0.02, scv: 0.2 },
    slots: 1,
    burstiness: 1,
    balancing: 'least-outstanding',
  },
  latency: [{ percentile: 'p95', targetMs: 80 }],
  requestsPerSecondPerReplica: undefined,
};

describe('headroom', () => {
  test('in replicas is what was asked for, up to maxReplicas', () => {
    expect(headroomReplicas({ replicas: 4 }, view)).toBe(4);
    expect(headroomReplicas({ replicas: 4 }, { ...view, replicas: 18 })).toBe(2);
    expect(headroomReplicas({ replicas: 4 }, { ...view, replicas: 25 })).toBe(0);
  });

  test('in seconds of forecast grows with a rise that lasts, and is none for traffic that falls', () => {
    const ahead = (forecastSeconds: number, forecast = rising) =>
      headroomReplicas({ forecastSeconds }, { ...view, forecast });
    expect(ahead(60)).toBeGreaterThan(ahead(10) as number);
    expect(ahead(60, { ...rising, trend: -10 })).toBe(0);
  });

  test('is unknown, not 0, without a forecast or a service time', () => {
    expect(headroomReplicas({ forecastSeconds: 60 }, { ...view, forecast: undefined })).toBe('unknown');
    expect(headroomReplicas({ forecastSeconds: 60 }, { ...view, model: 'unknown' })).toBe('unknown');
    expect(headroomReplicas({ replicas: 2 }, { ...view, forecast: undefined })).toBe(2);
    const both = { replicas: 2, forecastSeconds: 60 };
    expect(headroomReplicas(both, { ...view, forecast: undefined })).toBe(2);
    expect(headroomReplicas(both, { ...view, forecast: { ...rising, level: 50 } })).toBe(2);
    expect(headroomReplicas(both, { ...view, forecast: { ...rising, level: 1_200 } })).toBeGreaterThan(2);
  });
});

describe('the headroom of a decision', () => {
  const latency = [{ percentile: 'p95' as const, targetMs: 80 }];
  const spec = input({ maxReplicas: 20, latency });
  const steep = { ...rising, level: 1_200 };
  const of = (
    forecast: Forecast | undefined,
    replicas = 3,
    changes: Partial<typeof spec> = {},
    peak?: HeadroomPeak,
    nowMs = 0,
    wish = headroomWishOf({ forecast: '1m' }) ?? { replicas: 0 },
  ) =>
    headroomOf(
      wish,
      { next: { ...initialState, forecast } },
      view.model,
      replicas,
      { ...spec, ...changes },
      peak,
      nowMs,
    );

  test('is none while nothing may run', () => {
    expect(of(steep, 0).replicas).toBe(0);
    expect(of(steep, 3, { suspended: true }).replicas).toBe(0);
    expect(of(steep, 3, { mode: 'External' }).replicas).toBe(0);
    expect(headroomWishOf(undefined)).toBeUndefined();
  });

  test('costs too: it ends where maxHourlyCost does', () => {
    const costCap = { replicas: 4, sentence: '' };
    expect(of(steep, 3).replicas).toBeGreaterThan(1);
    expect(of(steep, 3, { costCap }).replicas).toBe(1);
    expect(of(steep, 3, { costCap }, undefined, 0, { replicas: 5 }).replicas).toBe(1);
  });

  test('by forecast outlasts a lull of a minute, gives its room to replicas, and then goes', () => {
    const first = of(steep);
    const room = first.replicas as number;
    const calm = { ...rising, level: 50 };
    const lull = of(calm, 3, {}, first.peak, 30_000);
    expect(lull.replicas).toBe(room);
    expect(of(calm, 5, {}, first.peak, 30_000).replicas).toBe(room - 2);
    expect(of(calm, 3, {}, lull.peak, 60_000).replicas).toBe(0);
    expect(of(undefined, 3, {}, first.peak).replicas).toBe('unknown');
  });
});
