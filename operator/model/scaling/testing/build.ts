/** Short ways to write observations and inputs in tests. */
import { type LoadReport, noCounters } from '../../../../crds/wire.ts';
import type { Observation, PodObservation, ScalingInput } from '../types.ts';

export const input = (changes: Partial<ScalingInput> = {}): ScalingInput => ({
  mode: 'SLA',
  suspended: false,
  fixedReplicas: 1,
  minReplicas: 1,
  maxReplicas: 50,
  latency: [{ percentile: 'p95', targetMs: 50 }],
  requestsPerSecondPerReplica: undefined,
  balancing: 'random',
  ...changes,
});

export interface PodLoad {
  /** Arrivals per second, the same in each second of the pod's life. */
  readonly rate: number;
  readonly serviceMs?: number;
  readonly scv?: number;
  readonly uptimeSeconds?: number;
  readonly queueLength?: number;
  readonly oldestWaitMs?: number;
  readonly instance?: string;
  readonly revision?: string;
  readonly parallelism?: number;
  readonly boundsMs?: readonly number[];
  readonly counts?: readonly number[];
  readonly counters?: Partial<LoadReport['counters']>;
}

/** A report of a pod under steady load. */
export function report(load: PodLoad): LoadReport {
  const { rate, serviceMs = 12, scv = 0.1, uptimeSeconds = 100, parallelism = 1 } = load;
  const mean = serviceMs / 1_000;
  const kept = Math.min(120, Math.floor(uptimeSeconds));
  const boundsMs = load.boundsMs ?? [10, 50, 100];
  return {
    version: 1,
    instance: load.instance ?? 'one',
    startedAtMs: 0,
    uptimeMs: uptimeSeconds * 1_000,
    ready: true,
    draining: false,
    revision: load.revision ?? 'r1',
    modelSha256: 'a'.repeat(64),
    parallelism,
    counters: {
      ...noCounters,
      arrivals: Math.round(rate * uptimeSeconds),
      succeeded: Math.round(rate * uptimeSeconds),
      ...load.counters,
    },
    queueLength: load.queueLength ?? 0,
    inFlight: 0,
    oldestWaitMs: load.oldestWaitMs ?? 0,
    latency: { boundsMs, counts: load.counts ?? new Array<number>(boundsMs.length + 1).fill(0) },
    seconds: Array.from({ length: kept }, (_, index) => ({
      endMs: (Math.floor(uptimeSeconds) - kept + index + 1) * 1_000,
      arrivals: rate,
      completions: rate,
      busySeconds: Math.min(1, rate * mean),
      serviceCount: rate,
      serviceSumSeconds: rate * mean,
      serviceSumSquares: rate * mean * mean * (1 + scv),
    })),
  };
}

/** A ready pod that answered just now. */
export function pod(
  name: string,
  nowMs: number,
  load: PodLoad,
  changes: { ready?: boolean; ageMs?: number; periodMs?: number; revision?: string } = {},
): PodObservation {
  return {
    pod: name,
    revision: changes.revision ?? load.revision ?? 'r1',
    ready: changes.ready ?? true,
    reading: {
      report: report({ instance: name, ...load }),
      readAtMs: nowMs - (changes.ageMs ?? 0),
      periodMs: changes.periodMs ?? 2_000,
    },
  };
}

/** A ready pod that never answered. */
export const silentPod = (name: string, ready = true): PodObservation => ({
  pod: name,
  revision: 'r1',
  ready,
  reading: 'unknown',
});

export const observation = (
  pods: readonly PodObservation[],
  changes: Partial<Omit<Observation, 'pods'>> = {},
): Observation => ({
  replicas: pods.length,
  startingReplicas: 0,
  crashingReplicas: 0,
  blockedReplicas: 0,
  rolloutInProgress: false,
  ...changes,
  pods,
});

/** `count` pods that share `rate` evenly. */
export const pods = (count: number, nowMs: number, rate: number, load: Partial<PodLoad> = {}) =>
  Array.from({ length: count }, (_, index) => pod(`pod-${index}`, nowMs, { rate: rate / count, ...load }));
