/** Field numbers of onnx.proto and its element types, as far as Ballast reads and writes them. */
import type { Datatype } from '../../protocol/datatypes.ts';

export const modelFields = {
  irVersion: 1,
  producerName: 2,
  producerVersion: 3,
  graph: 7,
  opsetImport: 8,
  functions: 25,
} as const;
export const opsetFields = { domain: 1, version: 2 } as const;
export const graphFields = {
  node: 1,
  name: 2,
  initializer: 5,
  input: 11,
  output: 12,
  sparseInitializer: 15,
} as const;
export const nodeFields = { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 } as const;
export const attributeFields = {
  name: 1,
  f: 2,
  i: 3,
  s: 4,
  t: 5,
  g: 6,
  floats: 7,
  ints: 8,
  strings: 9,
  tensors: 10,
  graphs: 11,
  type: 20,
  sparseTensor: 22,
  sparseTensors: 23,
} as const;
export const tensorFields = {
  dims: 1,
  dataType: 2,
  floatData: 4,
  int32Data: 5,
  stringData: 6,
  int64Data: 7,
  name: 8,
  rawData: 9,
  externalData: 13,
  dataLocation: 14,
} as const;
export const sparseFields = { values: 1, indices: 2, dims: 3 } as const;
export const valueFields = { name: 1, type: 2 } as const;
export const typeFields = { tensor: 1, sequence: 4, map: 5, sparse: 8, optional: 9 } as const;
export const tensorTypeFields = { elementType: 1, shape: 2 } as const;
export const shapeFields = { dim: 1 } as const;
export const dimFields = { value: 1, parameter: 2 } as const;
export const functionFields = { name: 1, node: 7, domain: 10 } as const;

/** Keys and values of external data. */
export const entryFields = { key: 1, value: 2 } as const;

/** Bits of one element by TensorProto.DataType; strings have no fixed size. */
export const elementBits: Readonly<Record<number, number>> = {
  1: 32,
  2: 8,
  3: 8,
  4: 16,
  5: 16,
  6: 32,
  7: 64,
  9: 8,
  10: 16,
  11: 64,
  12: 32,
  13: 64,
  14: 64,
  15: 128,
  16: 16,
  17: 8,
  18: 8,
  19: 8,
  20: 8,
  21: 4,
  22: 4,
  23: 4,
};

/** TensorProto.DataType of each datatype. */
export const elementTypes: Readonly<Record<Datatype, number>> = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
  BF16: 16,
};

const names: Readonly<Record<number, string>> = {
  8: 'string',
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
};

/** The name of an element type that the protocol lacks, for messages. */
export const elementTypeName = (type: number): string => names[type] ?? `number ${type}`;

/** The datatype of an element type, if the protocol and onnxruntime-node both have it. */
export const datatypeOfElement = (type: number): Datatype | undefined => {
  for (const [datatype, number] of Object.entries(elementTypes))
    if (number === type && datatype !== 'BF16') return datatype as Datatype;
  return undefined;
};
