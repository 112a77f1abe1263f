/** Rollouts in a cluster that is full: a node comes in time, late or never; what serves is never short by more than one. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { labels } from '../../../crds/constants.ts';
import { isReady } from '../pods.ts';
import { isPlaced } from '../testing/places.ts';
import { type Behaviour, World } from '../testing/world.ts';

const v = (name: string) => ({ model: { uri: `file:///samples/wine/${name}.onnx` } });
const condition = (world: World, type: string) =>
  world.deployment.status?.conditions?.find((one) => one.type === type);

/** Everybody once, in turn, and time passes: a second, or five where nobody had anything to do. The fewest ready pods on the way. */
function turn(world: World): number {
  const wrote = world.operator();
  world.deploymentController();
  const least = world.ready;
  world.scheduler();
  const moved = world.kubelet((pods) => pods[0]);
  world.nowMs += wrote > 0 || moved ? 1_000 : 5_000;
  return least;
}

/** A world that is as full as its replicas make it. */
function full(needed: number, spec = {}): World {
  const world = new World(needed, { ...v('1'), ...spec });
  world.room = needed;
  world.settle();
  return world;
}

/** Seconds until `until`, and the fewest ready pods on the way. */
function run(world: World, until: () => boolean, most = 1_800): { seconds: number; least: number } {
  const began = world.nowMs;
  const seconds = () => (world.nowMs - began) / 1_000;
  let least = world.ready;
  while (seconds() < most && !until()) least = Math.min(least, turn(world));
  return { seconds: seconds(), least };
}

const finished = (world: World, revision: string) => () =>
  world.deployment.status?.stable?.revision === revision && condition(world, 'Ready')?.status === 'True';

