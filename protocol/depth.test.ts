import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isDeeperThan } from './depth.ts';

/** The truth, by walking what was parsed. */
const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

test('agrees with a walk over the parsed value, brackets in strings and escapes included', () => {
  const text = fc.json({ maxDepth: 6, stringUnit: fc.constantFrom('[', '{', ']', '}', '"', '\\', 'a') });
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 6 }), (json, limit) => {
      expect(isDeeperThan(json, limit)).toBe(depthOf(JSON.parse(json)) > limit);
    }),
    { numRuns: 1000 },
  );
});

describe('text that is no JSON ends all the same', () => {
  test.each([
    ['"', false],
    ['[["\\', false],
    [']]]][[', false],
    ['[[[[', true],
    ['"[[[[', false],
  ])('%s', (text, want) => expect(isDeeperThan(text, 3)).toBe(want));
});
