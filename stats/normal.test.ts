import { describe, expect, test } from '@jest/globals';
import { normalQuantile } from './normal.ts';

describe('normalQuantile', () => {
  test.each([
    [0.5, 0],
    [0.975, 1.959963985],
    [0.99, 2.326347874],
    [0.999, 3.090232306],
    [0.001, -3.090232306],
    [0.25, -0.67448975],
  ])('of %d is %d', (probability, expected) => {
    expect(normalQuantile(probability)).toBeCloseTo(expected, 6);
  });

  test('refuses what is no probability', () => {
    expect(() => normalQuantile(1)).toThrow('not 1');
    expect(() => normalQuantile(Number.NaN)).toThrow('not NaN');
  });
});
