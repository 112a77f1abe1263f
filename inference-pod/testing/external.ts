/** Models whose weights lie in other files, honest and not. */
import { elementTypes, entryFields, tensorFields } from '../inspect/onnx-fields.ts';
import { intField, join, messageField, textField } from '../inspect/protobuf-writer.ts';
import { model, node } from './onnx.ts';

/** What a tensor says of its place. */
export type Place = Readonly<Record<string, string>>;

const external = (name: string, dims: readonly number[], type: number, place: Place): Uint8Array =>
  join([
    ...dims.map((dim) => intField(tensorFields.dims, dim)),
    intField(tensorFields.dataType, type),
    textField(tensorFields.name, name),
    ...Object.entries(place).map(([key, value]) =>
      messageField(
        tensorFields.externalData,
        textField(entryFields.key, key),
        textField(entryFields.value, value),
      ),
    ),
    intField(tensorFields.dataLocation, 1),
  ]);

/** Picks rows of a table of floats that lies elsewhere: `i` INT64 [N] → `y` FP32 [N, columns]. */
export const externalTable = (
  place: Place,
  rows = 3,
  columns = 2,
  type: number = elementTypes.FP32,
): Uint8Array =>
  model({
    inputs: [{ name: 'i', type: 'INT64', shape: ['N'] }],
    outputs: [{ name: 'y', type: type === elementTypes.FP32 ? 'FP32' : type, shape: ['N', columns] }],
    nodes: [node('Gather', ['table', 'i'], ['y'])],
    initializers: [external('table', [rows, columns], type, place)],
  });

/** A constant inside of a node that lies elsewhere. */
export const externalConstant = (place: Place): Uint8Array =>
  model({
    inputs: [{ name: 'x', type: 'FP32', shape: [2] }],
    outputs: [{ name: 'y', type: 'FP32', shape: [2] }],
    nodes: [
      node('Constant', [], ['c'], { value: { tensor: external('hidden', [2], elementTypes.FP32, place) } }),
      node('Add', ['x', 'c'], ['y']),
    ],
  });
