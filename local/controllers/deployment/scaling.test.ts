import { describe, expect, test } from '@jest/globals';
import type { Deployment, ReplicaSet } from '../../../kube/objects.ts';
import { countOf, fenceOf } from './int-or-percent.ts';
import { newReplicaSetSize, proportionalSizes, shrinkOld } from './scaling.ts';

const deployment = (
  replicas: number,
  maxSurge: number | string,
  maxUnavailable: number | string,
  type = 'RollingUpdate',
) =>
  ({
    metadata: { name: 'd' },
    spec: {
      replicas,
      selector: {},
      template: {},
      strategy: { type, rollingUpdate: { maxSurge, maxUnavailable } },
    },
  }) as unknown as Deployment;

const set = (name: string, replicas: number, available = replicas, annotations = {}) =>
  ({
    metadata: { name, creationTimestamp: `2026-01-01T00:00:0${name.slice(-1)}Z`, annotations },
    spec: { replicas, selector: {} },
    status: { replicas, availableReplicas: available },
  }) as unknown as ReplicaSet;

describe('bounds of a rolling update', () => {
  test.each([
    // surge, unavailable, replicas → surge, unavailable
    ['25%', '25%', 4, 1, 1],
    ['25%', '25%', 1, 1, 0],
    ['25%', '25%', 10, 3, 2],
    ['30%', '30%', 7, 3, 2],
    [0, 0, 5, 0, 1],
    ['0%', '10%', 5, 0, 1],
    [2, 9, 5, 2, 5],
  ] as const)(
    'surge %p, unavailable %p of %i: %i and %i',
    (surge, unavailable, replicas, wantSurge, wantAway) => {
      expect(fenceOf({ maxSurge: surge, maxUnavailable: unavailable }, replicas)).toEqual({
        surge: wantSurge,
        unavailable: wantAway,
      });
    },
  );

  test('a text that is no percentage is refused', () => {
    expect(() => countOf('1.5%', 10, 'up')).toThrow('neither a whole number nor a percentage');
  });
});

describe('size of the newest ReplicaSet', () => {
  test.each([
    // replicas, surge, unavailable, new, old → size
    ['surge allows two more', 10, 2, 2, 5, 5, 7],
    ['no room', 10, 0, 2, 5, 5, 5],
    ['never beyond the wanted count', 10, 10, 0, 8, 10, 10],
    ['down to the wanted count at once', 3, 1, 1, 6, 0, 3],
    ['from nothing', 4, '25%', '25%', 0, 4, 1],
  ] as const)('%s', (_name, replicas, surge, unavailable, now, old, want) => {
    const newest = set('n2', now);
    expect(
      newReplicaSetSize(deployment(replicas, surge, unavailable), newest, [set('o1', old), newest]),
    ).toBe(want);
  });

  test('Recreate takes all at once', () => {
    expect(newReplicaSetSize(deployment(5, 0, 0, 'Recreate'), undefined, [])).toBe(5);
  });
});

describe('shrinking the old', () => {
  const shrunk = (d: Deployment, newest: ReplicaSet, old: ReplicaSet[]) =>
    Object.fromEntries(shrinkOld(d, newest, old).map(({ replicaSet, to }) => [replicaSet.metadata.name, to]));

  test('nothing while the new pods are not available', () => {
    expect(shrunk(deployment(10, 2, 0), set('n2', 2, 0), [set('o1', 10)])).toEqual({});
  });
  test('as many as the new ones made spare', () => {
    expect(shrunk(deployment(10, 2, 0), set('n2', 2, 2), [set('o1', 10)])).toEqual({ o1: 8 });
  });
  test('unavailability is used at once', () => {
    expect(shrunk(deployment(10, 0, 2), set('n2', 0), [set('o1', 10)])).toEqual({ o1: 8 });
  });
  test('broken old pods go first, in the oldest set first', () => {
    expect(shrunk(deployment(10, 0, 2), set('n3', 0), [set('o2', 5, 5), set('o1', 5, 2)])).toEqual({ o1: 3 });
  });
  test('a broken new set takes no available old pod away', () => {
    expect(shrunk(deployment(4, 1, 0), set('n2', 1, 0), [set('o1', 4)])).toEqual({});
  });
});

describe('proportional scaling', () => {
  const annotated = {
    'deployment.kubernetes.io/desired-replicas': '10',
    'deployment.kubernetes.io/max-replicas': '13',
  };
  test('10 to 15 with surge 3 and sizes 8 and 5 gives 11 and 7', () => {
    const sizes = proportionalSizes(deployment(15, 3, 2), set('n2', 5, 2, annotated), [
      set('o1', 8, 8, annotated),
    ]);
    expect(Object.fromEntries(sizes.map(({ replicaSet, to }) => [replicaSet.metadata.name, to]))).toEqual({
      o1: 11,
      n2: 7,
    });
  });
  test('a single active set takes the whole count', () => {
    expect(proportionalSizes(deployment(7, 1, 1), set('n2', 3), [set('o1', 0)])).toMatchObject([{ to: 7 }]);
  });
  test('zero takes all away', () => {
    const sizes = proportionalSizes(deployment(0, 3, 2), set('n2', 5, 2, annotated), [
      set('o1', 8, 8, annotated),
    ]);
    expect(sizes.map(({ to }) => to)).toEqual([0, 0]);
  });
});
