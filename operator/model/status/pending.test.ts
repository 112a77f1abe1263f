/** Pods that wait, as status tells them: grouped, bounded, with since, the scheduler's words and the next action. */
import { describe, expect, test } from '@jest/globals';
import type { Pod } from '../../../kube/objects.ts';
import { plan } from '../plan.ts';
import { emptyMemory } from '../snapshot.ts';
import { makePod, startMs } from '../testing/builders.ts';
import { noRoomMessage } from '../testing/places.ts';
import { conditionIn, statusAfter } from '../testing/settled.ts';
import { World } from '../testing/world.ts';

type Conditions = NonNullable<Pod['status']>['conditions'];
const at = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
const unplaced = (message: string, sinceMs = startMs): NonNullable<Conditions> => [
  {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message,
    lastTransitionTime: at(sinceMs),
  },
];
const placed = (more: NonNullable<Conditions> = []): NonNullable<Conditions> => [
  { type: 'PodScheduled', status: 'True', lastTransitionTime: at(startMs) },
  ...more,
];
const waiting = (part: Parameters<typeof makePod>[1]) => ({
  phase: 'Pending' as const,
  containers: [],
  ...part,
});

/** Status of a `wine` whose stable revision has these pods besides a ready one. */
const statusWith = (parts: Parameters<typeof makePod>[1][], afterMs = 0) =>
  statusAfter(({ deployment, nowMs, pods }) => {
    const revision = deployment.status?.stable?.revision ?? '';
    return {
      nowMs: Math.max(nowMs, startMs + afterMs),
      deployment: {
        ...deployment,
        spec: { ...deployment.spec, scaling: { ...deployment.spec.scaling, replicas: 1 + parts.length } },
      },
      pods: [
        ...pods.slice(0, 1),
        ...parts.map((part, index) => makePod(revision, { name: `p${index}`, ...waiting(part ?? {}) })),
      ],
    };
  });

