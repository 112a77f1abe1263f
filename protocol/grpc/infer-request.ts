/** Reads a ModelInferRequest against the signature of the model, exactly and without trusting it. */
import { type Datatype, elementCount, type ModelSignature, type Tensor } from '../datatypes.ts';
import { ProtocolError, refusals } from '../errors.ts';
import {
  checkInput,
  type InferRequest,
  matchInputs,
  matchOutputs,
  type Parameters,
  type RequestedOutput,
} from '../infer-request.ts';
import { decodeRaw } from '../raw-tensor.ts';
import { readContents } from './contents.ts';
import type { InferFrame, InputFrame, OutputFrame } from './infer-frame.ts';

/** Checks the frame against the model and reads the elements; throws a ProtocolError that names tensor, got and wanted. */
export const readInferRequest = (frame: InferFrame, model: ModelSignature): InferRequest => {
  if (isRaw(frame)) checkRaw(frame);
  const given = matchInputs(frame.inputs, model);
  const inputs = given.map((input): Tensor => {
    const spec = model.inputs.find(({ name }) => name === input.name);
    if (spec === undefined) throw refusals.unexpectedInput(input.name, model.name, []);
    refuseSharedMemory(input.parameters);
    checkInput(spec, input.datatype, input.shape, model.name);
    return readInput(input, spec.datatype, frame.raw[frame.inputs.indexOf(input)], model.name);
  });
  const { outputs, outputNames } = matchOutputs(frame.outputs.map(askedOutput), model);
  return { id: frame.id, parameters: frame.parameters, inputs, outputs, outputNames };
};

/** True when the elements come as bytes, and so go back. */
export const isRaw = (frame: InferFrame): boolean => frame.raw.length > 0;

const checkRaw = ({ inputs, raw }: InferFrame) => {
  const both = inputs.find((input) => input.contents !== undefined);
  if (both !== undefined)
    throw new ProtocolError(
      400,
      `contents field must not be specified when using raw_input_contents for input '${both.name}'`,
    );
  if (raw.length !== inputs.length)
    throw new ProtocolError(
      400,
      `raw_input_contents has ${raw.length} entries for ${inputs.length} inputs: there must be one for each`,
    );
};

const readInput = (
  { name, shape, contents }: InputFrame,
  datatype: Datatype,
  raw: Buffer | undefined,
  model: string,
): Tensor => {
  const data =
    raw === undefined
      ? readContents(name, datatype, shape, elementCount(shape), contents)
      : decodeRaw({ name, datatype, shape }, raw, model);
  return { name, datatype, shape, data };
};

const refuseSharedMemory = (parameters: Parameters) => {
  if (parameters.shared_memory_region !== undefined) throw refusals.unsupported('shared memory');
};

const askedOutput = ({ name, parameters }: OutputFrame): RequestedOutput => {
  refuseSharedMemory(parameters);
  const { classification } = parameters;
  // 0 is what a client sends that wants the tensor.
  if (classification === undefined || classification === 0) return { name };
  return { name, classification: classification as number };
};
