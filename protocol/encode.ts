/** Writes V2 answers as JSON: hand-joined text around arrays that `JSON.stringify` prints. */
import type { ModelSignature, Tensor, TensorSpec } from './datatypes.ts';
import type { Parameters } from './envelope.ts';
import { refusals } from './errors.ts';
import { shortestFloat32 } from './float32.ts';

/** What an infer answer says beside its tensors. */
export interface InferAnswer {
  readonly modelName: string;
  readonly modelVersion?: string | undefined;
  readonly id?: string | undefined;
  readonly outputs: readonly Tensor[];
  /** What is said of the whole answer; undefined: nothing. */
  readonly parameters?: Parameters | undefined;
}

/** The body of an infer answer; throws a ProtocolError when an output cannot be written in JSON. */
export const encodeInferAnswer = (answer: InferAnswer): string => {
  let text = `{"model_name":${JSON.stringify(answer.modelName)}`;
  if (answer.modelVersion !== undefined) text += `,"model_version":${JSON.stringify(answer.modelVersion)}`;
  if (answer.id !== undefined) text += `,"id":${JSON.stringify(answer.id)}`;
  if (answer.parameters !== undefined) text += `,"parameters":${JSON.stringify(answer.parameters)}`;
  text += ',"outputs":[';
  let separator = '';
  for (const output of answer.outputs) {
    text += `${separator}{"name":${JSON.stringify(output.name)},"shape":[${output.shape.join(',')}],"datatype":"${output.datatype}","data":${dataText(output)}}`;
    separator = ',';
  }
  return `${text}]}`;
};

const dataText = (tensor: Tensor): string => {
  const { data, datatype } = tensor;
  switch (datatype) {
    case 'FP16':
    case 'BF16':
      throw refusals.noJsonForm('output', tensor.name, datatype);
    case 'INT64':
    case 'UINT64':
      return `[${(data as BigInt64Array).join(',')}]`;
    case 'BYTES':
      return JSON.stringify(data);
    default: {
      const source = data as Float64Array;
      const values = new Array<number | boolean>(source.length);
      if (datatype === 'BOOL') for (let i = 0; i < source.length; i += 1) values[i] = source[i] !== 0;
      else if (datatype === 'FP32') copyFloats(tensor, source, values, shortestFloat32);
      else if (datatype === 'FP64') copyFloats(tensor, source, values, (value) => value);
      else for (let i = 0; i < source.length; i += 1) values[i] = source[i] ?? 0;
      return JSON.stringify(values);
    }
  }
};

const copyFloats = (
  tensor: Tensor,
  source: Float64Array,
  values: (number | boolean)[],
  print: (value: number) => number,
) => {
  for (let i = 0; i < source.length; i += 1) {
    const value = source[i] ?? Number.NaN;
    if (!Number.isFinite(value)) throw refusals.notFinite(tensor.name, i, value);
    // JSON.stringify writes -0 as 0; the sign of zero is not carried.
    values[i] = print(value);
  }
};

const specJson = ({ name, datatype, shape }: TensorSpec) => ({ name, datatype, shape });

/** The body of `GET /v2/models/NAME`. */
export const encodeModelMetadata = (model: ModelSignature, version: string | undefined): string =>
  JSON.stringify({
    name: model.name,
    ...(version === undefined ? {} : { versions: [version] }),
    platform: 'onnx_onnxv1',
    inputs: model.inputs.map(specJson),
    outputs: model.outputs.map(specJson),
  });

/** The body of every failure. */
export const encodeError = (message: string): string => JSON.stringify({ error: message });
