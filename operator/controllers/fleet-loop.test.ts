import { describe, expect, test } from '@jest/globals';
import type { ModelDeployment, ModelDeploymentSpec } from '../../crds/types.ts';
import { HeldClock } from '../../kube/clock.ts';
import type { ReplicaFacts } from '../model/scaling/facts.ts';
import { pod } from '../model/scaling/testing/build.ts';
import { gateway } from '../model/scaling/testing/gateway.ts';
import type { PodObservation } from '../model/scaling/types.ts';
import type { FleetLoopOptions } from './fleet-loop.ts';
import { createFleetLoop } from './fleet-loop.ts';

const deployment = (
  name: string,
  spec: Partial<ModelDeploymentSpec> = {},
  changes = {},
): ModelDeployment => ({
  apiVersion: 'ballast.dev/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name, namespace: 'team', uid: `uid-${name}`, resourceVersion: '1', generation: 1, ...changes },
  spec: {
    model: { uri: 'file:///samples/wine/model.onnx' },
    scaling: { mode: 'SLA', replicas: 1 },
    sla: { latency: { p95: '50ms' }, errorRate: '1%', window: '1m' },
    ...spec,
  },
});

const one: ReplicaFacts = {
  replicas: 1,
  startingReplicas: 0,
  crashingReplicas: 0,
  blockedReplicas: 0,
  rolloutInProgress: false,
};

function setUp(changes: Partial<FleetLoopOptions> = {}) {
  const clock = new HeldClock();
  const woken: string[] = [];
  const world = { deployments: [deployment('wine')], rate: 10, facts: one as ReplicaFacts | undefined };
  const startMs = 1_000_000;
  clock.advance(startMs);
  const readings = (key: string): PodObservation[] => {
    const nowMs = clock.monotonicMs();
    return [pod(`${key}-1`, nowMs, { rate: world.rate, uptimeSeconds: 100 + (nowMs - startMs) / 1_000 })];
  };
  const loop = createFleetLoop({
    clock,
    deployments: () => world.deployments,
    facts: () => world.facts,
    readings,
    enqueue: (key) => woken.push(key),
    ...changes,
  });
  /** What is known of a deployment: of one that is being deleted nothing is decided. */
  const known = (uid: string) =>
    loop.decisionFor(deployment('any', {}, { uid, deletionTimestamp: '2026-01-01T00:00:00Z' }));
  return { clock, woken, world, loop, known };
}

