/** Whose a namespace is, for each thing that the Lease may say. */
import { describe, expect, test } from '@jest/globals';
import type { Lease } from '../../kube/objects.ts';
import { type ClaimMove, claimRecord, claimTimes, decideClaim, seen } from './decide.ts';

const lease = (holderIdentity: string | undefined, seconds?: number, version = '1'): Lease => ({
  metadata: { name: 'ballast-claim', namespace: 'a', uid: 'u', resourceVersion: version },
  spec: {
    ...(holderIdentity === undefined ? {} : { holderIdentity }),
    ...(seconds === undefined ? {} : { leaseDurationSeconds: seconds }),
    // Times inside are for people: the decision must not look at them.
    renewTime: '1999-01-01T00:00:00.000000Z',
  },
});
const view = (of: Lease | undefined, sinceMs: number) => ({ lease: of, sinceMs, readAtMs: 1_000_000 });

describe('the move of "ours/x" at 1,000 s', () => {
  test.each<[string, Lease | undefined, number, ClaimMove]>([
    ['nothing is there', undefined, 999_000, { do: 'create' }],
    ['it is ours', lease('ours/x', 120), 0, { do: 'write' }],
    ['nobody holds it', lease('', 120), 999_000, { do: 'write' }],
    ['it names no holder', lease(undefined), 999_000, { do: 'write' }],
    ['another holds it', lease('b/y', 120), 990_000, { do: 'wait', holder: 'b/y', leftMs: 110_000 }],
    [
      'a millisecond before it runs out',
      lease('b/y', 120),
      880_001,
      { do: 'wait', holder: 'b/y', leftMs: 1 },
    ],
    ['it ran out', lease('b/y', 120), 880_000, { do: 'write' }],
    ['a record without a duration', lease('b/y'), 900_000, { do: 'wait', holder: 'b/y', leftMs: 20_000 }],
    ['a duration of a year counts as 10 minutes', lease('b/y', 31_536_000), 400_000, { do: 'write' }],
  ])('%s', (_, of, sinceMs, move) => {
    expect(decideClaim('ours/x', view(of, sinceMs), 1_000_000)).toEqual(move);
  });
});

describe('what a look tells', () => {
  test('an unchanged record ages, a changed one is young again', () => {
    const first = seen(undefined, lease('b/y', 120), 0);
    const second = seen(first, lease('b/y', 120), 10_000);
    expect(second).toMatchObject({ sinceMs: 0, readAtMs: 10_000 });
    expect(seen(second, lease('b/y', 120, '2'), 20_000)).toMatchObject({ sinceMs: 20_000 });
  });

  test('over an outage nothing ages: who could not renew has lost nothing', () => {
    const first = seen(undefined, lease('b/y', 120), 0);
    expect(seen(first, lease('b/y', 120), 30_000)).toMatchObject({ sinceMs: 0 });
    expect(seen(first, lease('b/y', 120), 30_001)).toMatchObject({ sinceMs: 30_001 });
  });
});

test('a holder stops before another may begin, and may miss a renewal', () => {
  expect(claimTimes.holdsForMs).toBeLessThan(claimTimes.durationMs);
  expect(claimTimes.holdsForMs).toBeGreaterThan(2 * claimTimes.renewEveryMs);
});

test('the record counts changes of the holder and keeps the time at which ours came', () => {
  const first = claimRecord('a/x', undefined, Date.UTC(2026, 0, 1));
  expect(first).toEqual({
    holderIdentity: 'a/x',
    leaseDurationSeconds: 120,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:00:00.000000Z',
    leaseTransitions: 0,
  });
  const renewed = claimRecord('a/x', first, Date.UTC(2026, 0, 2));
  expect(renewed).toMatchObject({ acquireTime: first.acquireTime, leaseTransitions: 0 });
  const taken = claimRecord('b/y', renewed, Date.UTC(2026, 0, 3));
  expect(taken).toMatchObject({ acquireTime: '2026-01-03T00:00:00.000000Z', leaseTransitions: 1 });
});
