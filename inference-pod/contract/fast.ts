/**
 * The loops that every request passes: they only tell whether all is well, over typed arrays, without a call or an
 * allocation per element. Comparisons are written so that NaN fails them.
 */
import type { TensorData } from '../../protocol/datatypes.ts';
import { codePoints } from './judge.ts';
import { halfTable } from './numbers.ts';
import type { Rule, SumRule, Table } from './types.ts';

/** Bounds of a tensor's columns, all rules together: the narrowest of each. */
export interface Bounds {
  /** Columns from the first on that have bounds of their own; `rest` holds for all beyond. */
  readonly length: number;
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** 1 where NaN passes. */
  readonly nan: Uint8Array;
  readonly restMin: number;
  readonly restMax: number;
  readonly restNaN: boolean;
  /** False when no column beyond `length` has a bound. */
  readonly hasRest: boolean;
}

type Numbers =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array;

type Hold = (data: Numbers, rows: number, width: number, bounds: Bounds) => boolean;

/** Made once per datatype, so that each loop sees one kind of array and stays fast. */
const boundsLoop = (): Hold => (data, rows, width, bounds) => {
  const { min, max, nan, restMin, restMax, restNaN } = bounds;
  const length = Math.min(bounds.length, width);
  if (length === 0) {
    const end = rows * width;
    for (let i = 0; i < end; i += 1) {
      const value = data[i] as number;
      if (!(value >= restMin && value <= restMax) && !(restNaN && Number.isNaN(value))) return false;
    }
    return true;
  }
  const end = bounds.hasRest ? width : length;
  for (let row = 0; row < rows; row += 1) {
    const start = row * width;
    for (let column = 0; column < length; column += 1) {
      const value = data[start + column] as number;
      if (!(value >= (min[column] as number) && value <= (max[column] as number)))
        if (nan[column] === 0 || !Number.isNaN(value)) return false;
    }
    for (let column = length; column < end; column += 1) {
      const value = data[start + column] as number;
      if (!(value >= restMin && value <= restMax) && !(restNaN && Number.isNaN(value))) return false;
    }
  }
  return true;
};

const loops = {
  FP32: boundsLoop(),
  FP64: boundsLoop(),
  INT8: boundsLoop(),
  INT16: boundsLoop(),
  INT32: boundsLoop(),
  UINT8: boundsLoop(),
  UINT16: boundsLoop(),
  UINT32: boundsLoop(),
} as const;

const isLooped = (datatype: string): datatype is keyof typeof loops => Object.hasOwn(loops, datatype);

/** True when every element lies within the bounds. 64-bit integers and FP16 are read as numbers into `wide` first. */
export const boundsHold = (datatype: string, table: Table, bounds: Bounds): boolean => {
  const { rows, width } = table;
  if (isLooped(datatype)) return loops[datatype](table.data as Numbers, rows, width, bounds);
  return loops.FP64(widened(datatype, table.data, rows * width), rows, width, bounds);
};

const two32 = 4_294_967_296;

/**
 * The elements as doubles. A 64-bit integer is rounded once, which keeps every comparison with a bound of at most 2^53
 * right; larger bounds are judged exactly, see `compile.ts`.
 */
const widened = (datatype: string, data: TensorData, count: number): Float64Array => {
  const wide = new Float64Array(count);
  if (datatype === 'FP16') {
    const halves = halfTable();
    const bits = data as Uint16Array;
    for (let i = 0; i < count; i += 1) wide[i] = halves[bits[i] as number] as number;
    return wide;
  }
  const { buffer, byteOffset } = data as BigInt64Array;
  const low = new Uint32Array(buffer, byteOffset, count * 2);
  const high = datatype === 'UINT64' ? low : new Int32Array(buffer, byteOffset, count * 2);
  for (let i = 0; i < count; i += 1) wide[i] = (high[i * 2 + 1] as number) * two32 + (low[i * 2] as number);
  return wide;
};

/** True when the columns of every row sum to what they should; false too where only an exact look can tell. */
export const sumsHold = (rule: Rule, table: Table): boolean => {
  const { sum, columns, spec } = rule;
  if (sum === undefined) return true;
  const { rows, width } = table;
  const data = isLooped(spec.datatype)
    ? (table.data as Numbers)
    : widened(spec.datatype, table.data, rows * width);
  if (sum.whole !== undefined) return wholeSumsHold(data, rows, width, columns, sum.whole);
  const { wanted, tolerance } = sum;
  const count = columns?.length ?? width;
  for (let row = 0; row < rows; row += 1) {
    const start = row * width;
    let total = 0;
    if (columns === undefined) for (let i = 0; i < count; i += 1) total += data[start + i] as number;
    else for (let i = 0; i < count; i += 1) total += data[start + (columns[i] as number)] as number;
    if (!(Math.abs(total - wanted) <= tolerance)) return false;
  }
  return true;
};

/**
 * Whole numbers whose sizes sum to less than 2^53 were added without rounding, in whatever order; any larger row is left
 * to `judge.ts`, which adds bigints.
 */
const wholeSumsHold = (
  data: Numbers,
  rows: number,
  width: number,
  columns: Int32Array | undefined,
  whole: SumRule['whole'] & {},
): boolean => {
  const min = Number(whole.min);
  const max = Number(whole.max);
  const count = columns?.length ?? width;
  for (let row = 0; row < rows; row += 1) {
    const start = row * width;
    let total = 0;
    let size = 0;
    for (let i = 0; i < count; i += 1) {
      const value = data[start + (columns === undefined ? i : (columns[i] as number))] as number;
      total += value;
      size += Math.abs(value);
    }
    if (!(size <= Number.MAX_SAFE_INTEGER && total >= min && total <= max)) return false;
  }
  return true;
};

/** True when every element is one of the allowed values; NaN is left to the bounds. */
export const valuesHold = (rule: Rule, table: Table): boolean => {
  const { values, columns, spec } = rule;
  if (values === undefined) return true;
  const { data, rows, width } = table;
  const halves = spec.datatype === 'FP16' ? halfTable() : undefined;
  const count = columns?.length ?? width;
  for (let row = 0; row < rows; row += 1)
    for (let i = 0; i < count; i += 1) {
      const raw = data[row * width + (columns === undefined ? i : (columns[i] as number))];
      const value = halves === undefined ? raw : halves[raw as number];
      if (!values.has(value as number) && !Number.isNaN(value)) return false;
    }
  return true;
};

/** True when no string is too long. */
export const lengthsHold = (rule: Rule, table: Table): boolean => {
  const { maxLength, columns } = rule;
  if (maxLength === undefined) return true;
  const { rows, width } = table;
  const data = table.data as readonly string[];
  const count = columns?.length ?? width;
  for (let row = 0; row < rows; row += 1)
    for (let i = 0; i < count; i += 1) {
      const value = data[row * width + (columns === undefined ? i : (columns[i] as number))] as string;
      // A character is one or two units: most strings need no count.
      if (value.length > maxLength && codePoints(value) > maxLength) return false;
    }
  return true;
};
