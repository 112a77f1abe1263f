/** Pure rules of batching: which waiting requests may run together, how they are joined and taken apart again. */
import { allocate, elementCount, slice, type Tensor, type TensorData } from '../../protocol/datatypes.ts';

/** A request as the batcher sees it. */
export interface Batchable {
  readonly inputs: readonly Tensor[];
  /** First dimension of every input; 1 for a model without a batch dimension. */
  readonly rows: number;
  /** Requests with equal keys may share a batch: names, datatypes and trailing dimensions, and the outputs wanted. */
  readonly groupKey: string;
}

/** Key of the inputs that must be equal to share a batch. */
export const groupKeyOf = (inputs: readonly Tensor[], outputs: readonly string[]): string => {
  let key = '';
  for (const input of inputs) key += `${input.shape.slice(1).join(',')};`;
  return `${key}|${outputs.join('\u0000')}`;
};

/** Joins tensors along their first dimension; the other dimensions must be equal. */
export const joinTensors = (tensors: readonly Tensor[]): Tensor => {
  const first = tensors[0];
  if (first === undefined) throw new Error('there is nothing to join');
  if (tensors.length === 1) return first;
  const rows = tensors.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const shape = [rows, ...first.shape.slice(1)];
  const data = allocate(first.datatype, elementCount(shape));
  let offset = 0;
  for (const { data: part } of tensors) {
    if (Array.isArray(data)) for (let j = 0; j < part.length; j += 1) data[offset + j] = String(part[j]);
    else (data as Float64Array).set(part as Float64Array, offset);
    offset += part.length;
  }
  return { name: first.name, datatype: first.datatype, shape, data };
};

/** Joins the inputs of several requests along their first dimension. */
export const joinInputs = (requests: readonly Batchable[]): Tensor[] =>
  (requests[0]?.inputs ?? []).map((_input, i) =>
    joinTensors(requests.flatMap(({ inputs }) => (inputs[i] === undefined ? [] : [inputs[i]]))),
  );

/** Takes the outputs of a batch apart, or undefined when an output does not have one row per row of input. */
export const splitOutputs = (outputs: readonly Tensor[], rows: readonly number[]): Tensor[][] | undefined => {
  const total = rows.reduce((sum, count) => sum + count, 0);
  if (outputs.some((output) => output.shape[0] !== total)) return undefined;
  let start = 0;
  return rows.map((count) => {
    const first = start;
    start += count;
    return outputs.map((output) => {
      const perRow = total === 0 ? 0 : output.data.length / total;
      const data: TensorData = slice(output.data, first * perRow, start * perRow);
      return { ...output, shape: [count, ...output.shape.slice(1)], data };
    });
  });
};
