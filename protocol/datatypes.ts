/** The datatypes of the Open Inference Protocol V2 and the arrays that hold their elements. */

export const datatypes = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'BF16',
  'FP32',
  'FP64',
  'BYTES',
] as const;
export type Datatype = (typeof datatypes)[number];

/** Elements of one tensor, row-major. FP16 and BF16 are their raw 16 bits; BYTES are UTF-8 strings. */
export type TensorData =
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | string[];

/** One tensor with its elements. */
export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** What a model says of one input or output; a dimension of -1 may have any size. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** The model does not say how many dimensions there are: any shape is taken. */
  readonly anyShape?: true;
  /** The operator whose output cannot be answered: this tensor fed it. */
  readonly rewiredFrom?: string;
  /** Names of the classes, in the order of the last dimension. */
  readonly labels?: readonly string[];
}

/** What a caller may ask of a model. */
export interface ModelSignature {
  readonly name: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** An operator that ends the process when a size of an input is 0. */
  readonly endsOnEmpty?: string | undefined;
}

/** Elements that are numbers, or their raw bits. */
export type NumericData = Exclude<TensorData, string[]>;

const arrays = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const;

/** Makes an array for `count` elements of a datatype. */
export const allocate = (datatype: Datatype, count: number): TensorData =>
  datatype === 'BYTES' ? new Array<string>(count).fill('') : new arrays[datatype](count);

/** The `count` elements that begin at a byte of a memory; it must be a multiple of the size of an element. */
export const viewOf = (
  datatype: Exclude<Datatype, 'BYTES'>,
  memory: ArrayBuffer,
  at: number,
  count: number,
): NumericData => new arrays[datatype](memory, at, count);

/** Number of elements of a shape; the empty shape is a scalar and has one. */
export const elementCount = (shape: readonly number[]): number => {
  let count = 1;
  for (const dim of shape) count *= dim;
  return count;
};

/** A part of a tensor's elements without copying (strings are copied). */
export const slice = (data: TensorData, start: number, end: number): TensorData =>
  Array.isArray(data) ? data.slice(start, end) : data.subarray(start, end);
