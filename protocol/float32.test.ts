import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { shortestFloat32 } from './float32.ts';

/** The shortest by trying every length. */
const bruteForce = (value: number): number => {
  for (let digits = 1; digits <= 9; digits += 1) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
};
const digitsOf = (value: number) => value.toExponential().replace(/e.*$/, '').replace(/[-.]/g, '').length;

test.each([
  [0.1, 0.1],
  [1 / 3, 0.33333334],
  [16_777_216, 16_777_216],
  [-2.5, -2.5],
  [3.4028234663852886e38, 3.4028235e38],
  [1.401298464324817e-45, 1e-45],
  [1e-7, 1e-7],
  [123_456_789, 123_456_790],
  [0, 0],
])('%d is printed as %d', (value, want) => {
  expect(shortestFloat32(Math.fround(value))).toBe(want);
});

test('every FP32 comes back, and is written with as few digits as trying finds', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const printed = shortestFloat32(value);
      expect(Math.fround(printed) === value).toBe(true);
      if (Math.abs(value) >= 16_777_216 || !Number.isInteger(value))
        expect(digitsOf(printed)).toBeLessThanOrEqual(digitsOf(bruteForce(value)));
    }),
    { numRuns: 5000 },
  );
});
