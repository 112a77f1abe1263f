import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { settle } from './settle.ts';

const isFrozenWhole = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (Object.isFrozen(value) && Object.values(value).every(isFrozenWhole));

describe('settle', () => {
  test('changes nothing that a reader sees, whatever was there before, and freezes it whole', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (text, other) => {
        const settled = settle(JSON.parse(text), settle(JSON.parse(other)));
        expect(settled).toEqual(JSON.parse(text));
        expect(isFrozenWhole(settled)).toBe(true);
      }),
    );
  });

  test('a part that did not change stays the same object', () => {
    const make = (replicas: number, env = 'a') => ({
      metadata: { labels: { app: 'wine' } },
      spec: { replicas, template: { containers: [{ name: 'serve', env: [env, 'b'] }] } },
    });
    const first = settle(make(1));
    const second = settle(make(2), first);
    expect(second).not.toBe(first);
    expect(second.metadata).toBe(first.metadata);
    expect(second.spec).not.toBe(first.spec);
    expect(second.spec.template).toBe(first.spec.template);
    const third = settle(make(2, 'c'), second);
    expect(third.spec.template).not.toBe(second.spec.template);
    expect(settle(make(2, 'c'), third)).toBe(third);
  });

  test.each<[string, unknown, unknown]>([
    ['a field that went', { a: 1 }, { a: 1, b: 2 }],
    ['a field that came', { a: 1, b: 2 }, { a: 1 }],
    ['a field of the same count and another name', { a: 1, b: 2 }, { a: 1, c: 2 }],
    ['a list that became shorter', [1], [1, 2]],
    ['a list where an object was', [], {}],
    ['an object where a list was', {}, []],
    ['undefined where nothing was', { a: undefined }, {}],
    ['another order', [1, 2], [2, 1]],
  ])('%s is a change', (_, value, before) => {
    const old = settle(before);
    const settled = settle(value, old);
    expect(settled).not.toBe(old);
    expect(settled).toEqual(value);
    expect(Array.isArray(settled)).toBe(Array.isArray(value));
  });
});
