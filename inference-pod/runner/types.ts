/** Datatypes of the protocol against those of onnxruntime-node. */
import type { Datatype } from '../../protocol/datatypes.ts';

/** onnxruntime's name of each datatype that it can take and return in Node; BF16 is not among them. */
export const ortTypes: Partial<Record<Datatype, string>> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
};

const byOrtType = new Map<string, Datatype>();
for (const [datatype, ortType] of Object.entries(ortTypes)) byOrtType.set(ortType, datatype as Datatype);

/** The protocol's name of one of onnxruntime's types. */
export const datatypeOf = (ortType: string): Datatype => {
  const datatype = byOrtType.get(ortType);
  if (datatype === undefined) throw new Error(`onnxruntime returned a tensor of type ${ortType}`);
  return datatype;
};
