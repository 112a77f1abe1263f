/** Decimal numbers of the contract, exactly: 64-bit integers do not fit into a JavaScript number. */
import { decimalPattern } from '../../crds/values.ts';

/** `digits · 10^exponent`. */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

const form = new RegExp(decimalPattern);

/** Reads a decimal; undefined when the text is none. */
export const parseDecimal = (text: string): Decimal | undefined => {
  if (!form.test(text)) return undefined;
  const [mantissa = '', power = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
};

/** a + b. */
export const addDecimals = (a: Decimal, b: Decimal): Decimal => {
  const exponent = Math.min(a.exponent, b.exponent);
  const scaled = (one: Decimal) => one.digits * 10n ** BigInt(one.exponent - exponent);
  return { digits: scaled(a) + scaled(b), exponent };
};

/** a − b. */
export const subtractDecimals = (a: Decimal, b: Decimal): Decimal =>
  addDecimals(a, { digits: -b.digits, exponent: b.exponent });

/** Below zero when a < b, above when a > b. */
export const compareDecimals = (a: Decimal, b: Decimal): number => {
  const { digits } = subtractDecimals(a, b);
  return digits < 0n ? -1 : digits > 0n ? 1 : 0;
};

const floorDivide = (value: bigint, by: bigint): bigint => {
  const quotient = value / by;
  return value < 0n && quotient * by !== value ? quotient - 1n : quotient;
};

/** The largest whole number that is not above the decimal. */
export const floorOf = ({ digits, exponent }: Decimal): bigint =>
  exponent >= 0 ? digits * 10n ** BigInt(exponent) : floorDivide(digits, 10n ** BigInt(-exponent));

/** The smallest whole number that is not below the decimal. */
export const ceilingOf = ({ digits, exponent }: Decimal): bigint => -floorOf({ digits: -digits, exponent });

/** The decimal as a whole number; undefined when it is none. */
export const wholeOf = (decimal: Decimal): bigint | undefined => {
  const floor = floorOf(decimal);
  return floor === ceilingOf(decimal) ? floor : undefined;
};
