import { expect, test } from '@jest/globals';
import { ByteBudget } from './bytes.ts';

test('a model keeps at most its share, and what it leaves is there for the others', () => {
  const budget = new ByteBudget(100, 50);
  const flood = budget.share();
  const other = budget.share();
  expect(flood.take(40)).toBe(true);
  expect(flood.take(20)).toBe(false);
  expect(other.take(50)).toBe(true);
  expect(other.take(1)).toBe(false);
  flood.give(40);
  expect(budget.held).toBe(50);
  expect(flood.take(30)).toBe(true);
});

test('a model that keeps nothing may keep one request, however full it is', () => {
  const budget = new ByteBudget(100, 100);
  const flood = budget.share();
  const other = budget.share();
  flood.take(100);
  expect(other.take(70)).toBe(true);
  expect(other.take(1)).toBe(false);
});
