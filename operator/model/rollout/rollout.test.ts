/** The real plan against small fakes of the other controllers: in turn, and in seeded random orders, with invariants after each step. */
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { labels } from '../../../crds/constants.ts';
import { plan } from '../plan.ts';
import { isReady, readySinceMs } from '../pods.ts';
import { makePod } from '../testing/builders.ts';
import { expectGolden } from '../testing/golden.ts';
import { pick, seeded } from '../testing/random.ts';
import { type Behaviour, World } from '../testing/world.ts';
import { settleMs, surgeOf } from './planner.ts';

const golden = (name: string) => join(import.meta.dirname, 'golden', `${name}.txt`);
const v = (name: string) => ({ model: { uri: `file:///samples/wine/${name}.onnx` } });
const condition = (world: World, type: string) =>
  world.deployment.status?.conditions?.find((one) => one.type === type);

/** The oracle: what was asked for is there, Ready says so, and ten more minutes bring no write. */
function expectSettled(world: World, revision: string) {
  world.settle();
  world.nowMs += 120_000;
  world.settle();
  const { status } = world.deployment;
  expect(status?.stable?.revision).toBe(revision);
  expect(status?.candidate).toBeUndefined();
  expect(condition(world, 'Ready')?.status).toBe('True');
  expect(world.readyOf(revision)).toBe(world.needed);
  expect(world.pods).toHaveLength(world.needed);
  expect(world.deployments().map(({ metadata }) => metadata.labels?.[labels.revision])).toEqual([revision]);
  let writes = 0;
  for (let minute = 0; minute < 10; minute++) {
    world.nowMs += 60_000;
    writes += world.operator();
  }
  expect(writes).toBe(0);
}

