import { expect, test } from '@jest/globals';
import { Standing } from './standing.ts';

test('what wakes the loop did not stand; what is read after it in the same turn stood as long as that took', () => {
  const standing = new Standing();
  expect(standing.read(100)).toBe(0);
  expect(standing.isTurn).toBe(true);
  expect(standing.read(103)).toBe(3);
  standing.ended(104);
  expect(standing.isTurn).toBe(false);
  // Asleep for 6 ms.
  expect(standing.read(110)).toBe(0);
});

test('what came while a turn was busy is taken to have come in the middle of it', () => {
  const standing = new Standing();
  standing.read(100);
  standing.ended(120);
  expect(standing.read(120.1)).toBeCloseTo(10.1);
  expect(standing.read(130)).toBeCloseTo(20);
  standing.ended(140.1);
  expect(standing.read(140.2)).toBeCloseTo(10.1);
});

test('a turn in which nothing was read does not count', () => {
  const standing = new Standing();
  standing.ended(50);
  expect(standing.read(50.1)).toBeCloseTo(0.1);
});
