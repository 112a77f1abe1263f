/** The service-time model with batches, S(b) = α + β·b, against simulated pods that batch, and in the loop: failure mode 16. */
import { describe, expect, test } from '@jest/globals';
import { lateShare } from '../operator/model/scaling/queueing.ts';
import { Deployment } from './deployment.ts';
import type { DeploymentConfig } from './deployment-config.ts';
import { lognormal, uniform } from './distributions.ts';
import { BallastPolicy } from './policies/ballast.ts';
import { scalingInput } from './policies/catalogue.ts';

const batch = { maxSize: 8, share: 0.2 };
/** 20 ms alone, 48 ms for eight: 167 a second and pod where one at a time does 50. */
const config = (rate: (second: number) => number, seconds: number, replicas: number): DeploymentConfig => ({
  trace: {
    name: 'batched',
    bucketSeconds: 1,
    counts: Float64Array.from({ length: seconds }, (_, second) => rate(second)),
    exact: false,
  },
  service: lognormal(0.02, 0.02),
  startup: uniform(3, 6),
  sloMs: 150,
  slots: 1,
  batch,
  balancing: 'gateway',
  shedAt: 'Timeout',
  drainSeconds: 1,
  clusterPods: 1_000,
  initialReplicas: replicas,
  seed: 1,
});

const model = {
  service: { meanSeconds: 0.048 / 8, scv: 0.02 },
  slots: 1,
  burstiness: 1,
  balancing: 'least-outstanding',
  batch: { requests: 8, oneSeconds: 0.02, fullSeconds: 0.048 },
} as const;

/** The latency in seconds that one in a hundred exceeds, as the model has it. */
function predictedP99(rate: number, replicas: number): number {
  let low = 0.01;
  let high = 2;
  for (let step = 0; step < 20; step += 1) {
    const middle = (low + high) / 2;
    if (lateShare(model, rate, replicas, middle) > 0.01) low = middle;
    else high = middle;
  }
  return high;
}

describe('predicted p99 beside the simulated one', () => {
  test.each([
    [200, 4],
    [400, 4],
    [560, 4],
    [1_000, 8],
  ])(
    '%d requests a second on %d pods: no less than 15 %% below, no more than 35 %% above',
    (rate, replicas) => {
      const deployment = new Deployment(config(() => rate, 60, replicas));
      for (let second = 1; second <= 60; second += 1) {
        deployment.advanceTo(second);
        deployment.closeSecond();
      }
      const all = deployment.counts.reduce((sum, count) => sum + count, 0);
      let above = 0;
      let index = deployment.counts.length;
      while (above < 0.01 * all) {
        index -= 1;
        above += deployment.counts[index] ?? 0;
      }
      // The bucket that holds it, by its bounds.
      const upper = (deployment.boundsMs[index] ?? Number.POSITIVE_INFINITY) / 1_000;
      const lower = (deployment.boundsMs[index - 1] ?? 0) / 1_000;
      const predicted = predictedP99(rate, replicas);
      expect(predicted).toBeGreaterThan(0.85 * lower);
      expect(predicted).toBeLessThan(1.35 * upper);
    },
  );
});

test('16: batches that grow with the load set up no swing: the count of steady traffic rests', () => {
  for (const rate of [60, 300, 900]) {
    const world = config(() => rate, 600, 3);
    const deployment = new Deployment(world);
    const limits = { minReplicas: 1, maxReplicas: 100 };
    const policy = new BallastPolicy(scalingInput({ config: world, limits, percentile: 'p99' }), 1);
    const counts: number[] = [];
    for (let second = 1; second <= 600; second += 1) {
      deployment.advanceTo(second);
      deployment.closeSecond();
      const asked = policy.tick(deployment);
      if (asked !== deployment.replicas) deployment.scaleTo(asked);
      counts.push(asked);
    }
    const settled = counts.slice(300);
    expect(Math.max(...settled) - Math.min(...settled)).toBeLessThanOrEqual(1);
    // Fewer than one request at a time would need: 50 a second and pod.
    if (rate >= 300) expect(Math.max(...settled)).toBeLessThan(rate / 50);
    expect(deployment.tally.violations / deployment.tally.requests).toBeLessThan(0.02);
    expect(policy.last?.why.inputs.batchRequests).toBe(8);
  }
});
