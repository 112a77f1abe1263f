/** Service times by revision: whose sums count, and what is no measurement. */
import { describe, expect, test } from '@jest/globals';
import { servicesOf, youngService } from './by-revision.ts';
import type { GatewayObservation, PodObservation } from './types.ts';

/** A pod that has served `count` requests of `meanMs` each, all alike. */
const pod = (revision: string, count: number, meanMs: number, squares = count * (meanMs / 1e3) ** 2) =>
  ({
    pod: `${revision}-${count}`,
    revision,
    ready: true,
    reading: {
      report: {
        counters: {
          serviceCount: count,
          serviceSumSeconds: (count * meanMs) / 1e3,
          serviceSumSquares: squares,
        },
      },
    },
  }) as unknown as PodObservation;
const gateway = (...revisions: [revision: string, count: number, meanMs: number][]) =>
  ({
    report: {
      models: [
        {
          revisions: revisions.map(([revision, count, meanMs]) => ({
            revision,
            serviceCount: count,
            serviceSumSeconds: (count * meanMs) / 1e3,
            serviceSumSquares: count * (meanMs / 1e3) ** 2,
          })),
        },
      ],
    },
  }) as unknown as GatewayObservation;

describe('service times by revision', () => {
  test('are the sums of the pods of each', () => {
    expect(servicesOf([pod('b', 100, 30), pod('a', 300, 10), pod('a', 100, 20)], [])).toEqual([
      { revision: 'a', samples: 400, meanSeconds: 0.0125, scv: expect.closeTo(0.12, 6) },
      { revision: 'b', samples: 100, meanSeconds: 0.03, scv: expect.closeTo(0, 6) },
    ]);
  });

  test('are those that gateways saw where pods tell of too few', () => {
    const gateways = [gateway(['a', 500, 11], ['b', 40, 31]), gateway(['b', 60, 31])];
    const of = (...pods: PodObservation[]) =>
      servicesOf(pods, gateways).map(({ revision, samples }) => [revision, samples]);
    expect(of()).toEqual([
      ['a', 500],
      ['b', 100],
    ]);
    expect(of(pod('a', 30, 10), pod('b', 29, 30))).toEqual([
      ['a', 30],
      ['b', 100],
    ]);
  });

  test('are unknown where nothing was measured, or what cannot be', () => {
    expect(servicesOf([{ pod: 'x', revision: 'a', ready: true, reading: 'unknown' }], [])).toEqual([]);
    expect(servicesOf([pod('a', 0, 0), pod('b', 5, Number.NaN), pod('c', 5, -1)], [])).toEqual([]);
    expect(servicesOf([pod('a', 5, Number.POSITIVE_INFINITY)], [])).toEqual([]);
  });
});

test('little that was measured moves a young revision’s time a little, and never below the other’s', () => {
  const other = { meanSeconds: 0.02, scv: 0.3 };
  const young = (count: number, meanSeconds: number) =>
    youngService({ count, estimate: { meanSeconds, scv: 2 } }, other);
  expect(youngService({ count: 0, estimate: 'unknown' }, other)).toEqual(other);
  expect(young(1, 5)).toEqual({ meanSeconds: (5 + 30 * 0.02) / 31, scv: 0.3 });
  expect(young(29, 0.001)).toEqual(other);
  expect(young(30, 0.001)).toEqual({ meanSeconds: 0.001, scv: 2 });
});
