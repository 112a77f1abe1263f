/** The models that tests serve. */
import type { Datatype } from '../../protocol/datatypes.ts';
import { elementTypes, graphFields, typeFields, valueFields } from '../inspect/onnx-fields.ts';
import { intField, join, messageField, textField } from '../inspect/protobuf-writer.ts';
import { graph, model, modelOf, node, tensor, type ValueSpec } from './onnx.ts';

/** Answers each input as it came: `x` → `y`. */
export const identity = (type: Datatype, shape: ValueSpec['shape']): Uint8Array =>
  model({
    inputs: [{ name: 'x', type, shape }],
    outputs: [{ name: 'y', type, shape }],
    nodes: [node('Identity', ['x'], ['y'])],
  });

/** Every datatype at once: input `in_FP32` → output `out_FP32` and so on, shape [N, 2]. */
export const everyDatatype = (types: readonly Datatype[]): Uint8Array =>
  model({
    inputs: types.map((type) => ({ name: `in_${type}`, type, shape: ['N', 2] })),
    outputs: types.map((type) => ({ name: `out_${type}`, type, shape: ['N', 2] })),
    nodes: types.map((type) => node('Identity', [`in_${type}`], [`out_${type}`])),
  });

/** Two inputs, two outputs: sum = a + b (FP32 [N,2]), count = n (INT32 [N,1]). */
export const twoInputs = (): Uint8Array =>
  model({
    inputs: [
      { name: 'a', type: 'FP32', shape: ['N', 2] },
      { name: 'b', type: 'FP32', shape: ['N', 2] },
      { name: 'n', type: 'INT32', shape: ['N', 1] },
    ],
    outputs: [
      { name: 'sum', type: 'FP32', shape: ['N', 2] },
      { name: 'count', type: 'INT32', shape: ['N', 1] },
    ],
    nodes: [node('Add', ['a', 'b'], ['sum']), node('Identity', ['n'], ['count'])],
  });

/** Softmax(x·W) with fixed weights, [N,4] → [N,3]: rows do not touch each other. */
export const classifier = (): Uint8Array => {
  const weights = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i + 1));
  return model({
    inputs: [{ name: 'x', type: 'FP32', shape: ['N', 4] }],
    outputs: [{ name: 'p', type: 'FP32', shape: ['N', 3] }],
    nodes: [node('MatMul', ['x', 'w'], ['z']), node('Softmax', ['z'], ['p'], { axis: { int: 1 } })],
    initializers: [tensor('w', 'FP32', [4, 3], weights)],
  });
};

/** Softmax over the rows: looks as if it could be batched and must not be. */
export const rowsDepend = (): Uint8Array =>
  model({
    inputs: [{ name: 'x', type: 'FP32', shape: ['N', 4] }],
    outputs: [{ name: 'p', type: 'FP32', shape: ['N', 4] }],
    nodes: [node('Softmax', ['x'], ['p'], { axis: { int: 0 } })],
  });

/** Picks row `i` of a table with three rows; other indices make onnxruntime fail. */
export const lookupTable = (): Uint8Array =>
  model({
    inputs: [{ name: 'i', type: 'INT64', shape: ['N'] }],
    outputs: [{ name: 'y', type: 'FP32', shape: ['N', 2] }],
    nodes: [node('Gather', ['table', 'i'], ['y'])],
    initializers: [tensor('table', 'FP32', [3, 2], Float32Array.of(1, 2, 3, 4, 5, 6))],
  });

/** 1 / x: infinite for 0. */
export const reciprocal = (): Uint8Array =>
  model({
    inputs: [{ name: 'x', type: 'FP32', shape: ['N'] }],
    outputs: [{ name: 'y', type: 'FP32', shape: ['N'] }],
    nodes: [node('Reciprocal', ['x'], ['y'])],
  });

const loopBody = () =>
  graph({
    inputs: [
      { name: 'i', type: 'INT64', shape: [] },
      { name: 'go', type: 'BOOL', shape: [] },
      { name: 'v', type: 'FP32', shape: [1] },
    ],
    outputs: [
      { name: 'go_on', type: 'BOOL', shape: [] },
      { name: 'w', type: 'FP32', shape: [1] },
    ],
    nodes: [node('Identity', ['go'], ['go_on']), node('Identity', ['v'], ['w'])],
  });

