import { describe, expect, test } from '@jest/globals';
import type { Pod } from '../../kube/objects.ts';
import { podRequests, whyUnfit } from './fit.ts';
import type { Node } from './kinds.ts';
import { compareForDeletion, untilAvailableMs } from './pod-state.ts';

interface Facts {
  node?: string | undefined;
  phase?: string;
  ready?: boolean;
  since?: string;
  cost?: string;
  restarts?: number;
  created?: string;
}
const pod = (name: string, facts: Facts = {}): Pod =>
  ({
    metadata: {
      name,
      uid: name,
      creationTimestamp: facts.created ?? '2026-01-01T00:00:00Z',
      ...(facts.cost === undefined
        ? {}
        : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': facts.cost } }),
    },
    spec: { containers: [], ...('node' in facts ? {} : { nodeName: 'n' }) },
    status: {
      phase: facts.phase ?? 'Running',
      conditions: [
        {
          type: 'Ready',
          status: facts.ready === false ? 'False' : 'True',
          lastTransitionTime: facts.since ?? '2026-01-01T00:00:00Z',
        },
      ],
      containerStatuses: [{ name: 'c', ready: true, restartCount: facts.restarts ?? 0 }],
    },
  }) as unknown as Pod;

describe('who goes first when a ReplicaSet shrinks', () => {
  test.each([
    ['without a node', pod('a', { node: undefined }), pod('b', { phase: 'Pending', ready: false })],
    ['pending before running', pod('a', { phase: 'Pending' }), pod('b')],
    ['not ready before ready', pod('a', { ready: false, cost: '100' }), pod('b', { cost: '-100' })],
    ['the cheaper to delete', pod('a', { cost: '-5', restarts: 0 }), pod('b', { restarts: 9 })],
    ['ready for a shorter time', pod('a', { since: '2026-01-01T00:01:00Z' }), pod('b', { restarts: 9 })],
    ['more restarts', pod('a', { restarts: 2 }), pod('b', { restarts: 1, created: '2026-01-02T00:00:00Z' })],
    ['the younger', pod('a', { created: '2026-01-02T00:00:00Z' }), pod('b')],
    ['a cost that is no number counts as 0', pod('a', { cost: '-1' }), pod('b', { cost: 'much' })],
  ])('%s', (_name, first, second) => {
    expect(compareForDeletion(first, second)).toBeLessThan(0);
    expect(compareForDeletion(second, first)).toBeGreaterThan(0);
  });
});

test.each([
  [0, true, 0],
  [10, true, 4_000],
  [5, true, 0],
  [10, false, undefined],
])('available after %i s, ready %s: in %s ms', (seconds, ready, want) => {
  const nowMs = Date.parse('2026-01-01T00:00:06Z');
  expect(untilAvailableMs(pod('a', { ready }), seconds, nowMs)).toBe(want);
});

describe('what fits the node', () => {
  const node: Node = {
    metadata: { name: 'local', labels: { zone: 'a', cores: '8' } },
    status: { allocatable: { cpu: '2', memory: '4Gi', pods: '3' } },
  };
  const asking = (name: string, requests: object, change: object = {}): Pod =>
    ({
      metadata: { name, uid: name },
      spec: { containers: [{ name: 'c', image: 'i', resources: { requests } }], ...change },
    }) as unknown as Pod;
  const affinity = (operator: string, values: string[], key = 'zone') => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }],
        },
      },
    },
  });
  const elsewhere = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
  test.each([
    ['a small one', asking('p', { cpu: '500m' }), [], undefined],
    ['exactly what is left', asking('p', { cpu: '900m' }), [asking('q', { cpu: '1100m' })], undefined],
    [
      'too much CPU',
      asking('p', { cpu: '1' }),
      [asking('q', { cpu: '1100m' })],
      '0/1 nodes are available: 1 Insufficient cpu.',
    ],
    [
      'too much of both',
      asking('p', { cpu: '3', memory: '5Gi' }),
      [],
      '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.',
    ],
    [
      'a GPU',
      asking('p', { 'nvidia.com/gpu': '1' }),
      [],
      '0/1 nodes are available: 1 Insufficient nvidia.com/gpu.',
    ],
    [
      'too many pods',
      asking('p', {}),
      ['a', 'b', 'c'].map((name) => asking(name, {})),
      '0/1 nodes are available: 1 Too many pods.',
    ],
    [
      'finished pods do not count',
      asking('p', { cpu: '2' }),
      [{ ...asking('q', { cpu: '2' }), status: { phase: 'Succeeded' } } as Pod],
      undefined,
    ],
    ['node selector', asking('p', {}, { nodeSelector: { zone: 'b' } }), [], elsewhere],
    ['affinity met', asking('p', {}, affinity('In', ['a', 'b'])), [], undefined],
    ['affinity not met', asking('p', {}, affinity('NotIn', ['a'])), [], elsewhere],
    ['affinity by number', asking('p', {}, affinity('Gt', ['4'], 'cores')), [], undefined],
  ])('%s', (_name, candidate, placed, want) => {
    expect(whyUnfit(candidate, node, placed as Pod[])).toBe(want);
  });

  const labelled = (name: string, labels: Record<string, string>, affinity: object = {}): Pod =>
    ({
      metadata: { name, uid: name, namespace: 'ns', labels },
      spec: { containers: [], affinity },
    }) as unknown as Pod;
  const rule = (kind: string, labels: Record<string, string>) => ({
    [kind]: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: labels }, topologyKey: 'kubernetes.io/hostname' },
      ],
    },
  });
  test.each([
    ['alone', rule('podAntiAffinity', { app: 'x' }), [], undefined],
    [
      'beside its like',
      rule('podAntiAffinity', { app: 'x' }),
      [labelled('q', { app: 'x' })],
      "1 node(s) didn't match pod anti-affinity rules",
    ],
    ['beside a stranger', rule('podAntiAffinity', { app: 'x' }), [labelled('q', { app: 'y' })], undefined],
    [
      'beside one that wants to be alone',
      {},
      [labelled('q', { app: 'y' }, rule('podAntiAffinity', { app: 'x' }))],
      "1 node(s) didn't satisfy existing pods anti-affinity rules",
    ],
    [
      'without the one it needs',
      rule('podAffinity', { app: 'db' }),
      [],
      "1 node(s) didn't match pod affinity rules",
    ],
    ['with the one it needs', rule('podAffinity', { app: 'db' }), [labelled('q', { app: 'db' })], undefined],
    ['the first of its group', rule('podAffinity', { app: 'x' }), [], undefined],
  ])('pod rules: %s', (_name, affinity, placed, want) => {
    expect(whyUnfit(labelled('p', { app: 'x' }, affinity), node, placed)).toBe(
      want === undefined ? undefined : `0/1 nodes are available: ${want}.`,
    );
  });

  test('a cordoned node takes nothing', () => {
    expect(whyUnfit(asking('p', {}), { ...node, spec: { unschedulable: true } }, [])).toBe(
      '0/1 nodes are available: 1 node(s) were unschedulable.',
    );
  });

  test('init containers count by their largest, limits stand for requests', () => {
    const pod = {
      metadata: {},
      spec: {
        containers: [
          { name: 'a', image: 'i', resources: { requests: { cpu: '100m' } } },
          { name: 'b', image: 'i', resources: { limits: { cpu: '200m', memory: '1Gi' } } },
        ],
        initContainers: [{ name: 'i', image: 'i', resources: { requests: { cpu: '1' } } }],
      },
    } as unknown as Pod;
    expect(Object.fromEntries(podRequests(pod))).toEqual({ cpu: 1, memory: 2 ** 30 });
  });
});
