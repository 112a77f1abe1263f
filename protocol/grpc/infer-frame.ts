/** The frame of a ModelInferRequest: names, shapes and where the elements lie; these are read once the model is known. */

import { ProtocolError } from '../errors.ts';
import { noParameters, type Parameters } from '../infer-request.ts';
import { malformedMessage, WireReader, wire } from './wire-reader.ts';

export interface InputFrame {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters: Parameters;
  /** The InferTensorContents, not read yet. */
  readonly contents: WireReader | undefined;
}

export interface OutputFrame {
  readonly name: string;
  readonly parameters: Parameters;
}

export interface InferFrame {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: Parameters;
  readonly inputs: readonly InputFrame[];
  readonly outputs: readonly OutputFrame[];
  readonly raw: readonly Buffer[];
}

/** More inputs, outputs, parameters or dimensions than any model has: two bytes each would become a hundred in memory. */
const most = 1024;

const add = <T>(list: T[], value: T, what: string): void => {
  if (list.length >= most) throw malformedMessage(`it has more than ${most} ${what}`);
  list.push(value);
};

/** Reads the frame; unknown fields are skipped, as protobuf wants. */
export const readInferFrame = (bytes: Buffer): InferFrame => {
  const reader = new WireReader(bytes);
  let modelName = '';
  let modelVersion = '';
  let id = '';
  const parameters: [string, string | number | boolean][] = [];
  const inputs: InputFrame[] = [];
  const outputs: OutputFrame[] = [];
  const raw: Buffer[] = [];
  while (reader.next()) {
    if (reader.field >= 1 && reader.field <= 7) reader.expect(wire.bytes);
    switch (reader.field) {
      case 1:
        modelName = reader.text();
        break;
      case 2:
        modelVersion = reader.text();
        break;
      case 3:
        id = reader.text();
        break;
      case 4:
        add(parameters, readParameter(reader.message()), 'parameters');
        break;
      case 5:
        add(inputs, readInput(reader.message()), 'inputs');
        break;
      case 6:
        add(outputs, readOutput(reader.message()), 'outputs');
        break;
      case 7:
        add(raw, reader.view(), 'raw_input_contents');
        break;
      default:
        reader.skip();
    }
  }
  return { modelName, modelVersion, id, parameters: collect(parameters), inputs, outputs, raw };
};

const collect = (entries: readonly [string, string | number | boolean][]): Parameters =>
  entries.length === 0 ? noParameters : Object.fromEntries(entries);

const readInput = (reader: WireReader): InputFrame => {
  let name = '';
  let datatype = '';
  const shape: number[] = [];
  const parameters: [string, string | number | boolean][] = [];
  let contents: WireReader | undefined;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        reader.expect(wire.bytes);
        name = reader.text();
        break;
      case 2:
        reader.expect(wire.bytes);
        datatype = reader.text();
        break;
      case 3:
        readShape(reader, shape);
        break;
      case 4:
        reader.expect(wire.bytes);
        add(parameters, readParameter(reader.message()), 'parameters');
        break;
      case 5:
        reader.expect(wire.bytes);
        if (contents !== undefined) throw malformedMessage(`input '${name}' has its contents twice`);
        contents = reader.message();
        break;
      default:
        reader.skip();
    }
  }
  return { name, datatype, shape, parameters: collect(parameters), contents };
};

const readShape = (reader: WireReader, shape: number[]) => {
  const dims = reader.kind === wire.bytes ? reader.message() : undefined;
  if (dims === undefined) {
    reader.expect(wire.varint);
    addDimension(shape, reader.int64());
  } else while (dims.at < dims.end) addDimension(shape, dims.int64());
};

const addDimension = (shape: number[], dim: number) => {
  if (!Number.isSafeInteger(dim))
    throw new ProtocolError(400, `a shape has the dimension ${dim}, which is too large`);
  add(shape, dim, 'dimensions');
};

const readOutput = (reader: WireReader): OutputFrame => {
  let name = '';
  const parameters: [string, string | number | boolean][] = [];
  while (reader.next()) {
    if (reader.field > 2) {
      reader.skip();
      continue;
    }
    reader.expect(wire.bytes);
    if (reader.field === 1) name = reader.text();
    else add(parameters, readParameter(reader.message()), 'parameters');
  }
  return { name, parameters: collect(parameters) };
};

/** An entry of a `map<string, InferParameter>`. */
const readParameter = (reader: WireReader): [string, string | number | boolean] => {
  let key = '';
  let value: string | number | boolean = '';
  while (reader.next()) {
    if (reader.field > 2) {
      reader.skip();
      continue;
    }
    reader.expect(wire.bytes);
    if (reader.field === 1) key = reader.text();
    else value = readParameterValue(reader.message(), key);
  }
  return [key, value];
};

const readParameterValue = (reader: WireReader, key: string): string | number | boolean => {
  let value: string | number | boolean | undefined;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        reader.expect(wire.varint);
        value = reader.bool();
        break;
      case 2:
        reader.expect(wire.varint);
        value = reader.int64();
        break;
      case 3:
        reader.expect(wire.bytes);
        value = reader.text();
        break;
      case 4:
        reader.expect(wire.fixed64);
        value = reader.double();
        break;
      case 5:
        reader.expect(wire.varint);
        value = Number(reader.varint64());
        break;
      default:
        reader.skip();
    }
  }
  if (value === undefined) throw new ProtocolError(400, `parameter '${key}' has no value`);
  return value;
};
