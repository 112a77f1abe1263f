import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { revisionByHeader, WeightedSplit } from './split.ts';

const all = () => true;
const split = (...weights: number[]) => {
  const one = new WeightedSplit();
  one.set(weights.map((weight, index) => ({ revision: `r${index}`, weight })));
  return one;
};
const counted = (one: WeightedSplit, requests: number, mayServe = all as (revision: string) => boolean) => {
  const counts: Record<string, number> = {};
  for (let i = 0; i < requests; i += 1) {
    const revision = one.next(mayServe) ?? 'none';
    counts[revision] = (counts[revision] ?? 0) + 1;
  }
  return counts;
};

describe('WeightedSplit', () => {
  test.each([
    ['99 to 1', [99, 1], 1_000, { r0: 990, r1: 10 }],
    ['weights of 10,000', [9_999, 1], 10_000, { r0: 9_999, r1: 1 }],
    ['three revisions', [50, 30, 20], 100, { r0: 50, r1: 30, r2: 20 }],
    ['a weight of 0 gets none', [1, 0], 50, { r0: 50 }],
    ['no weights at all', [0, 0], 3, { none: 3 }],
  ])('is exact: %s', (_name, weights, requests, wanted) => {
    expect(counted(split(...weights), requests)).toEqual(wanted);
  });

  test('is never off by as much as one request and a half, at no time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 300 }),
        (weights, requests) => {
          const sum = weights.reduce((a, b) => a + b, 0);
          fc.pre(sum > 0);
          const counts = counted(split(...weights), requests);
          for (const [index, weight] of weights.entries())
            expect(Math.abs((counts[`r${index}`] ?? 0) - (requests * weight) / sum)).toBeLessThan(1.5);
        },
      ),
    );
  });

  test('one hundredth comes as every hundredth request, not in a row', () => {
    const one = split(99, 1);
    const places: number[] = [];
    for (let i = 0; i < 300; i += 1) if (one.next(all) === 'r1') places.push(i);
    expect(places).toHaveLength(3);
    expect(places.map((place, i) => place - (places[i - 1] ?? place - 100))).toEqual([100, 100, 100]);
  });

  test('what may not serve is passed over, and its share goes to the others', () => {
    expect(counted(split(50, 30, 20), 50, (revision) => revision !== 'r0')).toEqual({ r1: 30, r2: 20 });
  });

  test('new weights count from the next request on', () => {
    const one = split(100, 0);
    counted(one, 10);
    one.set([
      { revision: 'r0', weight: 90 },
      { revision: 'r1', weight: 10 },
    ]);
    expect(counted(one, 100)).toEqual({ r0: 90, r1: 10 });
  });
});

test('a header asks for a revision by its exact value', () => {
  const rules = [{ name: 'X-Canary', value: 'yes', revision: 'b' }];
  expect(revisionByHeader(rules, { 'x-canary': 'yes' })).toBe('b');
  expect(revisionByHeader(rules, { 'x-canary': 'no' })).toBeUndefined();
  expect(revisionByHeader(rules, { 'x-canary': ['yes', 'yes'] })).toBeUndefined();
  expect(revisionByHeader(rules, {})).toBeUndefined();
});
