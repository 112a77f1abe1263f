/** Reads from an ONNX file what the pod must know before onnxruntime sees it, within bounds. */
import type { ByteSource } from './byte-source.ts';
import {
  attributeFields,
  dimFields,
  entryFields,
  functionFields,
  graphFields,
  modelFields,
  nodeFields,
  opsetFields,
  shapeFields,
  sparseFields,
  tensorFields,
  tensorTypeFields,
  typeFields,
  valueFields,
} from './onnx-fields.ts';
import { eachField, type Field, intsOf, textOf, WireError } from './protobuf-reader.ts';

/** Most that a model may have of anything; a real model stays far below. */
const limits = {
  nodes: 1_000_000,
  depth: 64,
  values: 10_000,
  rank: 64,
  initializers: 1_000_000,
  externalTensors: 100_000,
  /** Elements of a sparse tensor once it is unfolded, which onnxruntime does. */
  sparseElements: 2 ** 28,
} as const;

/** A dimension: its size, or the name of a size that may vary, or undefined for one without a name. */
export type Dim = number | string | undefined;

/** An input or output as the graph declares it. */
export interface Value {
  readonly name: string;
  /** TensorProto.DataType; undefined when the value is no tensor. */
  readonly elementType: number | undefined;
  /** What it is when it is no tensor. */
  readonly otherType:
    | 'sequence of maps'
    | 'sequence of tensors'
    | 'sequence'
    | 'map'
    | 'sparse tensor'
    | 'optional'
    | 'untyped'
    | undefined;
  /** Undefined: the rank is not declared. */
  readonly shape: readonly Dim[] | undefined;
  /** The field in the graph that declares it. */
  readonly field: Field;
}

/** A ZipMap node of the main graph, which turns a tensor into a sequence of maps. */
export interface ZipMap {
  readonly field: Field;
  readonly input: string;
  readonly output: string;
  readonly classes: number;
}

/** A tensor whose elements lie in another file. */
export interface ExternalTensor {
  readonly name: string;
  readonly elementType: number;
  readonly elements: number;
  /** What the model says of the place: location, offset, length. */
  readonly entries: ReadonlyMap<string, string>;
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly producer: string;
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: Field | undefined;
  /** Inputs that a caller must give: initializers are not among them. */
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: number;
  /** Domains of the operators that nodes use. */
  readonly domains: ReadonlySet<string>;
  readonly functionDomains: ReadonlySet<string>;
  readonly zipMaps: readonly ZipMap[];
  /** StringNormalizer nodes of the main graph. */
  readonly stringNormalizers: readonly Field[];
  /** Names of the operators that nodes use, also in graphs inside. */
  readonly operators: ReadonlySet<string>;
  /** Tensors whose elements lie in other files. */
  readonly externalTensors: readonly ExternalTensor[];
  /** Largest number of elements that one tensor in the file claims to have. */
  readonly largestTensor: { readonly name: string; readonly elements: number };
}

interface Open {
  nodes: number;
  tensors: number;
  domains: Set<string>;
  functionDomains: Set<string>;
  zipMaps: ZipMap[];
  stringNormalizers: Field[];
  operators: Set<string>;
  externalTensors: ExternalTensor[];
  largestTensor: { name: string; elements: number };
}

/** Parses the model; throws a WireError that continues the sentence "the file …". */
export const readOnnxModel = (source: ByteSource): OnnxModel => {
  const open: Open = {
    nodes: 0,
    tensors: 0,
    domains: new Set(),
    functionDomains: new Set(),
    zipMaps: [],
    stringNormalizers: [],
    operators: new Set(),
    externalTensors: [],
    largestTensor: { name: '', elements: 0 },
  };
  let irVersion = 0;
  let producer = '';
  let graph: Field | undefined;
  const opsets = new Map<string, number>();
  const inputs: Value[] = [];
  const outputs: Value[] = [];
  const initializers = new Set<string>();
  eachField(source, 0, source.length, (field) => {
    if (field.number === modelFields.irVersion) irVersion = field.value;
    else if (field.number === modelFields.producerName)
      producer = textOf(source, field, 65_536).slice(0, 256);
    else if (field.number === modelFields.opsetImport) readOpset(source, field, opsets);
    else if (field.number === modelFields.functions) readFunction(source, field, open);
    else if (field.number === modelFields.graph && field.wireType === 2) {
      if (graph !== undefined) throw new WireError('has two graphs');
      graph = field;
      readGraph(source, field, open, 1, { inputs, outputs, initializers });
    }
  });
  return {
    ...open,
    irVersion,
    producer,
    opsets,
    graph,
    inputs: inputs.filter((input) => !initializers.has(input.name)),
    outputs,
  };
};

