import { describe, expect, test } from '@jest/globals';
import type { ModelDeployment } from '../../crds/types.ts';
import type { ContainerStatus, Pod } from '../../kube/objects.ts';
import { manifestForFile, nameOfFile } from './manifest.ts';
import { tellModelDeployment, tellPod } from './tell.ts';

const pod = (status: Pod['status'], metadata: Partial<Pod['metadata']> = {}): Pod => ({
  metadata: { name: 'wine-abc-x1', ...metadata },
  spec: { containers: [] },
  ...(status === undefined ? {} : { status }),
});
const ready: Pod['status'] = { conditions: [{ type: 'Ready', status: 'True' }] };

type Terminated = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>;
const ended = (terminated: Terminated) =>
  pod({
    containerStatuses: [{ name: 'serve', ready: false, restartCount: 1, lastState: { terminated } }],
  });

const podCases: Record<string, { before?: Pod; after?: Pod; want: string[] }> = {
  'a new pod is told once': { after: pod({}), want: ['pod wine-abc-x1 created'] },
  'a pod that turns ready is told': { before: pod({}), after: pod(ready), want: ['pod wine-abc-x1 ready'] },
  'a ready pod that stays ready is not told again': { before: pod(ready), after: pod(ready), want: [] },
  'a pod that is gone is told': { before: pod(ready), want: ['pod wine-abc-x1 gone'] },
  'a pod that is being deleted drains': {
    before: pod(ready),
    after: pod(ready, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    want: ['pod wine-abc-x1 drains'],
  },
  'the fetched model is told with size and digest': {
    before: pod({}),
    after: pod({
      initContainerStatuses: [
        {
          name: 'fetch',
          ready: true,
          restartCount: 0,
          state: {
            terminated: {
              exitCode: 0,
              message: JSON.stringify({ sha256: '22d82b65421039ef77', bytes: 1536, uri: 'file:///x' }),
            },
          },
        },
      ],
    }),
    want: ['pod wine-abc-x1 fetched the model: 1.5 KiB, sha256 22d82b654210…'],
  },
  'a crash is told with exit code and last words': {
    before: pod({}),
    after: pod({
      containerStatuses: [
        {
          name: 'serve',
          ready: false,
          restartCount: 1,
          lastState: { terminated: { exitCode: 6, message: 'loading\ncannot load', finishedAt: 't' } },
        },
      ],
    }),
    want: ['pod wine-abc-x1: container serve ended with exit code 6: cannot load'],
  },
  'what a container wrote for its end is told as a sentence': {
    before: pod({}),
    after: ended({
      exitCode: 3,
      message: '{"reason":"ModelInvalid","message":"the file is empty"}\n',
      finishedAt: 't',
    }),
    want: ['pod wine-abc-x1: container serve ended with exit code 3: the file is empty'],
  },
  'the log of a container that ran out of memory is no last word': {
    before: pod({}),
    after: ended({
      exitCode: 137,
      reason: 'OOMKilled',
      message: '{"time":"t","message":"listening"}',
      finishedAt: 't',
    }),
    want: ['pod wine-abc-x1: container serve ended with exit code 137: OOMKilled'],
  },
  'nor is that of one that was killed': {
    before: pod({}),
    after: ended({
      exitCode: 137,
      reason: 'Error',
      message: '{"time":"t","message":"ready"}',
      finishedAt: 't',
    }),
    want: ['pod wine-abc-x1: container serve ended with exit code 137: killed by signal 9'],
  },
};

describe('tellPod', () => {
  test.each(Object.entries(podCases))('%s', (_name, { before, after, want }) => {
    expect(tellPod(before, after)).toEqual(want);
  });
});

const deployment = (status: ModelDeployment['status']): ModelDeployment =>
  ({ metadata: { name: 'wine' }, status }) as ModelDeployment;

describe('tellModelDeployment', () => {
  test('a decision is told once, with its sentence', () => {
    const after = deployment({
      scaling: {
        lastDecision: {
          time: 't1',
          replicas: 3,
          previousReplicas: 1,
          reason: 'Latency',
          message: 'why',
          inputs: {},
        },
      },
    });
    expect(tellModelDeployment(deployment({}), after)).toEqual(['wine: 1 → 3 replicas: why']);
    expect(tellModelDeployment(after, after)).toEqual([]);
  });

  test('a promise that is broken, and kept again, is told; a promise that is kept from the start is not', () => {
    const sla = (status: 'True' | 'False') =>
      deployment({
        conditions: [{ type: 'SLAMet', status, reason: status, message: 'm', lastTransitionTime: 't' }],
      });
    expect(tellModelDeployment(deployment({}), sla('True'))).toEqual([]);
    expect(tellModelDeployment(sla('True'), sla('False'))).toEqual(['wine: SLAMet=False (False): m']);
    expect(tellModelDeployment(sla('False'), sla('True'))).toEqual(['wine: SLAMet=True (True): m']);
  });
});

test('what Ready says is not said again by Stalled', () => {
  const condition = (type: string, status: string, message: string) =>
    ({ type, status, reason: 'ModelUnavailable', message, lastTransitionTime: 't' }) as never;
  const after = deployment({
    conditions: [condition('Ready', 'False', 'no file'), condition('Stalled', 'True', 'no file')],
  });
  expect(tellModelDeployment(deployment({}), after)).toEqual([
    'wine: Ready=False (ModelUnavailable): no file',
  ]);
  const later = deployment({
    conditions: [condition('Ready', 'False', 'no file'), condition('Stalled', 'False', 'x')],
  });
  expect(tellModelDeployment(later, after)).toEqual(['wine: Stalled=True (ModelUnavailable): no file']);
});

describe('the manifest for a user’s file', () => {
  test.each([
    ['./My_Model v2.onnx', 'my-model-v2'],
    ['/a/b/resnet50.onnx', 'resnet50'],
    ['Modèle_α.onnx', 'modele'],
    ['123.onnx', 'model'],
    [`${'x'.repeat(80)}.onnx`, 'x'.repeat(45)],
    ['--.onnx', 'model'],
  ])('%s is named %s', (file, name) => {
    expect(nameOfFile(file)).toBe(name);
  });

  test('points below /models and escapes the name', () => {
    expect(manifestForFile('/tmp/a b.onnx', undefined).spec).toMatchObject({
      model: { uri: 'file:///models/a%20b.onnx' },
    });
  });
});
