/** Reads elements of a tensor from the bytes of its JSON straight into their typed array, one loop per kind of datatype. */
import type { Datatype } from '../datatypes.ts';
import { readFloats } from './float-reader.ts';
import { scanDouble } from './number.ts';
import { codes, type JsonReader, type ReadElements, separatorMissing, toElement } from './reader.ts';

/** What an element of each datatype must be, for error messages. */
export const wanted: Record<Datatype, string> = {
  BOOL: 'true or false (or 1 or 0)',
  UINT8: 'a UINT8: a whole number from 0 to 255',
  UINT16: 'a UINT16: a whole number from 0 to 65535',
  UINT32: 'a UINT32: a whole number from 0 to 4294967295',
  UINT64: 'a UINT64: a whole number from 0 to 18446744073709551615, in plain digits',
  INT8: 'an INT8: a whole number from -128 to 127',
  INT16: 'an INT16: a whole number from -32768 to 32767',
  INT32: 'an INT32: a whole number from -2147483648 to 2147483647',
  INT64: 'an INT64: a whole number from -9223372036854775808 to 9223372036854775807, in plain digits',
  FP16: 'a binary tensor',
  BF16: 'a binary tensor',
  FP32: 'an FP32: a number within ±3.4028235e38',
  FP64: 'an FP64: a number within ±1.7976931348623157e308',
  BYTES: 'a string',
};

const readDoubles: ReadElements = (reader, target, offset, count) => {
  const out = target as Float64Array;
  for (let i = 0; i < count; i += 1) {
    if (!toElement(reader, i)) return separatorMissing;
    const start = reader.at;
    const value = scanDouble(reader);
    if (value - value !== 0) {
      reader.at = start;
      return offset + i;
    }
    out[offset + i] = value;
  }
  return -1;
};

/** A whole number of at most nine digits without asking further, else what `scanDouble` says. */
const smallInteger = (reader: JsonReader): number => {
  const bytes = reader.bytes;
  let at = reader.at;
  const isNegative = bytes[at] === codes.minus;
  if (isNegative) at += 1;
  const from = at;
  let value = 0;
  let digit = (bytes[at] ?? 0) - 48;
  while (digit >>> 0 < 10 && at - from < 9) {
    value = Math.imul(value, 10) + digit;
    at += 1;
    digit = (bytes[at] ?? 0) - 48;
  }
  const length = at - from;
  const isPlain = digit !== -2 && digit !== 53 && digit !== 21 && !(digit >>> 0 < 10);
  if (!isPlain || length === 0 || (length > 1 && bytes[from] === codes.zero)) return scanDouble(reader);
  reader.at = at;
  return isNegative ? -value : value;
};

/** Built once per datatype, so that each loop sees one kind of array and stays fast. */
const integerReader = (): ReadElements => (reader, target, offset, count) => {
  const out = target as Int32Array;
  for (let i = 0; i < count; i += 1) {
    if (!toElement(reader, i)) return separatorMissing;
    const start = reader.at;
    const value = smallInteger(reader);
    out[offset + i] = value;
    if (out[offset + i] !== value) {
      reader.at = start;
      return offset + i;
    }
  }
  return -1;
};

const plainDigits = /^-?\d{1,25}$/;

const bigReader =
  (min: bigint, max: bigint): ReadElements =>
  (reader, target, offset, count) => {
    const out = target as BigInt64Array;
    for (let i = 0; i < count; i += 1) {
      if (!toElement(reader, i)) return separatorMissing;
      const start = reader.at;
      const value = smallInteger(reader);
      let exact: bigint | undefined;
      if (Number.isSafeInteger(value)) exact = BigInt(value);
      else {
        const text = reader.text(start, reader.at);
        if (plainDigits.test(text)) exact = BigInt(text);
      }
      if (exact === undefined || exact < min || exact > max) {
        reader.at = start;
        return offset + i;
      }
      out[offset + i] = exact;
    }
    return -1;
  };

const readBools: ReadElements = (reader, target, offset, count) => {
  const out = target as Uint8Array;
  for (let i = 0; i < count; i += 1) {
    if (!toElement(reader, i)) return separatorMissing;
    const start = reader.at;
    if (reader.skipText('true')) out[offset + i] = 1;
    else if (reader.skipText('false')) out[offset + i] = 0;
    else {
      const value = scanDouble(reader);
      if (value !== 0 && value !== 1) {
        reader.at = start;
        return offset + i;
      }
      out[offset + i] = value;
    }
  }
  return -1;
};

const readStrings: ReadElements = (reader, target, offset, count) => {
  const out = target as string[];
  for (let i = 0; i < count; i += 1) {
    if (!toElement(reader, i)) return separatorMissing;
    if (reader.next() !== codes.quote) return offset + i;
    out[offset + i] = reader.string();
  }
  return -1;
};

const refuse: ReadElements = (_reader, _target, offset) => offset;

export const readers: Record<Datatype, ReadElements> = {
  BOOL: readBools,
  UINT8: integerReader(),
  UINT16: integerReader(),
  UINT32: integerReader(),
  UINT64: bigReader(0n, 18_446_744_073_709_551_615n),
  INT8: integerReader(),
  INT16: integerReader(),
  INT32: integerReader(),
  INT64: bigReader(-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n),
  FP16: refuse,
  BF16: refuse,
  FP32: readFloats,
  FP64: readDoubles,
  BYTES: readStrings,
};
