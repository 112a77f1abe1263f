import { describe, expect, test } from '@jest/globals';
import type { ModelDeployment } from '../../crds/types.ts';
import type { KubeApi } from '../../kube/api.ts';
import { ApiError } from '../../kube/errors.ts';
import { editsBetween, namesNear } from '../near.ts';
import { findExplained, whyCommand } from './command.ts';
import { ageText, explain, explanationOf } from './explain.ts';
import { parseWhyOptions } from './options.ts';

const nowMs = Date.UTC(2026, 0, 1, 12);
const ago = (seconds: number) => new Date(nowMs - seconds * 1_000).toISOString();
const condition = (type: string, status: 'True' | 'False' | 'Unknown', reason: string, message: string) => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: ago(60),
});

const scaled: ModelDeployment = {
  apiVersion: 'ballast.dev/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name: 'wine', namespace: 'shop', uid: 'u', resourceVersion: '1', generation: 4 },
  spec: {
    model: { uri: 'file:///samples/wine/model.onnx' },
    sla: { latency: { p95: '50ms' }, errorRate: '1%', window: '5m' },
    scaling: { mode: 'SLA', replicas: 1, minReplicas: 1, maxReplicas: 20 },
  },
  status: {
    observedGeneration: 4,
    readyReplicas: 4,
    conditions: [
      condition('SLAMet', 'False', 'Violated', 'p95 is 61ms'),
      condition('ScalingLimited', 'True', 'NoRoom', '1 pod finds no node: add nodes'),
      condition('Ready', 'False', 'ScalingUp', '4 of 5 pods ready'),
    ],
    sla: { window: '5m', requests: 9_000, p95: '61ms', budgetLeft: '0%' },
    pending: {
      pods: 1,
      since: ago(30),
      causes: [
        {
          reason: 'Unschedulable',
          short: 'cpu',
          pods: 1,
          since: ago(30),
          pod: 'wine-5',
          message: '0/2 nodes are available: 2 Insufficient cpu',
        },
      ],
    },
    traffic: { path: 'Gateway', since: ago(600), reason: 'Auto', message: 'traffic.path is Auto: it pays' },
    scaling: {
      desiredReplicas: 5,
      minReplicas: 1,
      maxReplicas: 20,
      owner: 'Ballast',
      headroom: {
        replicas: 2,
        form: 'Placeholders',
        inPlace: 1,
        perHour: '0.24',
        message: '1 of 2 placeholder pods are in place',
      },
      current: {
        reason: 'Latency',
        message: '118 requests/s × 30 ms keep 3.5 pods busy: 5 keep p95 within 50ms',
        neededReplicas: 5,
        arrivalRate: '118/s',
        forecastRate: '130/s',
        utilisation: '71%',
        startupTime: '49s',
        nodeTime: '40s',
      },
      lastDecision: {
        time: ago(190),
        replicas: 5,
        previousReplicas: 3,
        reason: 'Latency',
        message: 'the load grew',
        inputs: {
          arrivalRate2s: '120',
          arrivalRate10s: '118',
          arrivalRate60s: '90',
          forecastRate: '130',
          plannedRate: '140',
          startupSeconds: '9',
          serviceMs: '30',
          serviceSamples: '500',
          slotsPerReplica: '1',
          burstiness: '1.2',
          queueLength: '4',
          readyPods: '3',
          freshPods: '3',
          startingPods: '0',
          crashingPods: '1',
        },
      },
      recentDecisions: [
        { time: ago(190), replicas: 5, previousReplicas: 3, reason: 'Latency', message: 'the load grew' },
        { time: ago(7_300), replicas: 3, previousReplicas: 12, reason: 'HoldDown', message: 'it fell' },
      ],
    },
  },
};

