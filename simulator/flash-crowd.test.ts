/** Crowds that come over half a minute: too slow for a burst to be seen, too fast for a forecast. */
import { expect, test } from '@jest/globals';
import { lognormal, uniform } from './distributions.ts';
import { policyOf } from './policies/catalogue.ts';
import { replay } from './replay.ts';

/** 30 requests a second; every ten minutes a crowd comes over 40 s, five times as many, and leaves over some minutes. */
function crowdRate(second: number): number {
  const since = (second % 600) - 120;
  if (since < 0) return 30;
  return 30 + (since < 40 ? 3 * since : 120 * Math.exp((40 - since) / 120));
}

test('a crowd is met while it comes: 1.7 % of half an hour are late or refused, where bursts and forecasts alone left 3 %', () => {
  for (const seed of [1, 2]) {
    const config = {
      trace: {
        name: 'crowds',
        bucketSeconds: 1,
        counts: Float64Array.from({ length: 1_800 }, (_, second) => crowdRate(second)),
        exact: false,
      },
      service: lognormal(0.154, 0.1),
      startup: uniform(8, 18),
      sloMs: 500,
      slots: 1,
      balancing: 'gateway',
      shedAt: 'SLA',
      drainSeconds: 3,
      clusterPods: 1_000,
      initialReplicas: 8,
      seed,
    } as const;
    const limits = { minReplicas: 1, maxReplicas: 120 };
    const outcome = replay(config, policyOf('ballast', { config, limits, percentile: 'p99' }));
    expect(outcome.violations).toBeLessThan(0.02);
    // Nor is there a crowd of replicas: 23 are busy at the peak.
    expect(outcome.peakReplicas).toBeLessThan(40);
  }
});
