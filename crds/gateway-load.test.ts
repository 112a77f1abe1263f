import { describe, expect, test } from '@jest/globals';
import { type GatewayLoadReport, type GatewaySecond, parseGatewayReport } from './gateway-load.ts';

const outcomes = { succeeded: 3, clientErrors: 0, rejected: 1, failed: 0 };
const service = { serviceCount: 3, serviceSumSeconds: 0.3, serviceSumSquares: 0.03 };
const second = (endMs: number): GatewaySecond => ({
  ...outcomes,
  ...service,
  endMs,
  arrivals: 4,
  completions: 4,
  busySeconds: 0.3,
  mostWaiting: 2,
});
const revision = {
  ...outcomes,
  ...service,
  revision: 'abc',
  weight: 10_000,
  bound: 3,
  inFlight: 0,
  readyPods: 2,
  asidePods: 0,
  slots: 2,
  slotsPerPod: 1,
};
const model = {
  model: 'wine',
  port: 20_000,
  counters: { ...outcomes, ...service, arrivals: 4, busySeconds: 0.3, wakes: 0 },
  queueLength: 0,
  held: 0,
  inFlight: 0,
  oldestWaitMs: 0,
  latency: { boundsMs: [1, 2], counts: [1, 2, 1] },
  seconds: [second(5_000), second(9_000)],
  revisions: [revision],
};
const good: GatewayLoadReport = {
  version: 1,
  instance: 'x',
  startedAtMs: 1,
  uptimeMs: 10_000,
  ready: true,
  draining: false,
  models: [model],
};
const body = (changes: Record<string, unknown>) => JSON.stringify({ ...good, ...changes });
const withModel = (changes: Record<string, unknown>) => body({ models: [{ ...model, ...changes }] });

describe('parseGatewayReport', () => {
  test('gives back a good report, unknown fields of newer gateways left out', () => {
    expect(parseGatewayReport(body({ mirrored: 3 }))).toEqual({ report: good });
    expect(parseGatewayReport(withModel({ seconds: [{ ...second(5_000), mirrored: 1 }] }))).toEqual({
      report: { ...good, models: [{ ...model, seconds: [second(5_000)] }] },
    });
  });

  test('takes what the hop costs, and no word of it from those that have not measured it', () => {
    const told = { ...good, hopCpuSeconds: 96e-6 };
    expect(parseGatewayReport(JSON.stringify(told))).toEqual({ report: told });
    expect(parseGatewayReport(body({}))).toEqual({ report: good });
  });

  test.each([
    ['no JSON', '{"version":', 'no JSON'],
    ['another version', body({ version: 2 }), 'version'],
    ['no models', body({ models: undefined }), 'models'],
    ['a model that is there twice', body({ models: [model, model] }), 'twice'],
    [
      'a negative count',
      withModel({ counters: { ...model.counters, arrivals: -1 } }),
      'models.0.counters.arrivals',
    ],
    ['NaN, which JSON writes as null', withModel({ queueLength: Number.NaN }), 'models.0.queueLength'],
    ['half a request', withModel({ inFlight: 0.5 }), 'models.0.inFlight'],
    ['too few counts', withModel({ latency: { boundsMs: [1], counts: [1] } }), 'models.0.latency'],
    ['bounds that fall', withModel({ latency: { boundsMs: [2, 1], counts: [0, 0, 0] } }), 'models.0.latency'],
    ['a weight beyond all', withModel({ revisions: [{ ...revision, weight: 10_001 }] }), 'weight'],
    ['seconds out of order', withModel({ seconds: [second(2_000), second(1_000)] }), 'must ascend'],
    ['seconds after now', withModel({ seconds: [second(11_001)] }), 'ends after now'],
    ['too many seconds', withModel({ seconds: Array.from({ length: 121 }, (_, i) => second(i)) }), 'seconds'],
    [
      'an absurd second',
      withModel({ seconds: [{ ...second(1_000), arrivals: 1e7 }] }),
      'models.0.seconds.0.arrivals',
    ],
    ['a hop that costs nothing', body({ hopCpuSeconds: 0 }), 'hopCpuSeconds'],
    ['a hop that costs hours', body({ hopCpuSeconds: 3_600 }), 'hopCpuSeconds'],
    ['a list', '[]', 'report'],
  ])('refuses %s', (_name, text, where) => {
    const parsed = parseGatewayReport(text);
    expect('refused' in parsed ? parsed.refused : 'accepted').toContain(where);
  });
});