/** Loops as often as the scalar input `trips` says: a request can make a run last as long as it likes. */
export const loopOnDemand = (): Uint8Array =>
  model({
    inputs: [{ name: 'trips', type: 'INT64', shape: [] }],
    outputs: [{ name: 'y', type: 'FP32', shape: [1] }],
    nodes: [node('Loop', ['trips', 'yes', 'start'], ['y'], { body: { graph: loopBody() } })],
    initializers: [
      tensor('yes', 'BOOL', [], Uint8Array.of(1)),
      tensor('start', 'FP32', [1], Float32Array.of(1)),
    ],
  });

/** Never ends, whatever the input. */
export const infiniteLoop = (): Uint8Array =>
  model({
    inputs: [{ name: 'x', type: 'FP32', shape: [1] }],
    outputs: [{ name: 'y', type: 'FP32', shape: [1] }],
    nodes: [node('Loop', ['', 'yes', 'x'], ['y'], { body: { graph: loopBody() } })],
    initializers: [tensor('yes', 'BOOL', [], Uint8Array.of(1))],
  });

/** Makes as many floats as the input `size` says, and answers only their sum. */
export const memoryOnDemand = (): Uint8Array =>
  model({
    inputs: [{ name: 'size', type: 'INT64', shape: [1] }],
    outputs: [{ name: 'y', type: 'FP32', shape: [] }],
    nodes: [
      node('ConstantOfShape', ['size'], ['big'], {
        value: { tensor: tensor('v', 'FP32', [1], Float32Array.of(1)) },
      }),
      node('ReduceSum', ['big'], ['y'], { keepdims: { int: 0 } }),
    ],
  });

/** A classifier as scikit-learn's converter writes it: the probabilities end in a ZipMap. */
export const zipMap = (): Uint8Array => {
  const weights = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i + 1));
  const sequenceOfMaps = messageField(
    graphFields.output,
    textField(valueFields.name, 'output_probability'),
    messageField(
      valueFields.type,
      // sequence(map(int64, tensor(float)))
      messageField(
        typeFields.sequence,
        messageField(
          1,
          messageField(
            typeFields.map,
            intField(1, elementTypes.INT64),
            messageField(2, messageField(typeFields.tensor, intField(1, elementTypes.FP32))),
          ),
        ),
      ),
    ),
  );
  const body = graph({
    inputs: [{ name: 'x', type: 'FP32', shape: [null, 4] }],
    outputs: [{ name: 'output_label', type: 'INT64', shape: [null] }],
    nodes: [
      node('MatMul', ['x', 'w'], ['z']),
      node('Softmax', ['z'], ['p'], { axis: { int: 1 } }),
      node('ArgMax', ['z'], ['output_label'], { axis: { int: 1 }, keepdims: { int: 0 } }),
      node(
        'ZipMap',
        ['p'],
        ['output_probability'],
        { classlabels_int64s: { ints: [0, 1, 2] } },
        'ai.onnx.ml',
      ),
    ],
    initializers: [tensor('w', 'FP32', [4, 3], weights)],
  });
  return modelOf(join([body, sequenceOfMaps]), { '': 17, 'ai.onnx.ml': 3 });
};

/** A model whose weights lie in another file. */
export const externalData = (location: string): Uint8Array => {
  const weights = join([
    intField(1, 4),
    intField(2, elementTypes.FP32),
    textField(8, 'w'),
    messageField(13, textField(1, 'location'), textField(2, location)),
    intField(14, 1),
  ]);
  return model({
    inputs: [{ name: 'x', type: 'FP32', shape: [4] }],
    outputs: [{ name: 'y', type: 'FP32', shape: [4] }],
    nodes: [node('Add', ['x', 'w'], ['y'])],
    initializers: [weights],
  });
};

/** Graphs inside graphs, `depth` levels deep. */
export const nested = (depth: number): Uint8Array => {
  let inner = graph({ inputs: [], outputs: [], nodes: [node('Identity', ['x'], ['y'])] });
  for (let level = 0; level < depth; level += 1)
    inner = graph({
      inputs: [],
      outputs: [{ name: 'y', type: 'FP32', shape: [1] }],
      nodes: [node('If', ['c'], ['y'], { then_branch: { graph: inner } })],
    });
  return modelOf(inner);
};

/** A tensor that claims more elements than the file can hold. */
export const lyingTensor = (): Uint8Array =>
  model({
    inputs: [{ name: 'x', type: 'FP32', shape: [1] }],
    outputs: [{ name: 'y', type: 'FP32', shape: [1] }],
    nodes: [node('Add', ['x', 'w'], ['y'])],
    initializers: [tensor('w', 'FP32', [1_000_000, 1_000_000], Float32Array.of(1))],
  });
