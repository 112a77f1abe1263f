/** Decides from the file alone whether the pod can serve a model, and what its callers may ask of it. */
import type { TensorSpec } from '../../protocol/datatypes.ts';
import { type ByteSource, memorySource, openByteSource } from './byte-source.ts';
import { checkExternalData, externalFiles } from './external-data.ts';
import { notAModel } from './file-kind.ts';
import { localeEdits } from './locale.ts';
import { ModelError } from './model-error.ts';
import { datatypeOfElement, elementTypeName } from './onnx-fields.ts';
import { type OnnxModel, readOnnxModel, type Value } from './onnx-model.ts';
import { WireError } from './protobuf-reader.ts';
import { isQuick } from './quick.ts';
import { rewire } from './rewire.ts';
import { answeredZipMaps, classLabels, zipMapEdits } from './zipmap.ts';

/** What is known of a model that can be served. */
export interface InspectedModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** The first dimension of every input varies and, where it has a name, the names agree: rows may be batched if a trial confirms it. */
  readonly mayBatch: boolean;
  /** Runs are short by construction (quick.ts): they may run on the main thread. */
  readonly isQuick: boolean;
  readonly opset: number;
  readonly producer: string;
  readonly nodes: number;
  /** Files beside the model that hold weights, relative to its directory. */
  readonly dataFiles: readonly string[];
  /** An operator of the model that ends the process when a size is 0; requests with such a size are refused. */
  readonly endsOnEmpty: string | undefined;
  /** The model as it must be loaded when the file cannot be loaded as it is. */
  readonly rewired: Uint8Array | undefined;
  /** Things that a person should know, one sentence each. */
  readonly remarks: readonly string[];
}

/** Found by giving sizes of 0 to 100 operators of onnxruntime 1.30, each in a process of its own: these end it. */
const endOnEmpty = ['LSTM', 'GRU', 'DynamicQuantizeLSTM', 'TopK'] as const;

/** Operators that choose one scale for a whole batch: a row's answer depends on its neighbours. */
const scaleByBatch = ['DynamicQuantizeLinear', 'DynamicQuantizeMatMul', 'DynamicQuantizeLSTM'] as const;

const knownDomains = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft']);

/** Most bytes of the model's own file: what protobuf can carry. Weights in other files are not among them. */
const maxProtobufBytes = 2 ** 31 - 1;

const withSource = <T>(path: string, read: (source: ByteSource) => T): T => {
  const source = openByteSource(path);
  try {
    return read(source);
  } finally {
    source.close();
  }
};

/**
 * Inspects a model file; throws a ModelError that says what is wrong and what to do. Only a model that `hasFiles` of its
 * own in its directory may keep weights in them.
 */
export const inspectModel = (path: string, hasFiles = false): InspectedModel =>
  withSource(path, (source) => inspectSource(source, hasFiles ? path : undefined));

/** The files beside it in which a model keeps weights, before they are there. */
export const dataFilesOf = (path: string): readonly string[] =>
  withSource(path, (source) => externalFiles(parse(source)));

/** Inspects bytes of a model; weights in other files are looked for beside `path`. */
export const inspectSource = (source: ByteSource, path?: string): InspectedModel =>
  // Rewiring reads parts that the first reading passed over: what is broken there is as invalid.
  readable(() => inspect(source, path));

const inspect = (source: ByteSource, path?: string): InspectedModel => {
  const other = notAModel(source.bytes(0, Math.min(source.length, 512)));
  if (other !== undefined) throw new ModelError('ModelInvalid', other);
  if (source.length > maxProtobufBytes)
    throw new ModelError(
      'ModelTooLarge',
      `the model's file has ${source.length} bytes, an ONNX file can have ${maxProtobufBytes}: save the weights beside it (save_as_external_data)`,
    );
  const model = parse(source);
  check(model, source.length);
  const dataFiles = externalFiles(model);
  if (dataFiles.length > 0 && path === undefined)
    throw new ModelError(
      'ModelUnsupported',
      `the model keeps the weights of '${model.externalTensors[0]?.name}' in another file, '${dataFiles[0]}', which the URI does not bring: pack both into a .tar, or put both into one directory of a volume`,
    );
  if (path !== undefined) checkExternalData(model, path);
  const zipMaps = answeredZipMaps(model);
  if (zipMaps.length > 0 && dataFiles.length > 0)
    throw new ModelError(
      'ModelUnsupported',
      `output '${zipMaps[0]?.output.name}' is a list of maps (ZipMap), which cannot be rewired in a model with weights in other files: export with zipmap=False`,
    );
  // A model with weights in other files is loaded by its path, so that onnxruntime finds them.
  const locales = dataFiles.length > 0 ? [] : localeEdits(source, model);
  const edits = [...zipMapEdits(model), ...locales];
  const rewired =
    model.graph !== undefined && edits.length > 0 ? rewire(source, model.graph, edits) : undefined;
  const scaledByBatch = scaleByBatch.find((operator) => model.operators.has(operator));
  const labels = new Map(
    zipMaps.map(({ output, zipMap }) => [output.name, classLabels(source, zipMap)] as const),
  );
  const effective = rewired === undefined ? model : parse(memorySource(rewired));
  const opset = model.opsets.get('') ?? model.opsets.get('ai.onnx') ?? 0;
  const inputs = effective.inputs.map((value) => specOf(value, 'input'));
  const batches = mayBatch(effective) && scaledByBatch === undefined;
  return {
    inputs,
    outputs: effective.outputs.map((value) => {
      const spec = specOf(value, 'output');
      if (!labels.has(spec.name)) return spec;
      const names = labels.get(spec.name);
      return { ...spec, rewiredFrom: 'ZipMap', ...(names === undefined ? {} : { labels: names }) };
    }),
    mayBatch: batches,
    isQuick:
      dataFiles.length === 0 &&
      isQuick({
        bytes: source.length,
        nodes: model.nodes,
        operators: model.operators,
        hasFunctions: model.functionDomains.size > 0,
        mayBatch: batches,
        inputs,
      }),
    opset,
    producer: model.producer,
    nodes: model.nodes,
    dataFiles,
    endsOnEmpty: endOnEmpty.find((operator) => model.operators.has(operator)),
    rewired,
    remarks: [
      ...(scaledByBatch === undefined
        ? []
        : [
            `requests are never batched: ${scaledByBatch} chooses one scale for a whole batch, so that a row's answer would depend on its neighbours. Quantise statically to have batches`,
          ]),
      ...zipMaps.map(
        ({ output, zipMap }) =>
          `output '${output.name}' is a list of maps (ZipMap), which cannot be answered: it was rewired to the tensor behind it, FP32 [rows, ${zipMap.classes > 0 ? zipMap.classes : 'classes'}]. Export with zipmap=False to do without this`,
      ),
      ...(locales.length > 0
        ? [
            'the model changes the case of texts by the locale en_US, which containers do not have: it was rewired to C.UTF-8, which changes case alike',
          ]
        : []),
    ],
  };
};

