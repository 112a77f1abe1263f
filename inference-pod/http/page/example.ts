/** An example request, made up from what the model says of its inputs. */
import {
  type Datatype,
  elementCount,
  type ModelSignature,
  type TensorSpec,
} from '../../../protocol/datatypes.ts';

export interface ExampleInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: Datatype;
  readonly data: readonly (number | boolean | string)[];
}

export interface ExampleRequest {
  readonly inputs: readonly ExampleInput[];
}

/** An image of 224 × 224 in three colours still has an example; beyond that it helps nobody and costs memory. */
const maxElements = 200_000;
const words = ['a', 'b', 'c', 'd', 'e'];

/**
 * One row for each input. `freeSize` stands for dimensions other than the first that may have any size. Undefined when the
 * request cannot be written in JSON (half floats) or would be huge.
 */
export const exampleRequest = (signature: ModelSignature, freeSize: number): ExampleRequest | undefined => {
  const inputs: ExampleInput[] = [];
  let elements = 0;
  for (const spec of signature.inputs) {
    if (spec.datatype === 'FP16' || spec.datatype === 'BF16') return undefined;
    const shape = exampleShape(spec, freeSize);
    const count = elementCount(shape);
    elements += count;
    if (elements > maxElements) return undefined;
    inputs.push({ name: spec.name, shape, datatype: spec.datatype, data: valuesOf(spec.datatype, count) });
  }
  return { inputs };
};

const exampleShape = ({ shape, anyShape }: TensorSpec, freeSize: number): number[] =>
  anyShape === true ? [1] : shape.map((dim, i) => (dim !== -1 ? dim : i === 0 ? 1 : freeSize));

/** Values that differ from one element to the next; integers stay 0 or 1, since they may be indices. */
const valuesOf = (datatype: Datatype, count: number): (number | boolean | string)[] => {
  const values = new Array<number | boolean | string>(count);
  for (let i = 0; i < count; i += 1) {
    if (datatype === 'BYTES') values[i] = words[i % words.length] ?? 'a';
    else if (datatype === 'BOOL') values[i] = i % 2 === 0;
    else if (datatype === 'FP32' || datatype === 'FP64') values[i] = (((i * 7) % 9) + 1) / 10;
    else values[i] = i % 2;
  }
  return values;
};

/** The request as people write it: one line per field of a tensor, its elements in one line. */
export const exampleText = (example: ExampleRequest): string =>
  `{
  "inputs": [
${example.inputs
  .map(
    ({ name, shape, datatype, data }) => `    {
      "name": ${JSON.stringify(name)},
      "shape": ${list(shape)},
      "datatype": "${datatype}",
      "data": ${list(data)}
    }`,
  )
  .join(',\n')}
  ]
}`;

const list = (values: readonly unknown[]) => `[${values.map((value) => JSON.stringify(value)).join(', ')}]`;

/** A text as one word for a POSIX shell. */
export const shellQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The path of the infer endpoint, without a leading slash: relative to where the pod is reached. */
export const inferPath = (modelName: string): string =>
  `v2/models/${encodeURIComponent(modelName).replaceAll("'", '%27')}/infer`;
