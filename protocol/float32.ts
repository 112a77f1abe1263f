/** Prints FP32 as briefly as its 24 bits need: `0.1`, not `0.10000000149011612`. */

const powers: number[] = [];
for (let exponent = 0; exponent <= 22; exponent += 1) powers.push(Number(`1e${exponent}`));

/** The double with the shortest decimal form that still rounds to the same FP32 value. */
export const shortestFloat32 = (value: number): number => {
  if (Number.isInteger(value) && value > -16_777_216 && value < 16_777_216) return value;
  const size = Math.abs(value);
  if (size >= 1e-8 && size < 1e15) {
    // Scaled so that nine digits stand before the point: 10^exponent is exact up to 10^22 and the quotient is rounded once.
    const exponent = 8 - Math.floor(Math.log10(size));
    const power = powers[Math.abs(exponent)] ?? Number.NaN;
    const scaled = exponent >= 0 ? value * power : value / power;
    for (let step = 1e4; step >= 1; step /= 10) {
      const digits = Math.round(scaled / step) * step;
      const candidate = exponent >= 0 ? digits / power : digits * power;
      if (Math.fround(candidate) === value) return candidate;
    }
  }
  for (let digits = 1; digits <= 9; digits += 1) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
};
