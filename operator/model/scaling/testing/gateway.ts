/** Short ways to write what gateways say. */
import type { GatewayLoadReport, GatewaySecond } from '../../../../crds/gateway-load.ts';
import type { LatencyHistogram } from '../../../../crds/wire.ts';
import type { GatewayObservation } from '../types.ts';

export interface GatewayLoad {
  /** Offered arrivals per second, by the second of the gateway's life that ends. */
  readonly rate: number | ((second: number) => number);
  readonly uptimeSeconds?: number;
  readonly queueLength?: number;
  readonly serviceMs?: number;
  readonly arrivals?: number;
  /** Served in a second of the gateway's life; default: all that came. */
  readonly served?: (second: number) => number;
  /** Refused so far. */
  readonly rejected?: number;
  readonly latency?: LatencyHistogram;
  readonly instance?: string;
  readonly ageMs?: number;
}

const second = (endMs: number, arrivals: number, served: number, serviceMs: number): GatewaySecond => ({
  endMs,
  arrivals,
  completions: served,
  busySeconds: 0,
  serviceCount: served,
  serviceSumSeconds: (served * serviceMs) / 1_000,
  serviceSumSquares: 1.1 * served * (serviceMs / 1_000) ** 2,
  succeeded: served,
  clientErrors: 0,
  rejected: 0,
  failed: 0,
  mostWaiting: 0,
});

const noOutcomes = {
  succeeded: 0,
  clientErrors: 0,
  rejected: 0,
  failed: 0,
  serviceCount: 0,
  serviceSumSeconds: 0,
  serviceSumSquares: 0,
};

/** An answer of one gateway; idle seconds are left out, as a real one leaves them out. */
export function gateway(name: string, nowMs: number, load: GatewayLoad): GatewayObservation {
  const { uptimeSeconds = 100, serviceMs = 12, ageMs = 0 } = load;
  const rateOf = typeof load.rate === 'number' ? () => load.rate as number : load.rate;
  const kept = Math.min(120, Math.floor(uptimeSeconds));
  const seconds = Array.from({ length: kept }, (_, index) => Math.floor(uptimeSeconds) - kept + index + 1)
    .map((end) => second(end * 1_000, rateOf(end), (load.served ?? rateOf)(end), serviceMs))
    .filter(({ arrivals }) => arrivals !== 0);
  const report: GatewayLoadReport = {
    version: 1,
    instance: load.instance ?? name,
    startedAtMs: 0,
    uptimeMs: uptimeSeconds * 1_000,
    ready: true,
    draining: false,
    models: [
      {
        model: 'wine',
        port: 20_000,
        counters: {
          ...noOutcomes,
          rejected: load.rejected ?? 0,
          arrivals: load.arrivals ?? Math.round(rateOf(uptimeSeconds) * uptimeSeconds),
          busySeconds: 0,
          wakes: 0,
        },
        queueLength: load.queueLength ?? 0,
        held: 0,
        inFlight: 0,
        oldestWaitMs: 0,
        latency: load.latency ?? { boundsMs: [50], counts: [0, 0] },
        seconds,
        revisions: [],
      },
    ],
  };
  return { gateway: name, report, readAtMs: nowMs - ageMs, periodMs: 1_000 };
}

/** The same answer of a gateway whose route gives revisions `old` and `new` their shares, `newShare` of 1 to the new one. */
export function routedTo(told: GatewayObservation, newShare: number): GatewayObservation {
  const [model] = told.report.models;
  if (model === undefined) throw new Error('one model');
  const revisions = [
    { revision: 'old', weight: 10_000 * (1 - newShare) },
    { revision: 'new', weight: 10_000 * newShare },
  ].map((one) => ({
    ...one,
    ...noOutcomes,
    bound: 0,
    inFlight: 0,
    readyPods: 1,
    asidePods: 0,
    slots: 1,
    slotsPerPod: 1,
  }));
  return { ...told, report: { ...told.report, models: [{ ...model, revisions }] } };
}
