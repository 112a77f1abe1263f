/** Datatypes of the protocol against those of onnxruntime-node. */
import type { Datatype, Tensor } from '../../protocol/datatypes.ts';
import { ProtocolError } from '../../protocol/errors.ts';

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

/** Refuses what would change silently on the way to onnxruntime: its Node binding cuts strings at the first NUL. */
export const refuseUnrunnable = (inputs: readonly Tensor[]): void => {
  for (const { name, data } of inputs) {
    if (!Array.isArray(data)) continue;
    const index = data.findIndex((text) => text.includes('\0') || !text.isWellFormed());
    if (index >= 0)
      throw new ProtocolError(
        400,
        `input '${name}': element ${index} holds a NUL character (U+0000) or half a surrogate pair, which onnxruntime cannot take`,
      );
  }
};
