/** A small machine, on which pods that start take CPU from those that serve: what they slow is not the model's own time. */
import { expect, test } from '@jest/globals';
import { constant, lognormal } from './distributions.ts';
import { policyOf } from './policies/catalogue.ts';
import { replay } from './replay.ts';

/** 15 requests a second, then 45, of 15.4 ms each, p99 promised within 39 ms: two replicas, three with a rise. */
function peakOf(coresPerStart: number, seed: number): number {
  const config = {
    trace: {
      name: 'rise',
      bucketSeconds: 1,
      counts: Float64Array.from({ length: 240 }, (_, second) => (second < 60 ? 15 : 45)),
      exact: false,
    },
    service: lognormal(0.0154, 0.1),
    startup: constant(2.5),
    sloMs: 39,
    slots: 1,
    balancing: 'gateway',
    shedAt: 'SLA',
    drainSeconds: 8,
    clusterPods: 1_000,
    initialReplicas: 1,
    machine: {
      cores: 2,
      coresPerBusySlot: 1,
      coresPerStart,
      rest: { stepSeconds: 1, cores: [0] },
    },
    seed,
  } as const;
  const limits = { minReplicas: 1, maxReplicas: 8 };
  return replay(config, policyOf('ballast', { config, limits, percentile: 'p99' })).peakReplicas;
}

test('a start that slows its neighbours asks for no more starts', () => {
  for (const seed of [1, 2, 3]) expect(peakOf(2, seed)).toBeLessThanOrEqual(peakOf(0, seed) + 1);
});
