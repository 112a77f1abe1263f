/** Scale to zero in the loop: asleep after the idle time, and awake in the very reconcile that the gateway's write brings. */
import { expect, test } from '@jest/globals';
import { HeldClock } from '../../kube/clock.ts';
import { revisionHash } from '../model/hash.ts';
import { pod } from '../model/scaling/testing/build.ts';
import { makeDeployment } from '../model/testing/builders.ts';
import { createFleetLoop } from './fleet-loop.ts';

const startMs = 1_000_000;

test('a model that nobody asks for is wanted at 0, and at 1 as soon as its Deployment is raised', () => {
  const clock = new HeldClock();
  clock.advance(startMs);
  const base = makeDeployment({ scaling: { scaleToZero: { idleAfter: '10s' } } });
  const status = {
    stable: { revision: revisionHash(base.spec) },
    traffic: { path: 'Gateway' },
    scaling: { desiredReplicas: 1 },
  } as typeof base.status;
  const model = { ...base, status } as typeof base;
  const world = { asked: 1, rate: 5 };
  const woken: string[] = [];
  const loop = createFleetLoop({
    clock,
    deployments: () => [model],
    facts: () => ({
      replicas: world.asked,
      startingReplicas: 0,
      crashingReplicas: 0,
      blockedReplicas: 0,
      rolloutInProgress: false,
    }),
    asked: () => world.asked,
    readings: (key) => {
      const nowMs = clock.monotonicMs();
      const uptimeSeconds = 100 + (nowMs - startMs) / 1_000;
      return world.asked === 0 ? [] : [pod(`${key}-1`, nowMs, { rate: world.rate, uptimeSeconds })];
    },
    enqueue: (key) => void woken.push(key),
  });
  const decided = () => {
    const { replicas, why } = loop.decisionFor(model) ?? {};
    return [replicas, why?.reason];
  };
  loop.start();
  clock.advance(60_000);
  expect(decided()[0]).toBe(1);

  // Ten seconds until the rate of the last ten is 0, and ten more.
  world.rate = 0;
  clock.advance(9_000);
  expect(decided()[0]).toBe(1);
  woken.length = 0;
  clock.advance(21_000);
  expect(decided()).toEqual([0, 'Idle']);
  expect(woken).toContain('shop/wine');

  world.asked = 0;
  clock.advance(60_000);
  expect(decided()).toEqual([0, 'Idle']);

  // No second passes: the reconcile that the gateway's write brings must not put the 0 back.
  world.asked = 1;
  expect(decided()[0]).toBe(1);
  clock.advance(5_000);
  expect(decided()[0]).toBe(1);
  loop.stop();
});
