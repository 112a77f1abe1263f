/** Reads a V2 infer request, JSON with or without binary tensors behind it, against the signature of the model, exactly and without trusting it. */
import { isUtf8 } from 'node:buffer';
import type { Datatype, ModelSignature, Tensor, TensorSpec } from './datatypes.ts';
import { refusals } from './errors.ts';
import {
  checkInput,
  type InferRequest,
  matchInputs,
  matchOutputs,
  type Parameters,
  type RequestedOutput,
} from './infer-request.ts';
import { type InputFrame, type OutputFrame, type RequestFrame, readFrame } from './json/envelope.ts';
import { JsonReader } from './json/reader.ts';
import { readDataNow, readTensorData, type Span } from './json/tensor-data.ts';
import { decodeRawRequest } from './raw-request.ts';
import { decodeRaw, ownsMemory } from './raw-tensor.ts';

/** Reads the body of an infer request; `headerLength` is the text of Inference-Header-Content-Length, if there was one. */
export const decodeInferRequest = (
  body: Buffer,
  model: ModelSignature,
  headerLength?: string | undefined,
): InferRequest => {
  const jsonLength = checkedLength(body, headerLength);
  if (jsonLength === undefined) return decodeRawRequest(body, model);
  const quick = new JsonReader(body, jsonLength);
  const readAll = (reader: JsonReader): InferRequest => {
    const { frame, sources } = startReading(reader, model, reader === quick);
    const inputs = sources.map((source) => ({
      ...source.tensor,
      data:
        'start' in source.from
          ? readDataNow(reader, source.from, source.tensor)
          : decodeRaw(source.tensor, source.from, model.name, ownsMemory(body)),
    }));
    return requestOf(frame, inputs, model);
  };
  try {
    return readAll(quick);
  } catch (error) {
    if (!quick.hasSkimmed) throw error;
    // What is wrong, and where, is told by the careful reading.
  }
  return readAll(new JsonReader(body, jsonLength));
};

/** The same in steps of a few milliseconds, for large bodies. */
export function* decodeSteps(
  body: Buffer,
  model: ModelSignature,
  headerLength: string | undefined,
): Generator<undefined, InferRequest> {
  // The frame of a large body is a step of its own.
  yield;
  const jsonLength = checkedLength(body, headerLength);
  if (jsonLength === undefined) return decodeRawRequest(body, model);
  const quick = new JsonReader(body, jsonLength);
  try {
    return yield* readInSteps(quick, model, true);
  } catch (error) {
    if (!quick.hasSkimmed) throw error;
  }
  yield;
  return yield* readInSteps(new JsonReader(body, jsonLength), model, false);
}

function* readInSteps(
  reader: JsonReader,
  model: ModelSignature,
  isQuick: boolean,
): Generator<undefined, InferRequest> {
  const { frame, sources } = startReading(reader, model, isQuick);
  const inputs: Tensor[] = [];
  for (const { tensor, from } of sources) {
    const data =
      'start' in from
        ? yield* readTensorData(reader, from, tensor)
        : decodeRaw(tensor, from, model.name, ownsMemory(reader.bytes));
    inputs.push({ ...tensor, data });
  }
  return requestOf(frame, inputs, model);
}

/** Length of the JSON, checked to be UTF-8; undefined when the body is raw elements only. */
const checkedLength = (body: Buffer, headerLength: string | undefined): number | undefined => {
  const jsonLength = headerLength === undefined ? body.length : jsonLengthOf(headerLength, body.length);
  if (headerLength !== undefined && jsonLength === 0) return undefined;
  if (!isUtf8(jsonLength === body.length ? body : body.subarray(0, jsonLength)))
    throw refusals.malformed('the body is not UTF-8');
  return jsonLength;
};

const nothing: readonly RequestedOutput[] = [];

const jsonLengthOf = (text: string, bodyLength: number): number => {
  const length = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(length <= bodyLength)) throw refusals.badHeaderLength(text, bodyLength);
  return length;
};