const readOpset = (source: ByteSource, field: Field, opsets: Map<string, number>) => {
  let domain = '';
  let version = 0;
  eachField(source, field.start, field.end, (part) => {
    if (part.number === opsetFields.domain) domain = textOf(source, part);
    else if (part.number === opsetFields.version) version = part.value;
  });
  opsets.set(domain, version);
  if (opsets.size > 1000) throw new WireError('imports more than 1000 operator sets');
};

const readFunction = (source: ByteSource, field: Field, open: Open) => {
  eachField(source, field.start, field.end, (part) => {
    if (part.number === functionFields.domain) open.functionDomains.add(textOf(source, part));
    else if (part.number === functionFields.node) readNode(source, part, open, 2);
  });
  if (open.functionDomains.size > 1000) throw new WireError('has functions of more than 1000 domains');
};

interface MainGraph {
  inputs: Value[];
  outputs: Value[];
  initializers: Set<string>;
}

const readGraph = (source: ByteSource, graph: Field, open: Open, depth: number, main?: MainGraph) => {
  if (depth > limits.depth) throw new WireError(`nests graphs deeper than ${limits.depth} levels`);
  eachField(source, graph.start, graph.end, (field) => {
    if (field.number === graphFields.node) readNode(source, field, open, depth, main !== undefined);
    else if (field.number === graphFields.initializer) {
      const name = readTensor(source, field, open);
      main?.initializers.add(name);
    } else if (field.number === graphFields.sparseInitializer) {
      const name = readSparse(source, field, open);
      main?.initializers.add(name);
    } else if (main !== undefined && field.number === graphFields.input)
      addValue(main.inputs, readValue(source, field));
    else if (main !== undefined && field.number === graphFields.output)
      addValue(main.outputs, readValue(source, field));
  });
};

const addValue = (values: Value[], value: Value) => {
  values.push(value);
  if (values.length > limits.values) throw new WireError(`has more than ${limits.values} inputs or outputs`);
};

const readNode = (source: ByteSource, node: Field, open: Open, depth: number, isMain = false) => {
  open.nodes += 1;
  if (open.nodes > limits.nodes) throw new WireError(`has more than ${limits.nodes} nodes`);
  let domain = '';
  let opType = '';
  let input = '';
  let output = '';
  let classes = 0;
  eachField(source, node.start, node.end, (field) => {
    if (field.number === nodeFields.domain) domain = textOf(source, field);
    else if (field.number === nodeFields.opType) opType = textOf(source, field);
    else if (field.number === nodeFields.input && isMain && input === '') input = textOf(source, field);
    else if (field.number === nodeFields.output && isMain && output === '') output = textOf(source, field);
    else if (field.number === nodeFields.attribute)
      classes = Math.max(classes, readAttribute(source, field, open, depth));
  });
  if (open.domains.size < 1000) open.domains.add(domain);
  if (open.operators.size < 10_000) open.operators.add(opType);
  if (isMain && opType === 'StringNormalizer' && open.stringNormalizers.length < 100)
    open.stringNormalizers.push(node);
  if (isMain && opType === 'ZipMap' && domain === 'ai.onnx.ml' && open.zipMaps.length < 100)
    open.zipMaps.push({ field: node, input, output, classes });
};

/** Looks into an attribute for tensors and graphs; returns how many class labels it lists (ZipMap). */
const readAttribute = (source: ByteSource, attribute: Field, open: Open, depth: number): number => {
  let labels = 0;
  eachField(source, attribute.start, attribute.end, (field) => {
    switch (field.number) {
      case attributeFields.t:
      case attributeFields.tensors:
        readTensor(source, field, open);
        break;
      case attributeFields.g:
      case attributeFields.graphs:
        readGraph(source, field, open, depth + 1);
        break;
      case attributeFields.sparseTensor:
      case attributeFields.sparseTensors:
        readSparse(source, field, open);
        break;
      case attributeFields.strings:
        labels += 1;
        break;
      case attributeFields.ints:
        labels += field.wireType === 0 ? 1 : countVarints(source, field);
        break;
    }
  });
  return labels;
};

const countVarints = (source: ByteSource, field: Field): number => {
  let count = 0;
  // Only ZipMap asks; a longer list than this belongs to another operator and its length matters to nobody.
  if (field.end - field.start > 1_000_000) return 0;
  for (let i = field.start; i < field.end; i += 1) if (source.byteAt(i) < 0x80) count += 1;
  return count;
};

