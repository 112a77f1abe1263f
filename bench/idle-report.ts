/** What an inference pod without requests says of itself on `/load`. */
import { idleSecond, type LoadReport, noCounters } from '../crds/wire.ts';

/** Two minutes without a request; of its seconds those that the path's `sinceMs` asks for, as a pod answers. */
export const idleReport = (pod: string, path: string): LoadReport => {
  const uptimeMs = 120_000 + performance.now();
  const sinceMs = Number(new URL(path, 'http://pod').searchParams.get('sinceMs') ?? 0);
  return {
    ...idle,
    instance: pod,
    startedAtMs: Date.now() - uptimeMs,
    uptimeMs,
    seconds: secondsUntil(uptimeMs, sinceMs),
  };
};

const secondsUntil = (uptimeMs: number, sinceMs: number): LoadReport['seconds'] => {
  const lastMs = Math.floor(uptimeMs / 1_000) * 1_000;
  return Array.from({ length: 120 }, (_, second) => ({
    endMs: lastMs - (119 - second) * 1_000,
    ...idleSecond,
  })).filter(({ endMs }) => endMs > sinceMs);
};

const idle: Omit<LoadReport, 'instance' | 'startedAtMs' | 'uptimeMs' | 'seconds'> = {
  version: 1,
  ready: true,
  draining: false,
  revision: '',
  modelSha256: 'ab'.repeat(32),
  parallelism: 1,
  counters: noCounters,
  queueLength: 0,
  inFlight: 0,
  oldestWaitMs: 0,
  latency: { boundsMs: [1, 10, 50, 100], counts: [0, 0, 0, 0, 0] },
};