describe('a rollout with no room for one pod more', () => {
  test.each([2, 3, 4, 8, 20])('of %i replicas ends all the same, one pod short', (needed) => {
    const world = full(needed);
    const next = world.write(v('2'));
    const { seconds, least } = run(world, finished(world, next));
    expect(least).toBe(needed - 1);
    expect(seconds).toBeGreaterThanOrEqual(120);
    // Two minutes until the first pod gives way; from then on each takes its own seconds, and no two minutes more.
    expect(seconds).toBeLessThan(120 + 20 + 5 * needed);
    expect(world.events.filter((event) => event === 'RolloutMakesRoom')).toHaveLength(1);
    expect(world.deployment.status?.rollout?.makesRoomSince).toBeUndefined();
    expect(world.deployment.status?.pending).toBeUndefined();
  });

  test('says what it waits for at once, and that a pod gives way', () => {
    const world = full(3);
    world.write(v('2'));
    run(world, () => world.deployment.status?.pending !== undefined, 10);
    expect(condition(world, 'Ready')).toMatchObject({ status: 'False', reason: 'RollingOut' });
    expect(condition(world, 'Ready')?.message).toMatch(
      /1 pod waits for a node since \S+Z, short of cpu: .*each pod asks for 500m cpu.*The scheduler says: 0\/2 nodes/,
    );
    expect(condition(world, 'Stalled')?.status).toBe('False');
    expect(world.deployment.status?.summary?.phase).toBe('RollingOut');
    expect(world.events).not.toContain('WaitingForNode');
    run(world, () => world.events.includes('WaitingForNode'), 10);
    expect(world.events).toContain('WaitingForNode');
    run(world, () => world.events.includes('RolloutMakesRoom'));
    turn(world);
    expect(condition(world, 'Ready')?.message).toMatch(/2 of 3 pods at least: no node has room for one more/);
  });

  test('a node that comes within the two minutes costs no pod', () => {
    const world = full(3);
    const next = world.write(v('2'));
    run(world, () => false, 90);
    world.room = 10;
    const { least } = run(world, finished(world, next));
    expect(least).toBe(3);
    expect(world.events).not.toContain('RolloutMakesRoom');
    expect(world.events).toContain('WaitEnded');
  });

  test('of one replica is Stalled after the progress deadline, with the way out, and goes on when a node comes', () => {
    const world = full(1);
    const first = world.deployment.status?.stable?.revision ?? '';
    const next = world.write(v('2'));
    const { seconds, least } = run(world, () => condition(world, 'Stalled')?.status === 'True');
    expect([seconds, least]).toEqual([expect.closeTo(600, -1), 1]);
    expect(condition(world, 'Stalled')).toMatchObject({ reason: 'Unschedulable' });
    expect(condition(world, 'Stalled')?.message).toMatch(
      new RegExp(`revision ${first} keeps serving with its one pod, which cannot give way: .*spec.suspend`),
    );
    expect(condition(world, 'Available')?.status).toBe('True');
    expect(world.deployment.status?.rollout?.failedRevision).toBeUndefined();
    world.room = 2;
    run(world, finished(world, next), 60);
    expect(world.deployment.status?.stable?.revision).toBe(next);
    expect(condition(world, 'Stalled')?.status).toBe('False');
  });

  test('of one replica goes the way that the message names: suspended, and back', () => {
    const world = full(1);
    const next = world.write(v('2'));
    run(world, () => condition(world, 'Stalled')?.status === 'True');
    world.write({ suspend: true });
    run(world, () => world.pods.length === 0);
    world.write({ suspend: false });
    run(world, finished(world, next), 60);
    expect(world.deployment.status?.stable?.revision).toBe(next);
  });

  test('a candidate that is bad when it had its room gives it back', () => {
    const world = full(3);
    const first = world.deployment.status?.stable?.revision ?? '';
    const bad = world.write(v('2'), 'crashes');
    run(world, () => world.deployment.status?.rollout?.failedRevision === bad);
    expect(world.deployment.status?.rollout?.failedRevision).toBe(bad);
    run(world, () => world.readyOf(first) === 3, 60);
    expect(world.readyOf(first)).toBe(3);
    run(world, () => false, 300);
    expect(world.readyOf(first)).toBe(3);
  });

  test('the time without a node counts in no progress deadline', () => {
    const world = full(1, { rollout: { progressDeadline: '60s' } });
    const next = world.write(v('2'), 'never-ready');
    run(world, () => false, 300);
    expect(condition(world, 'Stalled')).toMatchObject({ status: 'True', reason: 'Unschedulable' });
    expect(world.deployment.status?.rollout?.failedRevision).toBeUndefined();
    world.room = 2;
    const { seconds } = run(world, () => world.deployment.status?.rollout?.failedRevision === next);
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(seconds).toBeLessThan(65);
    expect(condition(world, 'Stalled')?.reason).toBe('ProgressDeadlineExceeded');
  });

  test('going back in the middle of it ends too', () => {
    const world = full(4);
    const first = world.deployment.status?.stable?.revision ?? '';
    const second = world.write(v('2'));
    run(world, () => world.readyOf(second) >= 2);
    world.write(v('1'));
    const { least } = run(world, finished(world, first));
    expect(least).toBeGreaterThanOrEqual(3);
    expect(world.readyOf(first)).toBe(4);
  });

  test('a first revision that no node takes is Stalled after the deadline, and serves when one does', () => {
    const world = new World(2, { ...v('1'), rollout: { progressDeadline: '60s' } });
    world.room = 0;
    run(world, () => condition(world, 'Stalled')?.status === 'True', 100);
    expect(condition(world, 'Stalled')?.message).toMatch(
      /0 of 2 pods .* nothing serves yet; 2 pods wait for a node/,
    );
    expect(world.deployment.status?.summary?.phase).toBe('Failed');
    expect(world.deployment.status?.failures).toBeUndefined();
    world.room = 2;
    run(world, () => condition(world, 'Ready')?.status === 'True', 30);
    expect(condition(world, 'Ready')?.status).toBe('True');
  });

  test.each([2, 4])('restartedAt of %i replicas ends too', (needed) => {
    const world = full(needed);
    const before = new Set(world.pods.map(({ metadata }) => metadata.name));
    world.write({ rollout: { restartedAt: 'now' } });
    const { least } = run(world, () => world.pods.every(({ metadata }) => !before.has(metadata.name)));
    expect(least).toBe(needed - 1);
    expect(world.pods.some(({ metadata }) => before.has(metadata.name))).toBe(false);
    run(world, () => condition(world, 'Ready')?.status === 'True', 60);
    expect(condition(world, 'Ready')?.status).toBe('True');
  });

  test('restartedAt of one replica is Stalled', () => {
    const world = full(1);
    world.write({ rollout: { restartedAt: 'now' } });
    run(world, () => condition(world, 'Stalled')?.status === 'True');
    expect(condition(world, 'Stalled')).toMatchObject({ status: 'True', reason: 'Unschedulable' });
    expect(world.ready).toBe(1);
  });
});

