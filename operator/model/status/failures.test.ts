/** What went wrong in pods, and how status tells it. */
import { describe, expect, test } from '@jest/globals';
import { makePod, makeRefusedReplicaSet, sha, startMs } from '../testing/builders.ts';
import { conditionIn, crashed, statusAfter, unready } from '../testing/settled.ts';
import { World } from '../testing/world.ts';

describe('failures', () => {
  const reasonOf = (part: Parameters<typeof makePod>[1]) => {
    const status = statusAfter(({ pods }) => ({ pods: pods.map((pod) => unready(pod, part)) }), 1);
    return status.failures?.map(({ reason, exitCode, message }) => [reason, exitCode, message]);
  };
  const fetchEnded = (exitCode: number, message: string) => ({
    initContainers: [{ name: 'fetch', restartCount: 1, lastState: { terminated: { exitCode, message } } }],
    containers: [],
  });
  test.each<[string, Parameters<typeof makePod>[1], unknown]>([
    ['starting is no failure', {}, undefined],
    [
      'the image cannot be pulled',
      { containers: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }] },
      [['ImagePullFailed', undefined, 'no such image']],
    ],
    [
      'waiting for a node is no failure',
      {
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' },
        ],
      },
      undefined,
    ],
    [
      'the kernel ended it',
      {
        containers: [{ restartCount: 1, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }],
      },
      [
        [
          'OutOfMemory',
          137,
          'it passed its memory limit and was killed: raise spec.runtime.resources.limits.memory',
        ],
      ],
    ],
    [
      'the model is not there',
      fetchEnded(3, '{"reason":"ModelNotFound","message":"404"}'),
      [['ModelUnavailable', 3, '404']],
    ],
    [
      'the model is another file',
      fetchEnded(4, 'log line\n{"reason":"DigestMismatch","message":"got b, wanted a"}'),
      [['DigestMismatch', 4, 'got b, wanted a']],
    ],
    [
      'the contract does not fit the model',
      {
        containers: [
          {
            restartCount: 1,
            lastState: {
              terminated: {
                exitCode: 7,
                message: '{"reason":"ContractInvalid","message":"contract.inputs[0]: no input x"}',
              },
            },
          },
        ],
      },
      [['SpecInvalid', 7, 'contract.inputs[0]: no input x']],
    ],
    [
      'a reason that is none of ours stays text',
      fetchEnded(1, '{"reason":"__proto__","message":"x"}'),
      [['PodCrashing', 1, '{"reason":"__proto__","message":"x"}']],
    ],
    [
      'a Secret is missing',
      {
        containers: [
          { state: { waiting: { reason: 'CreateContainerConfigError', message: 'secret "s" not found' } } },
        ],
      },
      [['NoReadyPods', undefined, 'CreateContainerConfigError: secret "s" not found']],
    ],
    [
      'a restart long ago of a container that is well',
      {
        ready: true,
        containers: [{ ready: true, restartCount: 3, lastState: { terminated: { exitCode: 1 } } }],
      },
      undefined,
    ],
  ])('%s', (_, part, want) => {
    expect(reasonOf(part)).toEqual(want);
  });

  test('pods that the quota refuses are shown by their ReplicaSet', () => {
    const status = statusAfter(({ pods, deployment }) => {
      const revision = deployment.status?.stable?.revision ?? '';
      return {
        pods: pods.slice(1),
        replicaSets: [makeRefusedReplicaSet(revision, 'pods "x" is forbidden: exceeded quota: compute')],
      };
    });
    expect(status.failures?.[0]).toMatchObject({
      reason: 'QuotaExceeded',
      message: expect.stringContaining('exceeded quota: compute'),
    });
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    expect(ready?.message).toMatch(/QuotaExceeded: ReplicaSet \S+: pods "x" is forbidden/);
  });

  describe('of a container that is ready again', () => {
    const ended = (secondsAgo: number, exitCode = 137, reason = 'OOMKilled') =>
      statusAfter(({ pods, nowMs }) => ({
        pods: pods.map((pod, index) =>
          index > 0
            ? pod
            : unready(pod, {
                ready: true,
                containers: [
                  {
                    name: 'serve',
                    ready: true,
                    restartCount: 1,
                    lastState: {
                      terminated: {
                        exitCode,
                        reason,
                        finishedAt: new Date(nowMs - secondsAgo * 1_000).toISOString(),
                      },
                    },
                  },
                ],
              }),
        ),
      }));

    test('are told for five minutes, and nothing counts as failed for it', () => {
      const status = ended(299);
      expect(status.failures).toEqual([
        expect.objectContaining({ container: 'serve', reason: 'OutOfMemory', exitCode: 137, restarts: 1 }),
      ]);
      expect(conditionIn(status, 'Ready')).toMatch(/^True /);
      expect(conditionIn(status, 'Available')).toMatch(/^True /);
    });

    test.each<[string, ReturnType<typeof ended>]>([
      ['five minutes ago', ended(300)],
      ['as it should', ended(10, 0, 'Completed')],
    ])('are not told when it ended %s', (_, status) => {
      expect(status.failures).toBeUndefined();
    });
  });

  // The words of the admission plugin LimitRanger.
  test.each([
    'maximum cpu usage per Container is 1, but limit is 2',
    'minimum memory usage per Pod is 1Gi, but request is 512Mi',
    'cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000',
    '[maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]',
  ])('a LimitRange is told apart from a quota: %s', (words) => {
    const status = statusAfter(({ pods, deployment }) => ({
      pods: pods.slice(1),
      replicaSets: [
        makeRefusedReplicaSet(
          deployment.status?.stable?.revision ?? '',
          `pods "quota-1" is forbidden: ${words}`,
        ),
      ],
    }));
    expect(status.failures?.[0]?.reason).toBe('QuotaExceeded');
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    expect(ready?.message).toMatch(
      /a LimitRange of the namespace refuses the pods: .*spec\.runtime\.resources/,
    );
    expect(ready?.message).toContain(words);
  });

  test('a later pod that fetched another file is told apart', () => {
    const status = statusAfter(({ pods, deployment }) => {
      const revision = deployment.status?.stable?.revision ?? '';
      return {
        pods: pods.map((pod, index) =>
          makePod(revision, {
            name: pod.metadata.name ?? '',
            ready: true,
            sha256: sha(index === 0 ? 'a' : 'b'),
            createdAtMs: startMs + index,
          }),
        ),
      };
    });
    expect(status.stable?.sha256).toBe(sha('a'));
    expect(status.failures?.[0]?.reason).toBe('DigestMoved');
  });

  test('at most ten are shown, the newest revision first', () => {
    const world = new World(12, { scaling: { replicas: 12 } });
    world.settle();
    const old = world.deployment.status?.stable?.revision ?? '';
    const next = world.write({ runtime: { threads: 8 } }, 'crashes');
    world.operator();
    world.pods = [
      ...world.pods.map((pod) => unready(pod, crashed)),
      makePod(next, { name: 'a-new-one', ...crashed }),
    ];
    world.operator();
    expect(world.deployment.status?.failures).toHaveLength(10);
    expect(world.deployment.status?.failures?.map(({ revision }) => revision)).toEqual([
      next,
      ...Array.from({ length: 9 }, () => old),
    ]);
  });
});
