/** What an inference pod without requests says of itself on `/load`. */
import type { LoadReport } from '../crds/wire.ts';

/** Two minutes without a request. */
export const idleReport = (pod: string): LoadReport => ({
  version: 1,
  instance: pod,
  startedAtMs: Date.now() - 120_000,
  uptimeMs: 120_000 + performance.now(),
  ready: true,
  draining: false,
  revision: '',
  modelSha256: 'ab'.repeat(32),
  parallelism: 1,
  counters: {
    arrivals: 0,
    succeeded: 0,
    clientErrors: 0,
    rejected: 0,
    failed: 0,
    busySeconds: 0,
    serviceCount: 0,
    serviceSumSeconds: 0,
    serviceSumSquares: 0,
  },
  queueLength: 0,
  inFlight: 0,
  oldestWaitMs: 0,
  latency: { boundsMs: [1, 10, 50, 100], counts: [0, 0, 0, 0, 0] },
  seconds: Array.from({ length: 120 }, (_, second) => ({
    endMs: (second + 1) * 1_000,
    arrivals: 0,
    completions: 0,
    busySeconds: 0,
    serviceCount: 0,
    serviceSumSeconds: 0,
    serviceSumSquares: 0,
  })),
});