describe('status.pending', () => {
  test('tells at once of pods that no node takes, grouped by what is short', () => {
    const status = statusWith([
      { conditions: unplaced(noRoomMessage, startMs + 5_000) },
      { conditions: unplaced(noRoomMessage, startMs + 2_000) },
      { conditions: unplaced('0/2 nodes are available: 2 Insufficient memory.', startMs + 1_000) },
    ]);
    expect(status.pending).toEqual({
      pods: 3,
      since: at(startMs + 1_000),
      causes: [
        {
          reason: 'Unschedulable',
          short: 'cpu',
          pods: 2,
          since: at(startMs + 2_000),
          pod: 'p1',
          message: noRoomMessage,
        },
        {
          reason: 'Unschedulable',
          short: 'memory',
          pods: 1,
          since: at(startMs + 1_000),
          pod: 'p2',
          message: '0/2 nodes are available: 2 Insufficient memory.',
        },
      ],
    });
    expect(status.failures).toBeUndefined();
    expect(conditionIn(status, 'Ready')).toBe('False ScalingUp');
    expect(conditionIn(status, 'Stalled')).toBe('False ScalingUp');
    expect(status.summary?.phase).toBe('Scaling');
    expect(status.conditions?.find(({ type }) => type === 'Ready')?.message).toMatch(
      /1 of 4 pods .* ready; 3 pods wait for a node since 2026-01-01T12:00:01Z, short of memory: a node autoscaler adds a node \(each pod asks for 512Mi memory\)/,
    );
  });

  test.each<[string, Parameters<typeof makePod>[1], string]>([
    ['no scheduler has looked', {}, 'Scheduling'],
    [
      'a gate holds it',
      { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
      'Gated',
    ],
    ['the node prepares it', { conditions: placed() }, 'Creating'],
    [
      'the image is pulled',
      { conditions: placed([{ type: 'PodReadyToStartContainers', status: 'True' }]) },
      'Pulling',
    ],
    [
      'the model is fetched',
      {
        conditions: placed([{ type: 'PodReadyToStartContainers', status: 'True' }]),
        initContainers: [{ name: 'fetch', state: { running: { startedAt: at(startMs) } } }],
      },
      'Fetching',
    ],
  ])('%s: told when it lasts 30 s, as %s', (_, part, reason) => {
    expect(statusWith([part], 29_000).pending).toBeUndefined();
    const { pending } = statusWith([part], 30_000);
    expect(pending?.causes.map((cause) => [cause.reason, cause.pods, cause.since])).toEqual([
      [reason, 1, at(startMs)],
    ]);
  });

  test('a pod that fails is told as a failure, not here too', () => {
    const status = statusWith(
      [
        {
          conditions: placed(),
          containers: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }],
        },
      ],
      60_000,
    );
    expect(status.pending).toBeUndefined();
    expect(status.failures?.map(({ reason }) => reason)).toEqual(['ImagePullFailed']);
  });

  test('is bounded, and its text too', () => {
    const status = statusWith(
      Array.from({ length: 20 }, (_, index) => ({
        conditions: unplaced(`0/1 nodes are available: 1 Insufficient x${index}.dev/${'y'.repeat(900)}.`),
      })),
    );
    expect(status.pending?.pods).toBe(20);
    expect(status.pending?.causes).toHaveLength(8);
    for (const { message, short } of status.pending?.causes ?? []) {
      expect(message.length).toBeLessThanOrEqual(512);
      expect(short?.length).toBeLessThanOrEqual(253);
    }
    for (const { message } of status.conditions ?? []) expect(message.length).toBeLessThanOrEqual(1_024);
  });

  test('looks again when a slow pod is to be told, and tells a wait and its end by one event each', () => {
    const world = new World(2);
    world.room = 1;
    world.settle();
    expect(world.events.filter((event) => event === 'WaitingForNode')).toHaveLength(1);
    world.room = 2;
    world.settle();
    expect(world.events.filter((event) => event === 'WaitEnded')).toHaveLength(1);
    const { nowMs, deployment, pods } = world.snapshot();
    const slow = makePod(deployment.status?.stable?.revision ?? '', {
      name: 'slow',
      ...waiting({ createdAtMs: nowMs, conditions: placed() }),
      createdAtMs: nowMs,
      conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: at(nowMs) }],
    });
    const again = plan({ ...world.snapshot(), pods: [...pods, slow] }).requeueAfterMs ?? Number.NaN;
    expect(again).toBeLessThanOrEqual(30_000);
    expect(again).toBeGreaterThan(20_000);
  });

  test.each([1_000, 4_000])('a wait of %i ms brings no event, however often it comes', (ms) => {
    const world = new World(2);
    for (let turn = 0; turn < 4; turn++) {
      world.room = 1;
      world.pods = world.pods.slice(0, 1);
      world.operator();
      world.deploymentController();
      world.scheduler();
      world.operator();
      expect(world.deployment.status?.pending?.pods).toBe(1);
      // Somebody looks again when the event is due.
      expect(plan(world.snapshot()).requeueAfterMs).toBeLessThanOrEqual(5_000);
      world.nowMs += ms;
      world.room = 2;
      world.settle();
      expect(world.deployment.status?.pending).toBeUndefined();
    }
    expect(world.events.filter((event) => event.startsWith('Wait'))).toEqual([]);
  });

  test('a restarted operator ends a long wait that the one before told of, and tells no short one', () => {
    const restartedAfter = (ms: number) => {
      const world = new World(2);
      world.room = 1;
      world.operator();
      world.deploymentController();
      world.scheduler();
      world.operator();
      world.nowMs += ms;
      world.memory = emptyMemory;
      world.events.length = 0;
      world.operator();
      world.room = 2;
      world.settle();
      return world.events.filter((event) => event.startsWith('Wait'));
    };
    expect(restartedAfter(60_000)).toEqual(['WaitEnded']);
    expect(restartedAfter(1_000)).toEqual([]);
  });

  test('the scheduler’s words alone bring no write', () => {
    const world = new World(2);
    world.room = 1;
    world.settle();
    world.nowMs += 1_000;
    world.pods = world.pods.map((pod) =>
      pod.status?.phase === 'Pending'
        ? {
            ...pod,
            status: { ...pod.status, conditions: unplaced('0/9 nodes are available: 9 Insufficient cpu.') },
          }
        : pod,
    );
    expect(plan(world.snapshot()).status).toBeUndefined();
  });
});
