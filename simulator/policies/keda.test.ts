/** KEDA's own loop, between 0 and 1: `pollingInterval` 30 s, `cooldownPeriod` 300 s; from 1 on its generated HPA decides. */
import { expect, test } from '@jest/globals';
import { Deployment } from '../deployment.ts';
import { constant } from '../distributions.ts';
import { cooldownSeconds, Keda, pollingSeconds } from './keda.ts';

/** The seconds at which the count changed, and to what; `replicas` at first. */
function changes(rate: (second: number) => number, seconds: number, replicas: number, minReplicas = 0) {
  const deployment = new Deployment({
    trace: {
      name: 'one a second',
      bucketSeconds: 1,
      counts: Float64Array.from({ length: seconds }, (_, second) => rate(second)),
      exact: true,
    },
    service: constant(0.05),
    startup: constant(2),
    sloMs: 500,
    slots: 1,
    balancing: 'gateway',
    shedAt: 'Timeout',
    drainSeconds: 1,
    clusterPods: 100,
    initialReplicas: replicas,
    seed: 1,
  });
  const policy = new Keda(0.7, 20, { minReplicas, maxReplicas: 10 });
  const seen: [second: number, replicas: number][] = [];
  for (let second = 1; second <= seconds; second += 1) {
    deployment.advanceTo(second);
    deployment.closeSecond();
    const asked = policy.tick(deployment);
    if (asked === undefined || asked === deployment.replicas) continue;
    deployment.scaleTo(asked);
    seen.push([second, asked]);
  }
  return seen;
}

test('from 0 to 1 at the first poll that finds the trigger active, not before', () => {
  expect(changes((second) => (second >= 40 ? 1 : 0), 100, 0)).toEqual([[60, 1]]);
});

test('from 1 to 0 at the first poll after the cooldown since the last active one', () => {
  // The last request comes in second 95; the trigger looks back a minute: polls at 120 and 150 still find it.
  const [only, ...more] = changes((second) => (second <= 95 ? 1 : 0), 600, 1);
  expect(more).toEqual([]);
  expect(only).toEqual([150 + cooldownSeconds + pollingSeconds, 0]);
});

test('a request within the cooldown keeps it', () => {
  expect(changes((second) => (second <= 95 || second === 300 ? 1 : 0), 600, 1)).toEqual([]);
});

test('minReplicas above 0: never 0', () => {
  expect(changes(() => 0, 600, 1, 1)).toEqual([]);
});
