/** Builds small ONNX models from their parts, so that tests need no model files and no Python. */
import type { Datatype } from '../../protocol/datatypes.ts';
import {
  attributeFields,
  dimFields,
  elementTypes,
  graphFields,
  modelFields,
  nodeFields,
  opsetFields,
  shapeFields,
  tensorFields,
  tensorTypeFields,
  typeFields,
  valueFields,
} from '../inspect/onnx-fields.ts';
import {
  bytesField,
  floatField,
  intField,
  join,
  messageField,
  textField,
} from '../inspect/protobuf-writer.ts';

export interface ValueSpec {
  readonly name: string;
  readonly type: Datatype | number;
  /** Numbers are fixed, strings are names of sizes that vary, null varies without a name; undefined: no rank. */
  readonly shape: readonly (number | string | null)[] | undefined;
}

export interface GraphSpec {
  readonly inputs: readonly ValueSpec[];
  readonly outputs: readonly ValueSpec[];
  readonly nodes: readonly Uint8Array[];
  readonly initializers?: readonly Uint8Array[];
}

export type Attribute =
  | { readonly int: number | bigint }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] }
  | { readonly texts: readonly string[] }
  | { readonly tensor: Uint8Array }
  | { readonly graph: Uint8Array };

const attributeBytes = (name: string, value: Attribute): Uint8Array => {
  const type = (kind: number) => intField(attributeFields.type, kind);
  const head = textField(attributeFields.name, name);
  if ('int' in value) return join([head, intField(attributeFields.i, value.int), type(2)]);
  if ('float' in value) return join([head, floatField(attributeFields.f, value.float), type(1)]);
  if ('text' in value) return join([head, textField(attributeFields.s, value.text), type(3)]);
  if ('ints' in value)
    return join([head, ...value.ints.map((int) => intField(attributeFields.ints, int)), type(7)]);
  if ('texts' in value)
    return join([head, ...value.texts.map((text) => textField(attributeFields.strings, text)), type(8)]);
  if ('tensor' in value) return join([head, bytesField(attributeFields.t, value.tensor), type(4)]);
  return join([head, bytesField(attributeFields.g, value.graph), type(5)]);
};

/** A node. */
export const node = (
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
  domain = '',
): Uint8Array =>
  join([
    ...inputs.map((name) => textField(nodeFields.input, name)),
    ...outputs.map((name) => textField(nodeFields.output, name)),
    textField(nodeFields.opType, opType),
    ...Object.entries(attributes).map(([name, value]) =>
      bytesField(nodeFields.attribute, attributeBytes(name, value)),
    ),
    ...(domain === '' ? [] : [textField(nodeFields.domain, domain)]),
  ]);

/** A tensor with its elements as raw bytes. */
export const tensor = (
  name: string,
  type: Datatype,
  dims: readonly number[],
  data: ArrayBufferView,
): Uint8Array =>
  join([
    ...dims.map((dim) => intField(tensorFields.dims, dim)),
    intField(tensorFields.dataType, elementTypes[type]),
    textField(tensorFields.name, name),
    bytesField(tensorFields.rawData, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]);

const valueBytes = ({ name, type, shape }: ValueSpec): Uint8Array => {
  const dim = (size: number | string | null) =>
    messageField(
      shapeFields.dim,
      ...(typeof size === 'number' ? [intField(dimFields.value, size)] : []),
      ...(typeof size === 'string' ? [textField(dimFields.parameter, size)] : []),
    );
  const tensorType = messageField(
    typeFields.tensor,
    intField(tensorTypeFields.elementType, typeof type === 'number' ? type : elementTypes[type]),
    ...(shape === undefined ? [] : [messageField(tensorTypeFields.shape, ...shape.map(dim))]),
  );
  return join([textField(valueFields.name, name), messageField(valueFields.type, tensorType)]);
};

/** A graph, also as the attribute of a node. */
export const graph = (spec: GraphSpec): Uint8Array =>
  join([
    ...spec.nodes.map((bytes) => bytesField(graphFields.node, bytes)),
    textField(graphFields.name, 'g'),
    ...(spec.initializers ?? []).map((bytes) => bytesField(graphFields.initializer, bytes)),
    ...spec.inputs.map((value) => bytesField(graphFields.input, valueBytes(value))),
    ...spec.outputs.map((value) => bytesField(graphFields.output, valueBytes(value))),
  ]);

/** A model of IR version 8 with the given operator sets. */
export const modelOf = (
  graphBytes: Uint8Array,
  opsets: Readonly<Record<string, number>> = { '': 17 },
): Uint8Array =>
  join([
    intField(modelFields.irVersion, 8),
    textField(modelFields.producerName, 'ballast-test'),
    bytesField(modelFields.graph, graphBytes),
    ...Object.entries(opsets).map(([domain, version]) =>
      messageField(
        modelFields.opsetImport,
        textField(opsetFields.domain, domain),
        intField(opsetFields.version, version),
      ),
    ),
  ]);

/** A whole model from its graph. */
export const model = (spec: GraphSpec, opsets?: Readonly<Record<string, number>>): Uint8Array =>
  modelOf(graph(spec), opsets);