describe('explain', () => {
  test('tells count, owner, promise, the present decision, what is in the way and the changes before', () => {
    expect(
      explain(scaled, nowMs),
    ).toBe(`wine in shop: 5 replicas wanted, 4 ready. Ballast decides, between 1 and 20.
Promise BROKEN: p95 61ms of 50ms, errors unknown of 1%; 0% of the error budget left.
Way (Gateway, since 10 min): traffic.path is Auto: it pays.
Room (for 2 replicas, 0.24 an hour): 1 of 2 placeholder pods are in place.

Now (Latency): 118 requests/s × 30 ms keep 3.5 pods busy: 5 keep p95 within 50ms
  the load alone needs 5 replicas; 130/s expected by the time a new pod is ready, 118/s planned for; a new pod takes 49s to be ready, 40s of it the wait for a node; a replica is busy 71% of the time

In the way:
  NoRoom: 1 pod finds no node: add nodes
  ScalingUp: 4 of 5 pods ready
  1 pod waits (Unschedulable): 0/2 nodes are available: 2 Insufficient cpu

Last change, 3 min ago: 3 → 5 (Latency): the load grew
  120, 118 and 90 requests/s in the last 2, 10 and 60 s; 130/s expected when a new pod is ready (9 s); planned for 140/s; 4 waiting
  a request takes a pod 30 ms (500 measured); burstiness 1.2
  3 of 3 ready pods heard; 1 crashing

Changes before, the newest first:
  2 h ago  12 → 3  HoldDown  it fell
`);
  });

  const inMode = (scaling: Partial<ModelDeployment['spec']['scaling']>, owner: string) =>
    explain(
      {
        ...scaled,
        spec: { model: scaled.spec.model, scaling: { ...scaled.spec.scaling, ...scaling } },
        status: { scaling: { desiredReplicas: 1, owner }, readyReplicas: 1 },
      },
      nowMs,
    );
  test.each([
    ['Fixed', 'spec', 'scaling.mode is Fixed: spec.scaling.replicas says so.'],
    ['External', 'kube-controller-manager', 'kube-controller-manager decides.'],
    ['External', 'nobody', 'nobody has decided yet'],
  ] as const)('mode %s, owner %s', (mode, owner, words) => {
    expect(inMode({ mode }, owner)).toContain(words);
    expect(inMode({ mode }, owner)).toContain('Promise: none');
  });

  test('numbers that were not known are not told as numbers', () => {
    const { status } = scaled;
    const lastDecision = {
      time: ago(5),
      replicas: 1,
      previousReplicas: 0,
      reason: 'Minimum',
      message: 'nothing runs yet',
      inputs: { arrivalRate10s: 'unknown', serviceMs: 'unknown', readyPods: '0', freshPods: '0' },
    };
    const text = explain(
      { ...scaled, status: { ...status, scaling: { lastDecision } } } as ModelDeployment,
      nowMs,
    );
    expect(text).toContain('not known then: how many requests come, how long one takes');
    expect(text).not.toMatch(/undefined|NaN/);
  });

  test('a spec that the operator has not seen, and one that no operator has looked at', () => {
    const newer = { ...scaled, metadata: { ...scaled.metadata, generation: 5 } };
    expect(explain(newer, nowMs)).toContain('newest change of the spec yet (4 of 5)');
    const { status: _, ...unseen } = scaled;
    expect(explain(unseen, nowMs)).toContain('no operator has looked at it yet');
  });

  test('for programs: the same parts', () => {
    expect(explanationOf(scaled)).toMatchObject({
      name: 'wine',
      desiredReplicas: 5,
      readyReplicas: 4,
      lastDecision: { replicas: 5 },
      conditions: [{ type: 'ScalingLimited' }, { type: 'SLAMet' }, { type: 'Ready' }],
    });
  });

  test.each([
    [5, '5 s'],
    [119, '119 s'],
    [120, '2 min'],
    [7_200, '2 h'],
    [200_000, '2 days'],
    [-3, '0 s'],
  ])('%i seconds are %s', (seconds, text) => {
    expect(ageText(ago(seconds), nowMs)).toBe(text);
  });
});

describe('names nearby', () => {
  test.each([
    ['wine', 'wine', 0],
    ['wine', 'wien', 1],
    ['wine', 'win', 1],
    ['wine', 'beer', 4],
    ['', 'abc', 3],
  ])('%s and %s are %i edits apart', (one, other, edits) => {
    expect(editsBetween(one, other)).toBe(edits);
  });

  test('the nearest first, three at most, none that is far', () => {
    expect(namesNear('wnie', ['beer', 'wine', 'wines', 'wine-2', 'fraud'])).toEqual(['wine', 'wines']);
    expect(namesNear('wine', ['wine-1', 'wine-2', 'wine-3', 'wine-4'])).toEqual([
      'wine-1',
      'wine-2',
      'wine-3',
    ]);
  });
});

describe('what is not there', () => {
  const api = (items: readonly (readonly [namespace: string, name: string])[], mayListAll = true) =>
    ({
      get: async () => {
        throw new ApiError({ code: 404, reason: 'NotFound', message: 'not found' });
      },
      list: async (_: unknown, where: { namespace?: string }) => {
        if (where.namespace === undefined && !mayListAll)
          throw new ApiError({ code: 403, reason: 'Forbidden', message: 'no' });
        return {
          items: items
            .filter(([namespace]) => where.namespace === undefined || namespace === where.namespace)
            .map(([namespace, name]) => ({ metadata: { namespace, name } })),
        };
      },
    }) as unknown as KubeApi;
  test.each<[string, KubeApi, string]>([
    ['near', api([['shop', 'wine']]), 'Did you mean wine?'],
    ['in another namespace', api([['lab', 'wnie']]), 'but in lab: add -n lab'],
    ['others', api([['shop', 'fraud-detector']]), 'There are: fraud-detector'],
    ['nothing', api([]), 'nor any other'],
    ['near, without the right to list all namespaces', api([['shop', 'wine']], false), 'Did you mean wine?'],
  ])('%s', async (_, kube, words) => {
    await expect(findExplained(kube, 'shop', 'wnie')).rejects.toThrow(words);
  });
});

describe('the command line', () => {
  test('takes a name with or without the kind', () => {
    expect(parseWhyOptions(['md/wine', '-n', 'shop', '-o', 'json'])).toEqual({
      name: 'wine',
      namespace: 'shop',
      json: true,
      kubeconfig: undefined,
    });
    expect(parseWhyOptions(['modeldeployments.ballast.dev/wine'])).toMatchObject({ name: 'wine' });
  });

  test.each([
    [[], 2, 'name a ModelDeployment'],
    [['a', 'b'], 2, 'one name at a time'],
    [['a', '-o', 'yaml'], 2, 'give text or json'],
    [['a', '--wat'], 2, '--wat'],
    [['a', '--kubeconfig', '/nowhere/config'], 1, 'there is no kubeconfig'],
  ])('%j ends with %i and says "%s"', async (args, code, words) => {
    let said = '';
    const silent = { write: () => undefined };
    expect(await whyCommand(args, silent, { write: (text) => (said += text) })).toBe(code);
    expect(said).toContain(words);
  });
});

test.each([
  ['by default', {}, 'none after 10m without a request.'],
  ['as the manifest has it', { idleAfter: '15m' }, 'none after 15m without a request.'],
])('when the last replica goes is told: %s', (_name, scaleToZero, said) => {
  const sleepy = { ...scaled, spec: { ...scaled.spec, scaling: { ...scaled.spec.scaling, scaleToZero } } };
  expect(explain(sleepy, nowMs).split('\n')[0]).toContain(said);
});
