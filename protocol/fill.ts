/** Loops that check and copy JSON values into typed arrays, one per datatype: the built-in constructors are 7-9× slower and accept strings and null. */
import type { Datatype, TensorData } from './datatypes.ts';

/** Copies `values` to `target` from `offset` on; returns the index of the first value that is refused, else -1. */
export type Fill = (values: readonly unknown[], target: TensorData, offset: number) => number;

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

type SmallInts =
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>;

/** Built once per datatype, so that each loop sees one kind of array and stays fast. */
const integerFill = (): Fill => (values, target, offset) => {
  const out = target as SmallInts;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i];
    if (typeof value !== 'number') return i;
    out[offset + i] = value;
    if (out[offset + i] !== value) return i;
  }
  return -1;
};

const fillBool: Fill = (values, target, offset) => {
  const out = target as Uint8Array<ArrayBuffer>;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i];
    if (value === true || value === 1) out[offset + i] = 1;
    else if (value === false || value === 0) out[offset + i] = 0;
    else return i;
  }
  return -1;
};

const fillFloat32: Fill = (values, target, offset) => {
  const out = target as Float32Array<ArrayBuffer>;
  for (let i = 0; i < values.length; i += 1) {
    let value = values[i];
    if (typeof value === 'bigint') value = Number(value);
    if (typeof value !== 'number') return i;
    const single = Math.fround(value);
    if (!Number.isFinite(single)) return i;
    out[offset + i] = single;
  }
  return -1;
};

const fillFloat64: Fill = (values, target, offset) => {
  const out = target as Float64Array<ArrayBuffer>;
  for (let i = 0; i < values.length; i += 1) {
    let value = values[i];
    if (typeof value === 'bigint') value = Number(value);
    if (typeof value !== 'number' || !Number.isFinite(value)) return i;
    out[offset + i] = value;
  }
  return -1;
};

const bigFill =
  (min: bigint, max: bigint): Fill =>
  (values, target, offset) => {
    const out = target as BigInt64Array<ArrayBuffer>;
    for (let i = 0; i < values.length; i += 1) {
      const value = values[i];
      let exact: bigint;
      if (typeof value === 'number' && Number.isSafeInteger(value)) exact = BigInt(value);
      else if (typeof value === 'bigint') exact = value;
      else return i;
      if (exact < min || exact > max) return i;
      out[offset + i] = exact;
    }
    return -1;
  };

const fillStrings: Fill = (values, target, offset) => {
  const out = target as string[];
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i];
    if (typeof value !== 'string') return i;
    out[offset + i] = value;
  }
  return -1;
};

const refuse: Fill = () => 0;

export const fills: Record<Datatype, Fill> = {
  BOOL: fillBool,
  UINT8: integerFill(),
  UINT16: integerFill(),
  UINT32: integerFill(),
  UINT64: bigFill(0n, 18_446_744_073_709_551_615n),
  INT8: integerFill(),
  INT16: integerFill(),
  INT32: integerFill(),
  INT64: bigFill(-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n),
  FP16: refuse,
  BF16: refuse,
  FP32: fillFloat32,
  FP64: fillFloat64,
  BYTES: fillStrings,
};