describe('the fleet loop', () => {
  test('decides each second and wakes a deployment whose count changed', () => {
    const { clock, woken, world, loop, known } = setUp();
    loop.start();
    clock.advance(1_000);
    expect(woken).toEqual(['team/wine']);
    expect(known('uid-wine')).toMatchObject({ replicas: 1, lastChange: undefined });
    // The first traffic that is measured is news as well; after it nothing is.
    clock.advance(10_000);
    expect(woken).toHaveLength(2);
    woken.pop();
    world.rate = 118;
    clock.advance(12_000);
    const decision = known('uid-wine');
    // A burst: three carry it, and as many more are asked for as are missing.
    expect(decision).toMatchObject({ replicas: 5, lastChange: { replicas: 5, why: { reason: 'Latency' } } });
    expect(decision?.lastChange?.previousReplicas).toBeLessThan(3);
    expect(decision?.lastChange?.at).toBeGreaterThan(clock.now() - 12_000);
    clock.advance(1_000);
    expect(known('uid-wine')?.lastChange).toBe(decision?.lastChange);
    const before = woken.length;
    expect(before).toBeGreaterThanOrEqual(2);
    loop.stop();
    clock.advance(10_000);
    expect(woken).toHaveLength(before);
  });

  test('begins with what the operator before learned, as status holds it', () => {
    const { clock, loop } = setUp();
    const learned = {
      at: new Date(clock.now()).toISOString(),
      revision: 'r1',
      waits: { factor: '2', stretches: 9 },
    };
    const first = loop.decisionFor({ ...deployment('wine'), status: { scaling: { learned } } });
    expect(first?.memory.state.learned).toMatchObject({ revision: 'r1', waits: { factor: 2, stretches: 9 } });
    expect(first?.why.inputs.waitFactor).toBe(2);
    const garbage = { ...learned, waits: { factor: 'NaN', stretches: 9 } };
    const other = loop.decisionFor({
      ...deployment('beer'),
      status: { scaling: { learned: garbage } },
    });
    expect(other?.why.inputs.waitFactor).toBeUndefined();
  });

  test('wakes one of few deployments for moved figures at most each ten seconds', () => {
    const { clock, woken, loop } = setUp();
    for (let second = 0; second < 120; second += 1) {
      clock.advance(1_000);
      loop.round();
    }
    woken.length = 0;
    for (let second = 0; second < 120; second += 1) {
      clock.advance(1_000);
      loop.round();
    }
    expect(woken.length).toBeLessThanOrEqual(12);
  });

  test('wakes a deployment at rest not at all', () => {
    const { clock, woken, world, loop } = setUp();
    world.rate = 0;
    loop.round();
    expect(woken).toEqual(['team/wine']);
    for (let second = 0; second < 120; second += 1) {
      clock.advance(1_000);
      loop.round();
    }
    expect(woken).toEqual(['team/wine']);
  });

  test('a broken promise is news', () => {
    const errors = { count: 0 };
    const { clock, woken, loop, known } = setUp({
      readings: () => [
        pod('a', clock.monotonicMs(), {
          rate: 1,
          uptimeSeconds: 30,
          counts: [100, 0, 0, errors.count],
          counters: { succeeded: 100, failed: errors.count },
        }),
      ],
    });
    loop.round();
    woken.length = 0;
    errors.count = 50;
    clock.advance(6_000);
    loop.round();
    expect(woken).toEqual(['team/wine']);
    expect(known('uid-wine')?.measured).toMatchObject({ requests: 150, errorRate: 1 / 3 });
  });

  test('decides nothing before the caches have synced', () => {
    const { world, woken, loop, known } = setUp();
    world.facts = undefined;
    loop.round();
    expect(woken).toEqual([]);
    expect(known('uid-wine')).toBeUndefined();
  });

  test('forgets a deployment that is deleted; its successor of the same name starts anew', () => {
    const { clock, world, loop, known } = setUp();
    world.rate = 118;
    loop.round();
    expect(known('uid-wine')?.replicas).toBe(3);
    world.deployments = [deployment('wine', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' })];
    clock.advance(1_000);
    loop.round();
    expect(known('uid-wine')).toBeUndefined();
    world.deployments = [deployment('wine', {}, { uid: 'uid-two' })];
    world.rate = 1;
    clock.advance(1_000);
    loop.round();
    expect(known('uid-two')?.replicas).toBe(1);
  });

  test('one deployment that cannot be decided does not stop the others', () => {
    const failed: string[] = [];
    const { world, loop, known } = setUp({ onError: (key) => failed.push(key) });
    world.deployments = [
      deployment('bad', { sla: { latency: { p95: 'soon' }, window: '1m' } }),
      deployment('wine'),
    ];
    loop.round();
    expect(failed).toEqual(['team/bad']);
    expect(known('uid-wine')?.replicas).toBe(1);
    expect(loop.lastRound().decided).toBe(1);
  });

  test('has pods that start and rollouts watched closely', () => {
    const hurried: [string, boolean][] = [];
    const { world, loop } = setUp({ hurry: (key, hurry) => hurried.push([key, hurry]) });
    loop.round();
    world.facts = { ...one, startingReplicas: 1 };
    loop.round();
    world.facts = { ...one, rolloutInProgress: true };
    loop.round();
    expect(hurried).toEqual([
      ['team/wine', false],
      ['team/wine', true],
      ['team/wine', true],
    ]);
  });

  test('decides at once for who asks first, and wakes nobody for it', () => {
    const { woken, world, loop, known } = setUp();
    const [wine] = world.deployments;
    if (wine === undefined) throw new Error('no deployment');
    expect(loop.decisionFor(wine)?.replicas).toBe(1);
    expect(known('uid-wine')).toBe(loop.decisionFor(wine));
    loop.round();
    expect(woken).toEqual([]);
    world.facts = undefined;
    expect(loop.decisionFor(deployment('beer'))).toBeUndefined();
    expect(
      loop.decisionFor(deployment('gone', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' })),
    ).toBeUndefined();
  });

  test('wakes a deployment once when its ready pods have not answered for 30 s', () => {
    const { clock, woken, loop, known } = setUp({
      readings: () => [{ pod: 'wine-1', revision: 'abc', ready: true, reading: 'unknown' }],
    });
    loop.start();
    clock.advance(29_000);
    expect(woken).toEqual(['team/wine']);
    expect(known('uid-wine')?.measured.unheardMs).toBeLessThan(30_000);
    clock.advance(60_000);
    expect(woken).toEqual(['team/wine', 'team/wine']);
    loop.stop();
  });

  test('decides each second where requests come or anything is new, and less often at rest', () => {
    const asked: number[] = [];
    const { clock, world, loop, known } = setUp({
      readings: () => [{ pod: 'wine-1', revision: 'abc', ready: true, reading: 'unknown' }],
    });
    const decidedAt = () => {
      const decision = known('uid-wine');
      if (decision !== last) asked.push(clock.monotonicMs() - 1_000_000);
      last = decision;
    };
    let last = known('uid-wine');
    let told = 0;
    const pass = (seconds: number) => {
      for (let second = 0; second < seconds; second += 1) {
        clock.advance(1_000);
        loop.round();
        decidedAt();
        told += loop.lastRound().decided;
      }
    };
    pass(11);
    expect(asked).toEqual([1_000, 6_000, 11_000]);
    expect(told).toBe(asked.length);
    world.facts = { ...one, startingReplicas: 1 };
    pass(1);
    world.facts = { ...one };
    pass(1);
    expect(asked.slice(3)).toEqual([12_000, 13_000]);
    const busy = setUp();
    busy.loop.round();
    const first = busy.known('uid-wine');
    busy.clock.advance(1_000);
    busy.loop.round();
    expect(busy.known('uid-wine')).not.toBe(first);
  });

  test('Fixed and suspended pass through', () => {
    const { world, loop, known } = setUp();
    world.deployments = [
      deployment('fixed', { scaling: { mode: 'Fixed', replicas: 4 } }),
      deployment('off', { suspend: true }),
    ];
    loop.round();
    expect(known('uid-fixed')).toMatchObject({ replicas: 4, why: { reason: 'Fixed' } });
    expect(known('uid-off')).toMatchObject({ replicas: 0, why: { reason: 'Suspended' } });
  });
});

describe('what the loop hands to the decision', () => {
  const through = (path: 'Gateway' | 'Direct', queueLength = 0) => {
    let arrivals = 12_000;
    const bed = setUp({
      gateways: () => ({
        gateways: [gateway('gw-1', bed.clock.monotonicMs(), { rate: 120, queueLength, arrivals })],
        expected: 1,
      }),
      startups: () => [30, 40, 50],
    });
    bed.world.deployments = [
      {
        ...deployment('wine', { scaling: { mode: 'SLA', replicas: 1, maxReplicas: 20 } }),
        status: { traffic: { path, since: '2026-01-01T00:00:00Z', reason: 'Asked', message: '' } },
      },
    ];
    bed.world.rate = 0;
    return { ...bed, add: (more: number) => (arrivals += more) };
  };

  test('the load that gateways saw counts, where requests come through them, and how long pods take to start', () => {
    const { loop, known } = through('Gateway');
    loop.round();
    expect(known('uid-wine')?.why.inputs).toMatchObject({ arrivalRate10s: 120, startupSeconds: 50 });
    const direct = through('Direct');
    direct.loop.round();
    expect(direct.known('uid-wine')?.why.inputs.arrivalRate10s).not.toBe(120);
  });

  test('the last ten changes are kept, the newest first', () => {
    const { clock, world, loop, known } = setUp();
    loop.round();
    for (let count = 1; count <= 14; count += 1) {
      world.deployments = [deployment('wine', { scaling: { mode: 'Fixed', replicas: count } })];
      clock.advance(1_000);
      loop.round();
    }
    const decision = known('uid-wine');
    expect(decision?.recentChanges.map(({ replicas }) => replicas)).toEqual([
      14, 13, 12, 11, 10, 9, 8, 7, 6, 5,
    ]);
    expect(decision?.lastChange).toBe(decision?.recentChanges[0]);
  });
});