const readSparse = (source: ByteSource, sparse: Field, open: Open): string => {
  let name = '';
  const dims: number[] = [];
  eachField(source, sparse.start, sparse.end, (field) => {
    if (field.number === sparseFields.values) name = readTensor(source, field, open);
    else if (field.number === sparseFields.indices) readTensor(source, field, open);
    else if (field.number === sparseFields.dims) intsOf(source, field, dims, limits.rank);
  });
  const elements = dims.reduce((product, dim) => product * Math.max(0, dim), 1);
  if (elements > limits.sparseElements)
    throw new WireError(
      `has the sparse tensor '${name}', which unfolds to ${elements} elements; at most ${limits.sparseElements} are taken`,
    );
  return name;
};

const readTensor = (source: ByteSource, tensor: Field, open: Open): string => {
  open.tensors += 1;
  if (open.tensors > limits.initializers) throw new WireError(`has more than ${limits.initializers} tensors`);
  let name = '';
  let isExternal = false;
  let elementType = 0;
  const dims: number[] = [];
  const entries = new Map<string, string>();
  eachField(source, tensor.start, tensor.end, (field) => {
    if (field.number === tensorFields.name) name = textOf(source, field);
    else if (field.number === tensorFields.dims) intsOf(source, field, dims, limits.rank);
    else if (field.number === tensorFields.dataLocation && field.value !== 0) isExternal = true;
    else if (field.number === tensorFields.dataType) elementType = field.value;
    else if (field.number === tensorFields.externalData) {
      isExternal = true;
      readEntry(source, field, entries);
    }
  });
  if (dims.some((dim) => dim < 0)) throw new WireError(`has the tensor '${name}' with a negative dimension`);
  const elements = dims.reduce((product, dim) => product * dim, 1);
  if (isExternal) open.externalTensors.push({ name, elementType, elements, entries });
  if (open.externalTensors.length > limits.externalTensors)
    throw new WireError(`has more than ${limits.externalTensors} tensors in other files`);
  if (!isExternal && elements > open.largestTensor.elements) open.largestTensor = { name, elements };
  return name;
};

const readEntry = (source: ByteSource, field: Field, entries: Map<string, string>) => {
  let key = '';
  let value = '';
  eachField(source, field.start, field.end, (part) => {
    if (part.number === entryFields.key) key = textOf(source, part);
    else if (part.number === entryFields.value) value = textOf(source, part);
  });
  if (entries.has(key)) throw new WireError(`names the ${key.slice(0, 40)} of a tensor's data twice`);
  entries.set(key, value);
  if (entries.size > 16) throw new WireError('has a tensor with more than 16 properties of its place');
};

const otherTypes: Readonly<Record<number, Value['otherType']>> = {
  [typeFields.map]: 'map',
  [typeFields.sparse]: 'sparse tensor',
  [typeFields.optional]: 'optional',
};

const sequenceOf = (source: ByteSource, sequence: Field): Value['otherType'] => {
  let found: Value['otherType'] = 'sequence';
  eachField(source, sequence.start, sequence.end, (element) => {
    if (element.wireType !== 2) return;
    eachField(source, element.start, element.end, (type) => {
      if (type.number === typeFields.tensor) found = 'sequence of tensors';
      else if (type.number === typeFields.map) found = 'sequence of maps';
    });
  });
  return found;
};

const readValue = (source: ByteSource, value: Field): Value => {
  let name = '';
  let elementType: number | undefined;
  let otherType: Value['otherType'] = 'untyped';
  let shape: Dim[] | undefined;
  eachField(source, value.start, value.end, (field) => {
    if (field.number === valueFields.name) name = textOf(source, field);
    else if (field.number === valueFields.type)
      eachField(source, field.start, field.end, (type) => {
        otherType =
          type.number === typeFields.sequence
            ? sequenceOf(source, type)
            : (otherTypes[type.number] ?? otherType);
        if (type.number !== typeFields.tensor) return;
        otherType = undefined;
        elementType = 0;
        eachField(source, type.start, type.end, (part) => {
          if (part.number === tensorTypeFields.elementType) elementType = part.value;
          else if (part.number === tensorTypeFields.shape) shape = readShape(source, part);
        });
      });
  });
  return { name, elementType, otherType, shape, field: value };
};

const readShape = (source: ByteSource, shape: Field): Dim[] => {
  const dims: Dim[] = [];
  eachField(source, shape.start, shape.end, (field) => {
    if (field.number !== shapeFields.dim) return;
    let dim: Dim;
    eachField(source, field.start, field.end, (part) => {
      // Exporters write 0 for a size that varies.
      if (part.number === dimFields.value && part.value > 0) dim = part.value;
      else if (part.number === dimFields.parameter) dim = textOf(source, part);
    });
    dims.push(dim === '' ? undefined : dim);
    if (dims.length > limits.rank) throw new WireError(`has a shape of more than ${limits.rank} dimensions`);
  });
  return dims;
};
