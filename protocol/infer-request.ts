/** A request that the model can run as it stands, and the checks of its frame that every protocol shares. */
import { type Datatype, datatypes, type ModelSignature, type Tensor, type TensorSpec } from './datatypes.ts';
import { refusals } from './errors.ts';

/** What a caller may say beside the tensors; only known names mean something. */
export type Parameters = Readonly<Record<string, string | number | boolean>>;

/** One output that the answer is to hold, and in which form. */
export interface RequestedOutput {
  readonly name: string;
  /** As a binary tensor instead of JSON. */
  readonly binary?: boolean;
  /** The N highest values of each row as "value:index[:label]", instead of the tensor. */
  readonly classification?: number;
}

export interface InferRequest {
  readonly id?: string;
  readonly parameters: Parameters;
  /** In the order of the model's inputs, whatever the order in the request. */
  readonly inputs: readonly Tensor[];
  /** In the order asked for; all of the model's when none was named. */
  readonly outputs: readonly RequestedOutput[];
  /** The names of `outputs`: one and the same list for every request that wants all. */
  readonly outputNames: readonly string[];
}

export const noParameters: Parameters = Object.freeze({});

const isDatatype = (text: string): text is Datatype => (datatypes as readonly string[]).includes(text);

/** Checks datatype and shape of an input against what the model takes; throws a ProtocolError with got and wanted. */
export const checkInput = (
  spec: TensorSpec,
  datatype: string,
  shape: readonly number[],
  model: string,
): void => {
  if (datatype !== spec.datatype) {
    if (!isDatatype(datatype)) throw refusals.unknownDatatype(spec.name, datatype, datatypes);
    throw refusals.wrongDatatype(spec.name, datatype, spec.datatype, model);
  }
  let fits = shape.length === spec.shape.length || spec.anyShape === true;
  for (let i = 0; i < shape.length; i += 1) {
    const dim = shape[i] ?? -1;
    if (dim < 0) throw refusals.negativeDim(spec.name, shape, model);
    const wanted = spec.shape[i];
    if (wanted !== -1 && wanted !== dim && spec.anyShape !== true) fits = false;
  }
  if (!fits) throw refusals.wrongShape(spec, shape, model);
};

/** Puts inputs into the model's order; throws a ProtocolError for unknown, repeated and missing ones. */
export const matchInputs = <Given extends { readonly name: string }>(
  given: readonly Given[],
  model: ModelSignature,
): readonly Given[] => {
  const specs = model.inputs;
  if (given.length === specs.length && given.every((input, i) => input.name === specs[i]?.name)) return given;
  const known = specs.map((spec) => spec.name);
  const byName = new Map<string, Given>();
  for (const input of given) {
    if (!known.includes(input.name)) throw refusals.unexpectedInput(input.name, model.name, known);
    if (byName.has(input.name)) throw refusals.duplicateInput(input.name, model.name);
    byName.set(input.name, input);
  }
  return known.map((name) => {
    const input = byName.get(name);
    if (input === undefined) throw refusals.missingInputs(model.name, known, [...byName.keys()]);
    return input;
  });
};

interface AllOutputs {
  readonly outputs: readonly RequestedOutput[];
  readonly outputNames: readonly string[];
}

const allOutputs = new WeakMap<ModelSignature, AllOutputs>();

/** All of a model's outputs as tensors, the same objects each time. */
export const everyOutput = (model: ModelSignature): AllOutputs => {
  let found = allOutputs.get(model);
  if (found === undefined) {
    const outputNames = model.outputs.map((spec) => spec.name);
    found = { outputNames, outputs: outputNames.map((name) => ({ name })) };
    allOutputs.set(model, found);
  }
  return found;
};

/** Checks the outputs that were asked for by name; throws a ProtocolError for unknown and repeated ones. */
export const matchOutputs = (asked: readonly RequestedOutput[], model: ModelSignature): AllOutputs => {
  const all = everyOutput(model);
  if (asked.length === 0) return all;
  const outputNames: string[] = [];
  for (const { name, classification } of asked) {
    if (!all.outputNames.includes(name)) throw refusals.unexpectedOutput(name, model.name, all.outputNames);
    if (outputNames.includes(name)) throw refusals.duplicateOutput(name, model.name);
    if (classification !== undefined && !(Number.isSafeInteger(classification) && classification > 0))
      throw refusals.badClassification(name, classification);
    outputNames.push(name);
  }
  return { outputs: asked, outputNames };
};
