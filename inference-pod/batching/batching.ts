/** Pure rules of batching: which waiting requests may run together, how they are joined and taken apart again. */
import { allocate, elementCount, slice, type Tensor } from '../../protocol/datatypes.ts';

/** A request as the batcher sees it. */
export interface Batchable {
  readonly inputs: readonly Tensor[];
  /** First dimension of every input; 1 for a model without a batch dimension. */
  readonly rows: number;
  /** Requests with equal keys may share a batch: names, datatypes and trailing dimensions, and the outputs wanted. */
  readonly groupKey: string;
}

let lastShapes: readonly (readonly number[])[] = [];
let lastOutputs: readonly string[] = [];
let lastKey = '';

/** Key of the inputs that must be equal to share a batch. Most requests are like the one before: theirs is not made again. */
export const groupKeyOf = (inputs: readonly Tensor[], outputs: readonly string[]): string => {
  if (outputs === lastOutputs && isLikeLast(inputs)) return lastKey;
  let key = '';
  for (const input of inputs) key += `${input.shape.slice(1).join(',')};`;
  lastShapes = inputs.map(({ shape }) => shape);
  lastOutputs = outputs;
  lastKey = `${key}|${outputs.join('\u0000')}`;
  return lastKey;
};

const isLikeLast = (inputs: readonly Tensor[]): boolean => {
  if (inputs.length !== lastShapes.length) return false;
  for (let i = 0; i < inputs.length; i += 1) {
    const shape = inputs[i]?.shape ?? [];
    const last = lastShapes[i] ?? [];
    if (shape.length !== last.length) return false;
    for (let j = 1; j < shape.length; j += 1) if (shape[j] !== last[j]) return false;
  }
  return true;
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
export const joinInputs = (requests: readonly Batchable[]): readonly Tensor[] => {
  const [first] = requests;
  if (first === undefined) return [];
  if (requests.length === 1) return first.inputs;
  return first.inputs.map((_input, i) => {
    const parts: Tensor[] = [];
    for (const { inputs } of requests) if (inputs[i] !== undefined) parts.push(inputs[i]);
    return joinTensors(parts);
  });
};

/** Takes the outputs of a batch apart, or undefined when an output does not have one row per row of input. */
export const splitOutputs = (outputs: readonly Tensor[], rows: readonly number[]): Tensor[][] | undefined => {
  let total = 0;
  for (const count of rows) total += count;
  for (const output of outputs) if (output.shape[0] !== total) return undefined;
  let start = 0;
  return rows.map((count) => {
    const first = start;
    start += count;
    return outputs.map(({ name, datatype, shape, data }) => {
      const perRow = total === 0 ? 0 : data.length / total;
      const ownShape = shape.slice();
      ownShape[0] = count;
      return { name, datatype, shape: ownShape, data: slice(data, first * perRow, start * perRow) };
    });
  });
};
