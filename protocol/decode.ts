/** Reads a V2 infer request from JSON against the signature of the model, exactly and without trusting it. */
import {
  allocate,
  type Datatype,
  datatypes,
  elementCount,
  type ModelSignature,
  type Tensor,
  type TensorData,
  type TensorSpec,
} from './datatypes.ts';
import { isDeeperThan, maxDepth } from './depth.ts';
import { type Envelope, type InputEnvelope, type Parameters, parseEnvelope } from './envelope.ts';
import { refusals } from './errors.ts';
import { fills, wanted } from './fill.ts';

/** A request that the model can run as it stands. */
export interface InferRequest {
  readonly id?: string;
  readonly parameters: Parameters;
  /** In the order of the model's inputs, whatever the order in the request. */
  readonly inputs: readonly Tensor[];
  /** Names of the outputs to answer, in the order asked for; all of the model's when none was named. */
  readonly outputs: readonly string[];
}

/** Thrown inside when a 64-bit integer was too large for a JavaScript number: the text is read again, exactly. */
class NeedsExactIntegers extends Error {}

const noParameters: Parameters = Object.freeze({});

/** Reads the body of an infer request; throws a ProtocolError that names tensor, got and wanted. */
export const decodeInferRequest = (text: string, model: ModelSignature): InferRequest => {
  if (isDeeperThan(text, maxDepth)) throw refusals.tooDeep(maxDepth);
  const body = parseJson(text);
  try {
    return readRequest(parseEnvelope(body), model, false);
  } catch (error) {
    if (!(error instanceof NeedsExactIntegers)) throw error;
  }
  return readRequest(parseEnvelope(parseExact(text)), model, true);
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw refusals.malformed(error instanceof Error ? error.message : String(error));
  }
};

type SourceReviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;

/** Parses again with every large integer inside a list as a bigint: slower, and only asked for when needed. */
const parseExact = (text: string): unknown => {
  const revive: SourceReviver = function (_key, value, context) {
    if (typeof value !== 'number' || Number.isSafeInteger(value) || !Array.isArray(this)) return value;
    const source = context.source ?? '';
    return /^-?\d{1,25}$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown) as unknown;
};

const readRequest = (envelope: Envelope, model: ModelSignature, isExact: boolean): InferRequest => {
  const given = new Map<string, InputEnvelope>();
  const known = model.inputs.map((spec) => spec.name);
  for (const input of envelope.inputs) {
    if (!known.includes(input.name)) throw refusals.unexpectedInput(input.name, model.name, known);
    if (given.has(input.name)) throw refusals.duplicateInput(input.name, model.name);
    given.set(input.name, input);
  }
  const inputs: Tensor[] = [];
  for (const spec of model.inputs) {
    const input = given.get(spec.name);
    if (input === undefined) throw refusals.missingInputs(model.name, known, [...given.keys()]);
    inputs.push(readInput(input, spec, model.name, isExact));
  }
  refuseUnsupported(envelope);
  return {
    ...(envelope.id === undefined ? {} : { id: envelope.id }),
    parameters: envelope.parameters ?? noParameters,
    inputs,
    outputs: readOutputs(envelope, model),
  };
};

/** Parameters that ask for another form of answer are refused; unknown ones are ignored, as the protocol says. */
const refuseUnsupported = (envelope: Envelope) => {
  if (envelope.parameters?.binary_data_output === true) throw refusals.unsupported("'binary_data_output'");
  for (const output of envelope.outputs ?? []) {
    if (output.parameters?.binary_data === true)
      throw refusals.unsupported(`'binary_data' for output '${output.name}'`);
    if (output.parameters?.classification !== undefined)
      throw refusals.unsupported(`'classification' for output '${output.name}'`);
  }
};

const readOutputs = (envelope: Envelope, model: ModelSignature): readonly string[] => {
  const known = model.outputs.map((spec) => spec.name);
  if (envelope.outputs === undefined || envelope.outputs.length === 0) return known;
  const names: string[] = [];
  for (const { name } of envelope.outputs) {
    if (!known.includes(name)) throw refusals.unexpectedOutput(name, model.name, known);
    if (names.includes(name)) throw refusals.duplicateOutput(name, model.name);
    names.push(name);
  }
  return names;
};

const isDatatype = (text: string): text is Datatype => (datatypes as readonly string[]).includes(text);

/** The input that is being read. */
interface Reading {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** True when the text was parsed with large integers kept exact. */
  readonly isExact: boolean;
}

const readInput = (input: InputEnvelope, spec: TensorSpec, model: string, isExact: boolean): Tensor => {
  const { name, datatype, shape } = input;
  if (!isDatatype(datatype)) throw refusals.unknownDatatype(name, datatype, datatypes);
  if (datatype !== spec.datatype) throw refusals.wrongDatatype(name, datatype, spec.datatype, model);
  if (datatype === 'FP16' || datatype === 'BF16') throw refusals.noJsonForm('input', name, datatype);
  if (input.parameters?.binary_data_size !== undefined)
    throw refusals.unsupported(`'binary_data_size' for input '${name}'`);
  if (shape.some((dim) => dim < 0)) throw refusals.negativeDim(name, shape, model);
  const fits =
    spec.anyShape === true ||
    (shape.length === spec.shape.length && spec.shape.every((dim, i) => dim === -1 || dim === shape[i]));
  if (!fits) throw refusals.wrongShape(spec, shape, model);
  if (input.data === undefined || input.data === null) throw refusals.noData(name);
  return { name, datatype, shape, data: readData({ name, datatype, shape, isExact }, input.data) };
};

const readData = (reading: Reading, data: unknown): TensorData => {
  const { name, datatype, shape } = reading;
  const wantedCount = elementCount(shape);
  const values: unknown = shape.length === 0 && !Array.isArray(data) ? [data] : data;
  if (!Array.isArray(values)) throw refusals.noData(name);
  const isNested = Array.isArray(values[0]);
  if (isNested) checkNesting(reading, values, 0);
  // The count is compared before anything is allocated, so that a shape cannot ask for memory that no data fills.
  else if (values.length !== wantedCount)
    throw refusals.countMismatch(name, shape, wantedCount, values.length);
  const target = allocate(datatype, wantedCount);
  if (isNested) fillNested(reading, values, target, shape.length, 0);
  else fillFlat(reading, values, target, 0);
  return target;
};

const checkNesting = (reading: Reading, values: readonly unknown[], axis: number): void => {
  const { name, shape } = reading;
  if (values.length !== shape[axis]) throw refusals.nestingMismatch(name, shape);
  if (axis === shape.length - 1) return;
  for (const inner of values) {
    if (!Array.isArray(inner)) throw refusals.nestingMismatch(name, shape);
    checkNesting(reading, inner, axis + 1);
  }
};

/** Returns where the next element goes. */
const fillNested = (
  reading: Reading,
  values: readonly unknown[],
  target: TensorData,
  levels: number,
  offset: number,
): number => {
  if (levels <= 1) {
    fillFlat(reading, values, target, offset);
    return offset + values.length;
  }
  let next = offset;
  for (const inner of values) next = fillNested(reading, inner as unknown[], target, levels - 1, next);
  return next;
};

const fillFlat = (reading: Reading, values: readonly unknown[], target: TensorData, offset: number) => {
  const { name, datatype, isExact } = reading;
  const bad = fills[datatype](values, target, offset);
  if (bad < 0) return;
  const value = values[bad];
  const is64 = datatype === 'INT64' || datatype === 'UINT64';
  if (is64 && !isExact && Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new NeedsExactIntegers();
  throw refusals.badElement(name, offset + bad, value, wanted[datatype]);
};
