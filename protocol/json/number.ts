/** Reads numbers from bytes, exactly as `Number` reads their text, mostly without making that text. */
import type { JsonReader } from './reader.ts';

/** Powers of ten that a double holds exactly. */
export const powers = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
const largestExact = 9_007_199_254_740_992;
/** Half the width of the band around an approximation that surely holds the true value: sixteen times what one rounding can lose. */
export const doubt = 2 ** -49;

/** A number's digits and exponent, taken apart. */
interface Scan {
  /** The first nine digits without leading zeros, and the next nine. */
  high: number;
  low: number;
  /** How many digits `low` has. */
  lowDigits: number;
  /** The value is (high·10^lowDigits + low)·10^exponent, and a little more when digits were left out. */
  exponent: number;
  isNegative: boolean;
  /** More than 18 digits: the rest was left out. */
  isCut: boolean;
}

/** There is one, since reading numbers is over before anything else begins. */
const scan: Scan = {
  high: 0,
  low: 0,
  lowDigits: 0,
  exponent: 0,
  isNegative: false,
  isCut: false,
};

/** Takes the number apart that stands at the reader's place into `scan` and goes past it; false when there is none. */
const scanNumber = (reader: JsonReader): boolean => {
  const bytes = reader.bytes;
  let at = reader.at;
  const isNegative = bytes[at] === 45;
  if (isNegative) at += 1;
  let high = 0;
  let low = 0;
  let highDigits = 0;
  let lowDigits = 0;
  let exponent = 0;
  let isCut = false;
  let digit = (bytes[at] ?? 0) - 48;
  if (digit === 0) {
    at += 1;
    digit = (bytes[at] ?? 0) - 48;
    if (digit >>> 0 < 10) return false;
  } else {
    const start = at;
    while (digit >>> 0 < 10) {
      if (highDigits < 9) {
        high = (Math.imul(high, 10) + digit) | 0;
        highDigits += 1;
      } else if (lowDigits < 9) {
        low = (Math.imul(low, 10) + digit) | 0;
        lowDigits += 1;
      } else {
        isCut = true;
        exponent += 1;
      }
      at += 1;
      digit = (bytes[at] ?? 0) - 48;
    }
    if (at === start) return false;
  }
  if (digit === -2) {
    at += 1;
    const start = at;
    digit = (bytes[at] ?? 0) - 48;
    if (high === 0)
      while (digit === 0) {
        at += 1;
        exponent -= 1;
        digit = (bytes[at] ?? 0) - 48;
      }
    const from = at;
    while (digit >>> 0 < 10 && highDigits < 9) {
      high = (Math.imul(high, 10) + digit) | 0;
      highDigits += 1;
      at += 1;
      digit = (bytes[at] ?? 0) - 48;
    }
    while (digit >>> 0 < 10 && lowDigits < 9) {
      low = (Math.imul(low, 10) + digit) | 0;
      lowDigits += 1;
      at += 1;
      digit = (bytes[at] ?? 0) - 48;
    }
    exponent -= at - from;
    while (digit >>> 0 < 10) {
      isCut = true;
      at += 1;
      digit = (bytes[at] ?? 0) - 48;
    }
    if (at === start) return false;
  }
  if (digit === 53 || digit === 21) {
    at += 1;
    const sign = bytes[at];
    if (sign === 43 || sign === 45) at += 1;
    let value = 0;
    const start = at;
    digit = (bytes[at] ?? 0) - 48;
    while (digit >>> 0 < 10) {
      if (value < 100_000) value = value * 10 + digit;
      at += 1;
      digit = (bytes[at] ?? 0) - 48;
    }
    if (at === start) return false;
    exponent += sign === 45 ? -value : value;
  }
  if (at > reader.end) return false;
  reader.at = at;
  scan.high = high;
  scan.low = low;
  scan.lowDigits = lowDigits;
  scan.exponent = exponent;
  scan.isNegative = isNegative;
  scan.isCut = isCut;
  return true;
};

/** The double of the number that was just scanned; `start` is where its text begins. */
const scannedDouble = (reader: JsonReader, start: number): number => {
  const { exponent } = scan;
  if (!scan.isCut && exponent >= -22 && exponent <= 22) {
    const digits = scan.high * (powers[scan.lowDigits] ?? 0) + scan.low;
    // One rounding of exact numbers is what the text's own rounding gives.
    if (digits <= largestExact) {
      const value = exponent < 0 ? digits / (powers[-exponent] ?? 1) : digits * (powers[exponent] ?? 1);
      return scan.isNegative ? -value : value;
    }
    const value = exponent < 0 ? wideQuotient(-exponent) : Number.NaN;
    if (!Number.isNaN(value)) return scan.isNegative ? -value : value;
  }
  return Number(reader.text(start, reader.at));
};

/** The double of the number at the reader's place, past which it goes; NaN when there is none. */
export const scanDouble = (reader: JsonReader): number => {
  const start = reader.at;
  return scanNumber(reader) ? scannedDouble(reader, start) : Number.NaN;
};

/** The number at the reader's place rounded to FP32, as `Math.fround(Number(text))` would; NaN when there is none. */
export const scanFloat = (reader: JsonReader): number => {
  const start = reader.at;
  return scanNumber(reader) ? scannedFloat(reader, start) : Number.NaN;
};

const scannedFloat = (reader: JsonReader, start: number): number => {
  const { exponent } = scan;
  if (exponent >= -44 && exponent <= 22) {
    const digits = scan.high * (powers[scan.lowDigits] ?? 0) + scan.low;
    let value: number;
    if (exponent >= 0) value = digits * (powers[exponent] ?? 1);
    else if (exponent >= -22) value = digits / (powers[-exponent] ?? 1);
    else value = digits / 1e22 / (powers[-exponent - 22] ?? 1);
    if (scan.isNegative) value = -value;
    if (digits <= largestExact && exponent >= -22 && !scan.isCut) return Math.fround(value);
    // Where the whole band of doubt rounds to one FP32, so does the true value, and so does the double between them.
    const rounded = Math.fround(value * (1 + doubt));
    if (Math.fround(value * (1 - doubt)) === rounded) return rounded;
  }
  return Math.fround(Number(reader.text(start, reader.at)));
};

const splitter = 134_217_729;

/**
 * The scanned digits, too many for one double, divided by 10^exponent: with pairs of doubles, whose sum has 106 bits.
 * NaN when it is not certain which double is nearest.
 */
const wideQuotient = (exponent: number): number => {
  const power = powers[scan.lowDigits] ?? 1;
  // high·power exactly: the product and its rounding error, by Dekker's splitting.
  const a = scan.high;
  const product = a * power;
  const error = productError(a, power, product);
  const head = product + scan.low;
  const back = head - product;
  const tail = product - (head - back) + (scan.low - back) + error;
  const divisor = powers[exponent] ?? 1;
  const quotient = head / divisor;
  const multiplied = quotient * divisor;
  const rest = head - multiplied - productError(quotient, divisor, multiplied) + tail;
  const correction = rest / divisor;
  const margin = quotient * 2 ** -98;
  const value = quotient + (correction + margin);
  return value === quotient + (correction - margin) ? value : Number.NaN;
};

/** What rounding lost in `product = a·b`. */
const productError = (a: number, b: number, product: number): number => {
  const scaledA = splitter * a;
  const highA = scaledA - (scaledA - a);
  const lowA = a - highA;
  const scaledB = splitter * b;
  const highB = scaledB - (scaledB - b);
  const lowB = b - highB;
  return lowA * lowB - (product - highA * highB - lowA * highB - highA * lowB);
};
