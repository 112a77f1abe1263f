/** Writes V2 answers: JSON as hand-joined text around arrays that `JSON.stringify` prints, binary tensors behind it. */
import { classify } from './classification.ts';
import type { ModelSignature, Tensor, TensorSpec } from './datatypes.ts';
import { elementsText, inBytes } from './elements-text.ts';
import type { Parameters, RequestedOutput } from './infer-request.ts';
import { encodeRaw } from './raw-tensor.ts';
import { atOnce } from './turns.ts';

/** What an infer answer says beside its tensors. */
export interface InferAnswer {
  readonly modelName: string;
  readonly modelVersion?: string | undefined;
  readonly id?: string | undefined;
  readonly outputs: readonly Tensor[];
  /** What is said of the whole answer; undefined: nothing. */
  readonly parameters?: Parameters | undefined;
  /** The form of each output, in the same order; JSON where none is said. */
  readonly forms?: readonly RequestedOutput[] | undefined;
  /** Names of classes by output, for classification. */
  readonly labels?: (output: string) => readonly string[] | undefined;
}

export interface EncodedAnswer {
  readonly body: Buffer;
  /** How many bytes of the body are JSON; undefined when all are. */
  readonly jsonLength: number | undefined;
}

/** Writes the body of an infer answer; throws a ProtocolError when an output cannot be written as asked. */
export const encodeInferAnswer = (answer: InferAnswer): EncodedAnswer => atOnce(encodeSteps(answer));

/** The same in steps of a few milliseconds, for large answers. */
export function* encodeSteps(answer: InferAnswer): Generator<undefined, EncodedAnswer> {
  const pieces: string[] = [headText(answer)];
  const parts: Uint8Array[] = [];
  const blobs: Uint8Array[] = [];
  let separator = '';
  for (const [i, given] of answer.outputs.entries()) {
    const form = answer.forms?.[i];
    const output =
      form?.classification === undefined
        ? given
        : classify(given, form.classification, answer.labels?.(given.name));
    const { name, shape, datatype } = output;
    pieces.push(
      `${separator}{"name":${JSON.stringify(name)},"shape":[${shape.join(',')}],"datatype":"${datatype}",`,
    );
    separator = ',';
    if (form?.binary === true) {
      const blob = encodeRaw(output);
      blobs.push(blob);
      pieces.push(`"parameters":{"binary_data_size":${blob.length}}}`);
      continue;
    }
    pieces.push('"data":[');
    yield* inBytes(elementsText(output, pieces), pieces, parts);
    pieces.push(']}');
  }
  pieces.push(']}');
  const last = Buffer.from(pieces.join(''));
  if (parts.length === 0 && blobs.length === 0) return { body: last, jsonLength: undefined };
  parts.push(last);
  const jsonLength = blobs.length === 0 ? undefined : parts.reduce((length, part) => length + part.length, 0);
  return { body: Buffer.concat([...parts, ...blobs]), jsonLength };
}

const headText = ({ modelName, modelVersion, id, parameters }: InferAnswer): string => {
  let text = `{"model_name":${JSON.stringify(modelName)}`;
  if (modelVersion !== undefined) text += `,"model_version":${JSON.stringify(modelVersion)}`;
  if (id !== undefined) text += `,"id":${JSON.stringify(id)}`;
  if (parameters !== undefined) text += `,"parameters":${JSON.stringify(parameters)}`;
  return `${text},"outputs":[`;
};

/** Values of parameters are no lists: the labels are a list as JSON text. */
const specJson = ({ name, datatype, shape, rewiredFrom, labels }: TensorSpec) => ({
  name,
  datatype,
  shape,
  ...(rewiredFrom === undefined && labels === undefined
    ? {}
    : {
        parameters: {
          ...(rewiredFrom === undefined ? {} : { rewired_from: rewiredFrom }),
          ...(labels === undefined ? {} : { labels: JSON.stringify(labels) }),
        },
      }),
});

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
