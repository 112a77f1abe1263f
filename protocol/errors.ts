/** The error that a caller of the protocol sees, and the words of each. Wordings are Triton's where it has one. */
import { elementCount, type TensorSpec } from './datatypes.ts';

/**
 * A refusal with its HTTP status; the message is the `error` of the body. An answer and no fault of ours: where it was made
 * is never read, and noting that down would cost more than all the rest of a refusal.
 */
export class ProtocolError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'ProtocolError';
    this.status = status;
  }
}

const list = (names: readonly string[]) => `[${names.map((name) => `'${name}'`).join(', ')}]`;
const dims = (shape: readonly number[]) => `[${shape.join(',')}]`;

const cut = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}…` : text);

/** Cuts what a caller sent to a length that fits into an error message. */
export const quote = (value: unknown): string => {
  let text: string;
  if (typeof value === 'bigint') text = String(value);
  // JSON has no number above 1e308: 1e400 is read as Infinity, which JSON would write as null.
  else if (typeof value === 'number') text = String(value);
  else if (Array.isArray(value)) text = 'a list';
  else if (typeof value === 'object' && value !== null) text = 'an object';
  else text = JSON.stringify(value) ?? String(value);
  return cut(text);
};

/** Every refusal that depends on what was asked, one function each. */
export const refusals = {
  malformed: (detail: string) => new ProtocolError(400, `failed to parse the request JSON buffer: ${detail}`),
  tooDeep: (limit: number) =>
    new ProtocolError(400, `failed to parse the request JSON buffer: nested deeper than ${limit} levels`),
  envelope: (path: string, detail: string) =>
    new ProtocolError(400, `failed to parse the request: ${path === '' ? 'body' : path}: ${detail}`),
  unknownModel: (name: string) => new ProtocolError(404, `Request for unknown model: '${name}' is not found`),
  unknownVersion: (name: string, version: string) =>
    new ProtocolError(404, `Request for unknown model: '${name}' version ${version} is not found`),
  unexpectedInput: (name: string, model: string, known: readonly string[]) =>
    new ProtocolError(
      400,
      `unexpected inference input '${name}' for model '${model}'. The model's inputs are ${list(known)}`,
    ),
  duplicateInput: (name: string, model: string) =>
    new ProtocolError(400, `input '${name}' is given more than once for model '${model}'`),
  missingInputs: (model: string, expected: readonly string[], got: readonly string[]) =>
    new ProtocolError(
      400,
      `expected ${expected.length} inputs but got ${got.length} inputs for model '${model}'. Got input(s) ${list(got)}, but missing required input(s) ${list(expected.filter((name) => !got.includes(name)))}`,
    ),
  unknownDatatype: (name: string, datatype: string, known: readonly string[]) =>
    new ProtocolError(
      400,
      `input '${name}' has the unknown data-type ${quote(datatype)}. The data-types are ${known.join(', ')}`,
    ),
  wrongDatatype: (name: string, got: string, wanted: string, model: string) =>
    new ProtocolError(
      400,
      `inference input '${name}' data-type is '${got}', model expects '${wanted}' for '${model}'`,
    ),
  noJsonForm: (kind: string, name: string, datatype: string) =>
    new ProtocolError(
      400,
      `${kind} '${name}' has data-type ${datatype}, which has no JSON form: it can be carried as a binary tensor only`,
    ),
  negativeDim: (name: string, shape: readonly number[], model: string) =>
    new ProtocolError(
      400,
      `unexpected shape for input '${name}' for model '${model}': ${dims(shape)} has a negative dimension`,
    ),
  wrongShape: (spec: TensorSpec, got: readonly number[], model: string) =>
    new ProtocolError(
      400,
      `unexpected shape for input '${spec.name}' for model '${model}'. Expected ${dims(spec.shape)}, got ${dims(got)}`,
    ),
  rowsDiffer: (model: string, detail: string) =>
    new ProtocolError(400, `inputs of model '${model}' differ in their first dimension: ${detail}`),
  noData: (name: string) =>
    new ProtocolError(
      400,
      `input '${name}' has no 'data': a list of its elements, flat or nested (or binary_data_size in its parameters)`,
    ),
  countMismatch: (name: string, shape: readonly number[], wanted: number, got: number) =>
    new ProtocolError(
      400,
      `Shape does not match true shape of 'data' field for input '${name}': shape ${dims(shape)} wants ${wanted} elements, 'data' has ${got}`,
    ),
  nestingMismatch: (name: string, shape: readonly number[]) =>
    new ProtocolError(
      400,
      `Shape does not match true shape of 'data' field for input '${name}': the nested lists do not have the shape ${dims(shape)}`,
    ),
  badElement: (name: string, index: number, value: unknown, wanted: string) =>
    new ProtocolError(400, `input '${name}': element ${index} is ${quote(value)}, wanted ${wanted}`),
  badElementText: (name: string, index: number, text: string, wanted: string) =>
    new ProtocolError(400, `input '${name}': element ${index} is ${cut(text)}, wanted ${wanted}`),
  badText: (name: string, index: number) =>
    new ProtocolError(
      400,
      `input '${name}': element ${index} is no UTF-8, and BYTES are text for onnxruntime`,
    ),
  unexpectedOutput: (name: string, model: string, known: readonly string[]) =>
    new ProtocolError(
      400,
      `unexpected inference output '${name}' for model '${model}'. The model's outputs are ${list(known)}`,
    ),
  duplicateOutput: (name: string, model: string) =>
    new ProtocolError(400, `output '${name}' is asked for more than once for model '${model}'`),
  badClassification: (name: string, got: unknown) =>
    new ProtocolError(
      400,
      `output '${name}': classification is ${quote(got)}, wanted a whole number from 1 on: how many classes to answer per row`,
    ),
  noClasses: (name: string, datatype: string) =>
    new ProtocolError(
      400,
      `output '${name}' has data-type ${datatype}, which has no highest values: classification needs numbers`,
    ),
  byteSizeMismatch: (name: string, model: string, wanted: number, got: number) =>
    new ProtocolError(
      400,
      `input byte size mismatch for input '${name}' for model '${model}'. Expected ${wanted}, got ${got}`,
    ),
  stringsCut: (name: string, model: string, shape: readonly number[], got: number) =>
    new ProtocolError(
      400,
      `input byte size mismatch for input '${name}' for model '${model}'. Shape ${dims(shape)} wants ${elementCount(shape)} elements of BYTES, each after its length of 4 bytes; the ${got} bytes end before`,
    ),
  badHeaderLength: (got: string, length: number) =>
    new ProtocolError(
      400,
      `Inference-Header-Content-Length is ${quote(got)}, wanted a whole number: how many of the ${length} bytes of the (uncompressed) body are JSON`,
    ),
  badParameter: (of: string, parameter: string, got: unknown, wanted: string) =>
    new ProtocolError(400, `${of}: parameter '${parameter}' is ${quote(got)}, wanted ${wanted}`),
  dataTwice: (name: string) =>
    new ProtocolError(
      400,
      `input '${name}' has both 'data' and 'binary_data_size': its elements can come in one way only`,
    ),
  tooFewBytes: (name: string, missing: number, model: string) =>
    new ProtocolError(
      400,
      `unexpected size for input '${name}', expecting ${missing} additional bytes for model '${model}'`,
    ),
  leftOverBytes: (model: string, bytes: number) =>
    new ProtocolError(
      400,
      `unexpected additional input data for model '${model}': ${bytes} bytes more than the inputs' binary_data_size`,
    ),
  noRawRequest: (model: string, why: string) =>
    new ProtocolError(
      400,
      `a raw binary request (Inference-Header-Content-Length: 0) cannot be made of model '${model}': ${why}`,
    ),
  unsupported: (what: string) => new ProtocolError(501, `${what} is not supported`),
  notFinite: (name: string, index: number, value: number) =>
    new ProtocolError(
      400,
      `output '${name}': element ${index} is ${value}, which JSON cannot carry: ask for a binary tensor ('binary_data': true), leave the output out with 'outputs', or correct the input that leads to it`,
    ),
} as const;

/** Message of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
