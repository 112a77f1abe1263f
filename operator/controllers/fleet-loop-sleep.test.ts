/** Scale to zero in the loop: asleep after the idle time, and awake in the very reconcile that the gateway's write brings. */
import { expect, test } from '@jest/globals';
import { HeldClock } from '../../kube/clock.ts';
import type { Deployment } from '../../kube/objects.ts';
import type { ChangeHandler } from '../../kube/reflector.ts';
import { revisionHash } from '../model/hash.ts';
import { pod } from '../model/scaling/testing/build.ts';
import { makeDeployment } from '../model/testing/builders.ts';
import { createFleetLoop } from './fleet-loop.ts';
import { followZeros } from './zero-sightings.ts';

const startMs = 1_000_000;

/** The cache of Deployments, as far as its changes are followed. */
class FakeDeployments {
  replicas = 0;
  #object: Deployment | undefined;
  #handler: ChangeHandler<Deployment> | undefined;
  onChange(handler: ChangeHandler<Deployment>) {
    this.#handler = handler;
    return () => undefined;
  }
  write(replicas: number) {
    this.replicas = replicas;
    const metadata = {
      name: 'wine-a',
      namespace: 'shop',
      labels: { 'ballast.dev/model-deployment': 'wine' },
    };
    const object = { metadata, spec: { replicas } } as unknown as Deployment;
    const previous = this.#object;
    this.#object = object;
    const type = previous === undefined ? 'added' : 'updated';
    this.#handler?.({ type, key: 'shop/wine-a', object, previous, fromList: false });
  }
  remove() {
    if (this.#object !== undefined)
      this.#handler?.({ type: 'deleted', key: 'shop/wine-a', object: this.#object, fromList: false });
  }
}

/** A model that may sleep, served through a gateway, and its clock. */
const sleeper = (scaling: { maxReplicas?: number } = {}) => {
  const clock = new HeldClock();
  clock.advance(startMs);
  const base = makeDeployment({ scaling: { ...scaling, scaleToZero: { idleAfter: '10s' } } });
  const status = {
    stable: { revision: revisionHash(base.spec) },
    traffic: { path: 'Gateway' },
    scaling: { desiredReplicas: 1 },
  } as typeof base.status;
  return { clock, model: { ...base, status } as typeof base };
};

/** A loop over a model each of whose replicas is there as soon as it is asked for, and gets so many requests per second. */
const loopOver = (
  { clock, model }: ReturnType<typeof sleeper>,
  world: { readonly asked: number; readonly rate: number },
  enqueue: (key: string) => void = () => undefined,
) =>
  createFleetLoop({
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
      return Array.from({ length: world.asked }, (_, i) =>
        pod(`${key}-${i}`, nowMs, { rate: world.rate, uptimeSeconds }),
      );
    },
    enqueue,
  });

test('a 0 that the gateway overtook between two looks is not put back', () => {
  const { clock, model } = sleeper();
  const cache = new FakeDeployments();
  const zeros = followZeros(cache, clock);
  let pods = 1;
  const loop = createFleetLoop({
    clock,
    deployments: () => [model],
    facts: () => ({
      replicas: 1,
      startingReplicas: 1 - pods,
      crashingReplicas: 0,
      blockedReplicas: 0,
      rolloutInProgress: false,
    }),
    asked: () => cache.replicas,
    zeroAtMs: zeros.lastAtMs,
    readings: (key) => {
      const nowMs = clock.monotonicMs();
      const uptimeSeconds = 100 + (nowMs - startMs) / 1_000;
      return pods === 0 ? [] : [pod(`${key}-1`, nowMs, { rate: 0, uptimeSeconds })];
    },
    enqueue: () => undefined,
  });
  loop.start();
  cache.write(1);
  clock.advance(30_000);
  expect(loop.decisionFor(model)?.replicas).toBe(0);

  // The operator's 0 and the gateway's 1 come by in one moment; the pod that ends no longer answers.
  clock.advance(100);
  cache.write(0);
  cache.write(1);
  pods = 0;
  expect(loop.decisionFor(model)?.replicas).toBe(1);
  clock.advance(5_000);
  expect(loop.decisionFor(model)?.replicas).toBe(1);
  cache.remove();
  expect(zeros.lastAtMs('shop/wine')).toBeUndefined();
  loop.stop();
});

test('a model that nobody asks for is wanted at 0, and at 1 as soon as its Deployment is raised', () => {
  const { clock, model } = sleeper();
  const world = { asked: 1, rate: 5 };
  const woken: string[] = [];
  const loop = loopOver({ clock, model }, world, (key) => void woken.push(key));
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

test('a model that fell asleep behind a burst wakes to what the load needs now', () => {
  const { clock, model } = sleeper({ maxReplicas: 8 });
  const world = { asked: 4, rate: 60 };
  const loop = loopOver({ clock, model }, world);
  const wanted = () => loop.decisionFor(model)?.replicas ?? -1;
  loop.start();
  clock.advance(60_000);
  expect(wanted()).toBeGreaterThan(1);

  world.rate = 0;
  clock.advance(30_000);
  expect(wanted()).toBe(0);
  world.asked = 0;
  clock.advance(2_000);
  expect(wanted()).toBe(0);

  world.asked = 1;
  world.rate = 1;
  for (let second = 0; second < 60; second += 1) {
    clock.advance(1_000);
    expect(wanted()).toBe(1);
  }
  loop.stop();
});