const parse = (source: ByteSource): OnnxModel => readable(() => readOnnxModel(source));

const readable = <Result>(read: () => Result): Result => {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError)
      throw new ModelError('ModelInvalid', `the file is no ONNX model that can be read: it ${error.message}`);
    throw error;
  }
};

const check = (model: OnnxModel, fileBytes: number) => {
  if (model.graph === undefined || model.irVersion <= 0)
    throw new ModelError('ModelInvalid', 'the file is no ONNX model: it has no graph or no IR version');
  if (model.outputs.length === 0) throw new ModelError('ModelInvalid', 'the model has no outputs');
  // Two 4-bit elements share a byte, and nothing else is smaller.
  if (model.largestTensor.elements > fileBytes * 2 + 64)
    throw new ModelError(
      'ModelInvalid',
      `the tensor '${model.largestTensor.name}' claims ${model.largestTensor.elements} elements in a file of ${fileBytes} bytes`,
    );
  for (const domain of model.domains) {
    if (!knownDomains.has(domain) && !model.functionDomains.has(domain))
      throw new ModelError(
        'ModelUnsupported',
        `the model uses operators of the domain '${domain}', which onnxruntime has not: custom operators are never loaded`,
      );
  }
};

const articled = (type: Value['otherType']) =>
  type === 'untyped' ? 'without a type' : `${type === 'optional' ? 'an' : 'a'} ${type}`;

/** How to export the model so that it can be served. */
const hintFor = ({ otherType }: Value, kind: 'input' | 'output'): string => {
  switch (otherType) {
    case 'sequence of maps':
      return kind === 'output' ? ': with scikit-learn, export with zipmap=False' : '';
    case 'sequence of tensors':
      return kind === 'output'
        ? ': give each tensor an output of its own, or join them in the model (ConcatFromSequence)'
        : ': give each tensor an input of its own';
    case 'map':
      return ': give the values as one tensor, with the columns in a fixed order';
    case 'optional':
      return ': export the model once with and once without it';
    default:
      return '';
  }
};

const specOf = (value: Value, kind: 'input' | 'output'): TensorSpec => {
  if (value.elementType === undefined)
    throw new ModelError(
      'ModelUnsupported',
      `${kind} '${value.name}' is ${articled(value.otherType)}, only tensors can be ${kind === 'input' ? 'given' : 'answered'}${hintFor(value, kind)}`,
    );
  const datatype = datatypeOfElement(value.elementType);
  if (datatype === undefined)
    throw new ModelError(
      'ModelUnsupported',
      `${kind} '${value.name}' has elements of type ${elementTypeName(value.elementType)}, which cannot be carried: cast it in the model`,
    );
  const { name, shape } = value;
  if (shape === undefined) return { name, datatype, shape: [-1], anyShape: true };
  return { name, datatype, shape: shape.map((dim) => (typeof dim === 'number' ? dim : -1)) };
};

const mayBatch = (model: OnnxModel): boolean => {
  const names = new Set<string>();
  for (const { shape } of model.inputs) {
    const first = shape?.[0];
    if (shape === undefined || shape.length === 0 || typeof first === 'number') return false;
    if (first !== undefined) names.add(first);
  }
  // LightGBM's converter declares one label however many rows there are: the trial finds out what is true.
  const outputsVary = model.outputs.every(
    ({ shape }) => shape === undefined || typeof shape[0] !== 'number' || shape[0] === 1,
  );
  return model.inputs.length > 0 && names.size <= 1 && outputsVary;
};
