import { describe, expect, test } from '@jest/globals';
import type { Forecast } from './forecast.ts';
import { type HeadroomView, headroomReplicas } from './headroom.ts';

/** 100 requests a second, 20 ms each: rises by 2 a second in each bin of 5 s. */
const rising: Forecast = { bin: 10, level: 100, trend: 10, pending: [], errors: [], margin: undefined };
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
  });
});