describe('rollout, everybody in turn', () => {
  test('a first revision serves with its first ready pod', () => {
    const world = new World(2, v('1'));
    const first = world.behave('good');
    world.operator();
    world.deploymentController();
    world.kubelet((pods) => pods[0]);
    world.operator();
    expect(world.deployment.status?.stable?.revision).toBe(first);
    expect(condition(world, 'Available')?.status).toBe('True');
    expect(condition(world, 'Ready')?.reason).toBe('ScalingUp');
    expectSettled(world, first);
  });

  test('four replicas move from v1 to v2', () => {
    const world = new World(4, v('1'));
    world.settle();
    const second = world.write(v('2'));
    world.settle();
    expectSettled(world, second);
    expectGolden(golden('v1-to-v2'), `${world.narrative.join('\n')}\n`);
  });

  test('a bad revision never takes the good one away, keeps one pod, and goes when the spec goes back', () => {
    const world = new World(4, v('1'));
    const first = world.behave('good');
    world.settle();
    const bad = world.write(v('2'), 'crashes');
    world.settle();
    expect(condition(world, 'Stalled')?.status).toBe('False');
    world.nowMs += 600_000;
    world.settle();
    expect(condition(world, 'Available')?.status).toBe('True');
    expect(condition(world, 'Ready')).toMatchObject({ status: 'False', reason: 'PodCrashing' });
    expect(condition(world, 'Stalled')).toMatchObject({ status: 'True', reason: 'PodCrashing' });
    expect(condition(world, 'Stalled')?.message).toMatch(/container serve, exit code 1: TypeError: boom/);
    expect(world.readyOf(first)).toBe(4);
    expect(world.pods.filter((pod) => pod.metadata.labels?.[labels.revision] === bad)).toHaveLength(1);
    expect(world.deployment.status?.rollout?.failedRevision).toBe(bad);
    world.write(v('1'));
    world.settle();
    expectSettled(world, first);
    expectGolden(golden('bad-v2-and-back'), `${world.narrative.join('\n')}\n`);
  });

  test('a model that does not exist fails at once, not at the deadline', () => {
    const world = new World(2, v('1'));
    world.settle();
    const started = world.nowMs;
    world.write(v('2'), 'model-missing');
    world.settle();
    expect(world.nowMs - started).toBeLessThan(60_000);
    expect(condition(world, 'Stalled')).toMatchObject({ status: 'True', reason: 'ModelUnavailable' });
    expect(condition(world, 'Stalled')?.message).toMatch(/exit code 3: 404 Not Found/);
  });

  test('a failed revision whose diagnosis pod becomes ready goes on by itself', () => {
    const world = new World(3, v('1'));
    world.settle();
    const second = world.write(v('2'), 'model-missing');
    world.settle();
    world.behave('good');
    expect(world.kubelet(() => world.pods.find((pod) => !isReady(pod)))).toBe(true);
    world.operator();
    expect(world.deployment.status?.rollout?.failedRevision).toBe(second);
    world.nowMs += 31_000;
    world.settle();
    expect(world.events).toContain('RolloutResumed');
    expectSettled(world, second);
  });

  test('a failed revision is tried again when the spec is written anew', () => {
    const world = new World(3, v('1'));
    world.settle();
    const second = world.write(v('2'), 'never-ready');
    world.settle();
    world.nowMs += 600_000;
    world.settle();
    expect(condition(world, 'Stalled')?.reason).toBe('ProgressDeadlineExceeded');
    const number = world.deployment.status?.rollout?.number ?? 0;
    world.write({ rollout: { restartedAt: 'again' } }, 'good');
    world.settle();
    expect(world.deployment.status?.rollout?.number).toBe(number + 1);
    expectSettled(world, second);
  });

  test('quick changes in a row: stable stays stable and superseded candidates go', () => {
    const world = new World(4, v('1'));
    const first = world.behave('good');
    world.settle();
    for (const name of ['2', '3', '4']) {
      world.write(v(name), 'never-ready');
      world.operator();
      world.deploymentController();
      expect(world.deployment.status?.stable?.revision).toBe(first);
      expect(world.readyOf(first)).toBe(4);
    }
    const last = world.write(v('5'));
    world.settle();
    expectSettled(world, last);
    expectGolden(golden('quick-changes'), `${world.narrative.join('\n')}\n`);
  });

  test('going back to the stable spec in the middle asks for all of stable at once', () => {
    const world = new World(8, v('1'));
    const first = world.behave('good');
    world.settle();
    const second = world.write(v('2'));
    while (world.readyOf(second) < 4) {
      world.operator();
      world.deploymentController();
      world.kubelet((pods) => pods[0]);
    }
    world.write(v('1'));
    world.operator();
    const asked = (revision: string) =>
      world.deployments().find(({ metadata }) => metadata.labels?.[labels.revision] === revision)?.spec
        .replicas;
    expect(asked(first)).toBe(8);
    expect(condition(world, 'Ready')?.reason).toBe('RollingOut');
    world.settle();
    expectSettled(world, first);
    expect(world.events).toContain('RolledBack');
  });

  test('a broken stable does not hold a good candidate up', () => {
    const world = new World(4, v('1'));
    const first = world.behave('good');
    world.settle();
    world.behave('crashes');
    world.pods = [];
    world.deploymentController();
    while (world.kubelet((pods) => pods[0]));
    world.operator();
    expect(condition(world, 'Available')?.status).toBe('False');
    const second = world.write(v('2'));
    world.operator();
    const asked = (revision: string) =>
      world.deployments().find(({ metadata }) => metadata.labels?.[labels.revision] === revision)?.spec
        .replicas;
    expect([asked(first), asked(second)]).toEqual([1, 4]);
    world.settle();
    expectSettled(world, second);
  });

  test('restartedAt replaces every pod within the revision, and Ready waits for it', () => {
    const world = new World(4, v('1'));
    const first = world.behave('good');
    world.settle();
    const before = new Set(world.pods.map((pod) => pod.metadata.name));
    world.write({ rollout: { restartedAt: '2026-11-24T10:00:00Z' } });
    world.operator();
    expect(condition(world, 'Ready')).toMatchObject({ status: 'False', reason: 'RollingOut' });
    let least = world.ready;
    for (let step = 0; step < 40; step++) {
      world.deploymentController();
      least = Math.min(least, world.ready);
      world.kubelet((pods) => pods[0]);
      world.operator();
    }
    expect(least).toBe(4);
    expect(world.pods.some((pod) => before.has(pod.metadata.name))).toBe(false);
    expectSettled(world, first);
  });

  test('suspended nothing runs and nothing fails; resumed it goes on', () => {
    const world = new World(3, v('1'));
    world.settle();
    const second = world.write(v('2'), 'never-ready');
    world.operator();
    world.write({ suspend: true });
    world.settle();
    expect(world.pods).toHaveLength(0);
    expect(condition(world, 'Available')).toMatchObject({ status: 'False', reason: 'Suspended' });
    expect(world.deployment.status?.summary?.phase).toBe('Suspended');
    world.nowMs += 24 * 3_600_000;
    world.settle();
    expect(condition(world, 'Stalled')?.status).toBe('False');
    world.write({ suspend: false }, 'good');
    world.settle();
    expectSettled(world, second);
  });

  test.each([
    ['nothing served before it', false],
    ['an earlier revision serves', true],
  ])('a failed revision that is suspended is Suspended, and tried again when resumed: %s', (_, serves) => {
    const world = new World(2, v('1'));
    if (serves) world.settle();
    const bad = world.write(v('2'), 'model-missing');
    world.settle();
    expect(world.deployment.status?.rollout?.failedRevision).toBe(bad);
    world.write({ suspend: true }, 'model-missing');
    world.settle();
    expect(world.pods).toHaveLength(0);
    expect(world.deployment.status?.summary?.phase).toBe('Suspended');
    expect(condition(world, 'Ready')).toMatchObject({ status: 'False', reason: 'Suspended' });
    expect(condition(world, 'Stalled')?.status).toBe('False');
    // The file is there by now.
    world.write({ suspend: false }, 'good');
    world.operator();
    expect(condition(world, 'Stalled')?.status).toBe('False');
    world.settle();
    expectSettled(world, bad);
  });

  test('history keeps as many old revisions as revisionHistoryLimit says', () => {
    const world = new World(1, { ...v('1'), rollout: { revisionHistoryLimit: 2 } });
    world.settle();
    for (const name of ['2', '3', '4', '5']) {
      world.write(v(name));
      world.settle();
      world.nowMs += 120_000;
      world.settle();
    }
    const numbers = world.children().controllerRevisions.map((stored) => stored.revision);
    expect(numbers.sort()).toEqual([3, 4, 5]);
  });

  test('an old revision comes back with the template that it had', () => {
    const world = new World(1, v('1'));
    const first = world.behave('good');
    world.settle();
    const template = (revision: string) =>
      world.deployments().find(({ metadata }) => metadata.labels?.[labels.revision] === revision)?.spec
        .template;
    const before = structuredClone(template(first));
    world.write(v('2'));
    world.settle();
    world.nowMs += 120_000;
    world.settle();
    expect(template(first)).toBeUndefined();
    world.write(v('1'));
    world.settle();
    expect(template(first)).toEqual(before);
  });
});

