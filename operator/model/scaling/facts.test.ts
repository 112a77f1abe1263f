import { expect, test } from '@jest/globals';
import { labels } from '../../../crds/constants.ts';
import type { DeploymentLike, PodLike } from './facts.ts';
import { replicaFactsOf } from './facts.ts';

const ready: PodLike = {
  metadata: {},
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
};
const starting: PodLike = { metadata: {}, status: { phase: 'Pending' } };
const crashing: PodLike = {
  metadata: {},
  status: {
    phase: 'Running',
    containerStatuses: [{ restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff' } } }],
  },
};
const restarting: PodLike = {
  metadata: {},
  status: { phase: 'Running', initContainerStatuses: [{ restartCount: 3, ready: false }] },
};
const recovered: PodLike = {
  metadata: {},
  status: {
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [{ restartCount: 9, ready: true }],
  },
};
const unschedulable: PodLike = {
  metadata: {},
  status: { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] },
};
const ending: PodLike = {
  metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
  status: { phase: 'Running' },
};
const of = (pod: PodLike, revision: string): PodLike => ({
  ...pod,
  metadata: { ...pod.metadata, labels: { [labels.revision]: revision } },
});
const asks = (replicas: number): DeploymentLike => ({ spec: { replicas } });
const refused = (replicas: number): DeploymentLike => ({
  spec: { replicas },
  status: { conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' }] },
});

test.each<[string, DeploymentLike[], PodLike[], [number, number, number, number]]>([
  ['nothing', [], [], [0, 0, 0, 0]],
  ['all ready', [asks(2)], [ready, ready], [2, 0, 0, 0]],
  ['one starts, one is not created yet', [asks(3)], [ready, starting], [3, 2, 0, 0]],
  ['two revisions', [asks(2), asks(1)], [ready, ready, starting], [3, 1, 0, 0]],
  ['crash loop and restarts again and again', [asks(3)], [ready, crashing, restarting], [3, 0, 2, 0]],
  ['a pod that restarted and is ready again', [asks(1)], [recovered], [1, 0, 0, 0]],
  [
    'a candidate crashes beside the revision that serves',
    [asks(2), asks(1)],
    [of(ready, 'old'), of(ready, 'old'), of(crashing, 'new')],
    [3, 0, 0, 0],
  ],
  [
    'the revision that serves crashes in part',
    [asks(3)],
    [of(ready, 'old'), of(crashing, 'old'), of(crashing, 'old')],
    [3, 0, 2, 0],
  ],
  ['no room', [asks(2)], [ready, unschedulable], [2, 0, 0, 1]],
  ['quota refuses pods', [refused(5)], [ready, starting], [5, 1, 0, 3]],
  ['pods that end do not count', [asks(1)], [ready, ending], [1, 0, 0, 0]],
])('%s', (_name, deployments, pods, [replicas, startingReplicas, crashingReplicas, blockedReplicas]) => {
  expect(replicaFactsOf(deployments, pods, false)).toEqual({
    replicas,
    startingReplicas,
    crashingReplicas,
    blockedReplicas,
    rolloutInProgress: false,
  });
});
