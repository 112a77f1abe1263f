/** The loop that most requests spend their time in: FP32 elements from the bytes of their JSON, four digits at a time. */
import { doubt, powers, scanFloat } from './number.ts';
import { codes, type ReadElements, separatorMissing } from './reader.ts';

const above = 1 + doubt;
const below = 1 - doubt;

/** The value of four ASCII digits in one little-endian word, or -1 when one of them is no digit. */
const fourDigits = (word: number): number => {
  if ((word & 0xf0f0f0f0) !== 0x30303030 || ((word + 0x06060606) & 0xf0f0f0f0) !== 0x30303030) return -1;
  const digits = word - 0x30303030;
  const pairs = (Math.imul(digits, 10) + (digits >>> 8)) & 0xff00ff;
  return (Math.imul(pairs, 100) + (pairs >>> 16)) & 0xffff;
};

/** Reads FP32 elements; numbers with an exponent, or with more than 18 digits, go the general way. */
export const readFloats: ReadElements = (reader, target, offset, count) => {
  const out = target as Float32Array;
  const bytes = reader.bytes;
  const view = reader.view;
  // Up to here sixteen more bytes can be loaded.
  const last = bytes.length - 20;
  let at = reader.at;
  for (let i = 0; i < count; i += 1) {
    // Most often nothing stands between number, comma and number, or one blank behind the comma.
    if (i > 0 && bytes[at] === codes.comma) {
      at += 1;
      if (bytes[at] === codes.blank) at += 1;
    } else if (i > 0) {
      reader.at = at;
      if (reader.next() !== codes.comma) return separatorMissing;
      at = reader.at + 1;
    }
    if ((bytes[at] ?? 0) <= codes.blank) {
      reader.at = at;
      reader.next();
      at = reader.at;
    }
    const start = at;
    // 1 for a minus, else 0. Signs come as if by chance: a branch on them would be predicted wrongly half the time.
    const minus = (((bytes[at] ?? 0) ^ codes.minus) - 1) >>> 31;
    at += minus;
    const from = at;
    let high = 0;
    let low = 0;
    let lowDigits = 0;
    let decimals = 0;
    let digit = (bytes[at] ?? 0) - 48;
    while (digit >>> 0 < 10 && at - from < 9) {
      high = Math.imul(high, 10) + digit;
      at += 1;
      digit = (bytes[at] ?? 0) - 48;
    }
    const whole = at - from;
    let isRegular = whole > 0 && (whole === 1 || bytes[from] !== codes.zero);
    if (digit === -2) {
      at += 1;
      const point = at;
      if (high < 10 && at <= last) {
        let four = fourDigits(view.getInt32(at, true));
        if (four >= 0) {
          high = Math.imul(high, 10_000) + four;
          at += 4;
          four = fourDigits(view.getInt32(at, true));
          if (four >= 0) {
            high = Math.imul(high, 10_000) + four;
            at += 4;
            four = fourDigits(view.getInt32(at, true));
            if (four >= 0) {
              low = four;
              lowDigits = 4;
              at += 4;
              four = fourDigits(view.getInt32(at, true));
              if (four >= 0) {
                low = Math.imul(low, 10_000) + four;
                lowDigits = 8;
                at += 4;
              }
            }
          }
        }
      }
      digit = (bytes[at] ?? 0) - 48;
      while (digit >>> 0 < 10 && lowDigits < 9) {
        if (lowDigits === 0 && high < 100_000_000) high = Math.imul(high, 10) + digit;
        else {
          low = Math.imul(low, 10) + digit;
          lowDigits += 1;
        }
        at += 1;
        digit = (bytes[at] ?? 0) - 48;
      }
      decimals = at - point;
      isRegular = isRegular && decimals > 0 && decimals <= 22;
    }
    let value = Number.NaN;
    // No digit, no 'e' and no 'E' may follow.
    if (isRegular && !(digit >>> 0 < 10) && digit !== 53 && digit !== 21) {
      if (lowDigits === 0) value = Math.fround(high / (powers[decimals] ?? 1));
      else {
        const size = (high * (powers[lowDigits] ?? 1) + low) / (powers[decimals] ?? 1);
        // Where the whole band of doubt rounds to one FP32, so does the true value.
        const rounded = Math.fround(size * above);
        if (Math.fround(size * below) === rounded) value = rounded;
      }
    }
    if (!Number.isNaN(value)) {
      out[offset + i] = value * (1 - 2 * minus);
      continue;
    }
    reader.at = start;
    value = scanFloat(reader);
    at = reader.at;
    if (value - value !== 0) {
      reader.at = start;
      return offset + i;
    }
    out[offset + i] = value;
  }
  reader.at = at;
  return -1;
};