const behaviours: readonly Behaviour[] = ['good', 'good', 'good', 'crashes', 'never-ready', 'model-missing'];

describe('a candidate that ends soon after it was first ready', () => {
  test.each([1, 2, 4])('of %i replicas leaves a pod of the good revision all the time', (needed) => {
    const world = new World(needed, v('1'));
    world.settle();
    const good = world.deployment.status?.stable?.revision ?? '';
    const bad = world.write(v('2'));
    for (let second = 0; second < 60; second++) {
      world.operator();
      world.deploymentController();
      world.kubelet((pods) => pods[0]);
      expect(world.readyOf(good)).toBeGreaterThan(0);
      // Its first request ends it, three seconds after it became ready.
      world.pods = world.pods.map((pod) =>
        pod.metadata.labels?.[labels.revision] === bad &&
        world.nowMs - (readySinceMs(pod) ?? world.nowMs) >= 3_000
          ? makePod(bad, { name: pod.metadata.name ?? '' })
          : pod,
      );
      world.nowMs += 1_000;
    }
    expect(world.deployment.status?.stable?.revision).toBe(good);
    expect(condition(world, 'Available')?.status).toBe('True');
    expect(condition(world, 'Ready')?.status).toBe('False');
  });

  test('and one that stays ready for five seconds replaces it', () => {
    const world = new World(1, v('1'));
    world.settle();
    const good = world.deployment.status?.stable?.revision ?? '';
    const next = world.write(v('2'));
    world.operator();
    world.deploymentController();
    world.kubelet((pods) => pods[0]);
    const wait = plan(world.snapshot()).requeueAfterMs ?? Number.NaN;
    expect(wait).toBeLessThanOrEqual(settleMs);
    world.operator();
    expect([world.readyOf(good), world.deployment.status?.stable?.revision]).toEqual([1, good]);
    world.nowMs += wait;
    world.operator();
    expect(world.deployment.status?.stable?.revision).toBe(next);
    expectSettled(world, next);
  });
});

describe('rollout in random order', () => {
  const seeds = Array.from({ length: 24 }, (_, index) => index + 1);
  test.each(seeds)('seed %i: ready pods never become fewer by our doing, and it ends well', (seed) => {
    const random = seeded(seed);
    const world = new World(1 + Math.floor(random() * 6), v('1'));
    world.settle();
    const stable = world.deployment.status?.stable?.revision ?? '';
    let superseded = 0;
    let wasBroken = false;
    for (let step = 0; step < 150; step++) {
      const dice = random();
      const { mustStay } = world;
      if (dice < 0.03 && step < 100) {
        superseded = world.ready;
        world.write(v(String(1 + Math.floor(random() * 4))), pick(random, behaviours) ?? 'good');
        world.behave(
          world.deployment.spec.model.uri.endsWith('/1.onnx') ? 'good' : (pick(random, behaviours) ?? 'good'),
        );
      } else if (dice < 0.4) world.operator();
      else if (dice < 0.7) {
        world.deploymentController();
        expect(world.ready).toBeGreaterThanOrEqual(mustStay);
      } else if (dice < 0.95) world.kubelet((pods) => pick(random, pods));
      else world.nowMs += Math.floor(random() * 120_000);
      const total = world.deployments().reduce((sum, { spec }) => sum + (spec.replicas ?? 0), 0);
      wasBroken ||= world.deployment.status?.stable?.revision !== stable && world.ready === 0;
      if (!wasBroken)
        expect(total).toBeLessThanOrEqual(
          world.needed + surgeOf(world.needed) + Math.max(superseded, world.ready),
        );
      expect(
        condition(world, 'Reconciling')?.status === 'True' && condition(world, 'Stalled')?.status === 'True',
      ).toBe(false);
    }
    const last = world.write(v('final'), 'good');
    world.settle(400);
    expectSettled(world, last);
  });
});