describe('any rollouts in a cluster of any size', () => {
  const behaviour = fc.constantFrom<Behaviour>('good', 'good', 'good', 'crashes', 'never-ready');
  const story = fc.record({
    needed: fc.integer({ min: 1, max: 6 }),
    /** Pods beyond the needed ones that have room. */
    spare: fc.integer({ min: 0, max: 2 }),
    writes: fc.array(
      fc.record({
        version: fc.integer({ min: 1, max: 4 }),
        behaviour,
        afterS: fc.integer({ min: 1, max: 60 }),
      }),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
    /** When a node autoscaler brings room for everything; undefined: never. */
    nodeAtS: fc.option(fc.integer({ min: 1, max: 150 }), { nil: undefined }),
  });

  test('ready pods never fall below needed less one by our doing, and it ends or says Stalled', () => {
    fc.assert(
      fc.property(story, ({ needed, spare, writes, nodeAtS }) => {
        const world = full(needed, { rollout: { progressDeadline: '60s' } });
        world.room = needed + spare;
        const behaviours = new Map<number, Behaviour>([[1, 'good']]);
        const began = world.nowMs;
        const passes = (seconds: number) => {
          const until = world.nowMs + seconds * 1_000;
          while (world.nowMs < until) {
            if (nodeAtS !== undefined && world.nowMs >= began + nodeAtS * 1_000) world.room = 100;
            const { ready } = world;
            const least = turn(world);
            const given = world.deployment.status?.rollout?.makesRoomSince === undefined ? 0 : 1;
            expect(least).toBeGreaterThanOrEqual(Math.min(ready, Math.max(1, needed - given)));
            const asked = world.deployments().reduce((sum, { spec }) => sum + (spec.replicas ?? 0), 0);
            expect(asked).toBeLessThanOrEqual(3 * needed + 2);
          }
        };
        for (const { version, behaviour: given, afterS } of writes) {
          const known = behaviours.get(version) ?? given;
          behaviours.set(version, known);
          world.write(v(String(version)), known);
          passes(afterS);
        }
        passes(400);
        const stalled = condition(world, 'Stalled');
        const isReadyNow = condition(world, 'Ready')?.status === 'True';
        expect([isReadyNow, stalled?.status]).toEqual(
          stalled?.status === 'True' ? [false, 'True'] : [true, 'False'],
        );
        // Stalled for want of room only where there is none, and a node for every pod where there is.
        if (stalled?.reason === 'Unschedulable') expect(world.pods.every(isPlaced)).toBe(false);
        if (world.room === 100) expect(world.pods.every(isPlaced)).toBe(true);
        expect(world.ready).toBeGreaterThanOrEqual(Math.max(1, needed - 1));
        if (isReadyNow) {
          const stable = world.deployment.status?.stable?.revision;
          expect(
            world.pods.every((pod) => isReady(pod) && pod.metadata.labels?.[labels.revision] === stable),
          ).toBe(true);
        }
      }),
      { numRuns: 25 },
    );
  });
});