/** An input that was checked but for its elements, and where those are: in the JSON, or behind it. */
interface Source {
  readonly tensor: Omit<Tensor, 'data'>;
  readonly from: Span | Uint8Array;
}

/** Reads and checks everything but the elements. */
const startReading = (reader: JsonReader, model: ModelSignature, isQuick: boolean) => {
  const frame = readFrame(reader, isQuick);
  // Blobs follow in the order of the request, tensors are handed on in the order of the model.
  const blobs = takeBlobs(frame, reader.bytes, reader.end, model);
  const matched = matchInputs(frame.inputs, model);
  const sources: Source[] = [];
  for (let i = 0; i < matched.length; i += 1) {
    const input = matched[i] as InputFrame;
    const { name, shape } = input;
    checkInput(model.inputs[i] as TensorSpec, input.datatype, shape, model.name);
    const datatype = input.datatype as Datatype;
    const from = blobs?.get(input) ?? input.data;
    if (from === undefined) throw refusals.noData(name);
    if ((datatype === 'FP16' || datatype === 'BF16') && 'start' in from)
      throw refusals.noJsonForm('input', name, datatype);
    sources.push({ tensor: { name, datatype, shape }, from });
  }
  return { frame, sources };
};

const requestOf = (
  { id, parameters, outputs: given }: RequestFrame,
  inputs: readonly Tensor[],
  model: ModelSignature,
): InferRequest => {
  const isBinary = readFlag(parameters, 'binary_data_output', 'the request');
  const asked =
    given.length > 0
      ? given.map((output) => requestedOutput(output, isBinary === true))
      : isBinary === true
        ? model.outputs.map(({ name }) => ({ name, binary: true }))
        : nothing;
  const { outputs, outputNames } = matchOutputs(asked, model);
  return id === undefined
    ? { parameters, inputs, outputs, outputNames }
    : { id, parameters, inputs, outputs, outputNames };
};

/** The bytes of each input that says how many it has; undefined when none does and nothing is left over. */
const takeBlobs = (
  frame: RequestFrame,
  body: Buffer,
  jsonLength: number,
  model: ModelSignature,
): Map<InputFrame, Uint8Array> | undefined => {
  let blobs: Map<InputFrame, Uint8Array> | undefined;
  let at = jsonLength;
  for (const input of frame.inputs) {
    const { name, parameters } = input;
    if (parameters.shared_memory_region !== undefined)
      throw refusals.unsupported(`shared memory (input '${name}')`);
    const size = parameters.binary_data_size;
    if (size === undefined) continue;
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
      throw refusals.badParameter(`input '${name}'`, 'binary_data_size', size, 'a whole number of bytes');
    if (input.data !== undefined) throw refusals.dataTwice(name);
    if (at + size > body.length) throw refusals.tooFewBytes(name, at + size - body.length, model.name);
    blobs ??= new Map();
    blobs.set(input, body.subarray(at, at + size));
    at += size;
  }
  if (at < body.length) throw refusals.leftOverBytes(model.name, body.length - at);
  return blobs;
};

const readFlag = (parameters: Parameters, name: string, of: string): boolean | undefined => {
  const value = parameters[name];
  if (value !== undefined && typeof value !== 'boolean')
    throw refusals.badParameter(of, name, value, 'true or false');
  return value;
};

const requestedOutput = ({ name, parameters }: OutputFrame, isBinary: boolean): RequestedOutput => {
  if (parameters.shared_memory_region !== undefined)
    throw refusals.unsupported(`shared memory (output '${name}')`);
  const binary = readFlag(parameters, 'binary_data', `output '${name}'`) ?? isBinary;
  const { classification } = parameters;
  if (classification === undefined) return binary ? { name, binary } : { name };
  if (typeof classification !== 'number') throw refusals.badClassification(name, classification);
  return { name, binary, classification };
};
