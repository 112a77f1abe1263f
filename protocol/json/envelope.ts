/** Reads the frame of an infer request: everything but the elements, of which it notes where they are. */
import { refusals } from '../errors.ts';
import { noParameters, type Parameters } from '../infer-request.ts';
import { scanDouble } from './number.ts';
import { codes, type JsonReader } from './reader.ts';
import type { Span } from './tensor-data.ts';

export interface InputFrame {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters: Parameters;
  /** Undefined when the input has no `data`. */
  readonly data: Span | undefined;
}

export interface OutputFrame {
  readonly name: string;
  readonly parameters: Parameters;
}

export interface RequestFrame {
  readonly id: string | undefined;
  readonly parameters: Parameters;
  readonly inputs: readonly InputFrame[];
  readonly outputs: readonly OutputFrame[];
}

/** Where a value stands that is refused: `inputs[0].shape`, and the tensor's name when it was read before. */
interface Place {
  readonly path: string;
  readonly tensor?: string | undefined;
}

const refuse = ({ path, tensor }: Place, detail: string): Error =>
  refusals.envelope(path, tensor === undefined ? detail : `${detail} (tensor '${tensor}')`);

/** Goes through the keys of an object; `read` stands before the value and must go past it. */
const eachKey = (reader: JsonReader, place: Place, read: (key: string) => void): void => {
  if (reader.next() !== codes.openObject) throw wrongKind(reader, place, 'an object');
  reader.enter();
  if (reader.next() !== codes.closeObject)
    for (;;) {
      const key = reader.string('a key in quotes');
      if (reader.next() !== codes.colon) throw reader.malformed("':'");
      reader.at += 1;
      read(key);
      const after = reader.next();
      if (after === codes.closeObject) break;
      if (after !== codes.comma) throw reader.malformed("',' or '}'");
      reader.at += 1;
    }
  reader.leave();
};

const eachItem = (reader: JsonReader, place: Place, read: (index: number) => void): void => {
  if (reader.next() !== codes.openList) throw wrongKind(reader, place, 'a list');
  reader.enter();
  if (reader.next() !== codes.closeList)
    for (let index = 0; ; index += 1) {
      read(index);
      const after = reader.next();
      if (after === codes.closeList) break;
      if (after !== codes.comma) throw reader.malformed("',' or ']'");
      reader.at += 1;
    }
  reader.leave();
};

/** The refusal of a value of the wrong kind; of what is no JSON at all when it is none. */
const wrongKind = (reader: JsonReader, place: Place, wanted: string): Error => {
  const start = reader.at;
  reader.skipValue();
  const kinds: Readonly<Record<string, string>> = { '{': 'an object', '[': 'a list', '"': 'a string' };
  const text = reader.text(start, Math.min(reader.at, start + 40));
  return refuse(place, `must be ${wanted}, is ${kinds[text[0] ?? ''] ?? text}`);
};

const readString = (reader: JsonReader, place: Place): string => {
  if (reader.next() !== codes.quote) throw wrongKind(reader, place, 'a string');
  return reader.string();
};

const readShape = (reader: JsonReader, place: Place): number[] => {
  const shape: number[] = [];
  eachItem(reader, place, (index) => {
    const code = reader.next();
    const start = reader.at;
    const isNumber = code === codes.minus || (code >= 48 && code <= 57);
    const dim = isNumber ? scanDouble(reader) : Number.NaN;
    if (!Number.isSafeInteger(dim)) {
      reader.at = start;
      throw wrongKind(reader, { ...place, path: `${place.path}[${index}]` }, 'a whole number');
    }
    shape.push(dim);
  });
  return shape;
};

const readParameters = (reader: JsonReader, place: Place): Parameters => {
  const parameters = Object.create(null) as Record<string, string | number | boolean>;
  eachKey(reader, place, (key) => {
    const code = reader.next();
    const start = reader.at;
    if (code === codes.quote) parameters[key] = reader.string();
    else if (reader.skipText('true')) parameters[key] = true;
    else if (reader.skipText('false')) parameters[key] = false;
    else {
      const isNumber = code === codes.minus || (code >= 48 && code <= 57);
      const value = isNumber ? scanDouble(reader) : Number.NaN;
      if (Number.isNaN(value)) {
        reader.at = start;
        reader.skipValue();
        throw refuse(
          { ...place, path: `${place.path}.${key.slice(0, 60)}` },
          'must be a string, a number or a boolean',
        );
      }
      parameters[key] = value;
    }
  });
  return parameters;
};

/** Goes past a null: what some clients write for what they leave out. */
const isLeftOut = (reader: JsonReader): boolean => reader.next() === codes.n && reader.skipText('null');

/** Marks a key as read; a key that comes twice would leave it to chance which one counts. */
const once = (isGiven: boolean, place: Place, key: string): void => {
  if (isGiven) throw refuse(place, `'${key}' is given more than once`);
};

const need = <Value>(value: Value | undefined, place: Place, key: string): Value => {
  if (value === undefined)
    throw refuse({ ...place, path: place.path === '' ? key : `${place.path}.${key}` }, 'is missing');
  return value;
};

/**
 * Where the list of numbers ends that begins here, found by its closing brackets alone: what lies between is checked
 * when it is read. Undefined when that is not possible.
 */
const quickEnd = (reader: JsonReader): number | undefined => {
  const { bytes } = reader;
  let at = reader.at;
  while (bytes[at] === codes.openList) at += 1;
  const levels = at - reader.at;
  if (levels === 0) return undefined;
  const code = bytes[at] ?? 0;
  if (code !== codes.minus && !(code >= 48 && code <= 57)) return undefined;
  const end =
    levels === 1 ? bytes.indexOf(codes.closeList, at) : bytes.indexOf(']'.repeat(levels), at, 'latin1');
  return end < 0 || end + levels > reader.end ? undefined : end + levels;
};

const readSpan = (reader: JsonReader, isQuick: boolean): Span | undefined => {
  if (isLeftOut(reader)) return undefined;
  const start = reader.at;
  const end = isQuick ? quickEnd(reader) : undefined;
  if (end !== undefined) {
    reader.at = end;
    reader.hasSkimmed = true;
  } else reader.skipValue(true);
  return { start, end: reader.at };
};

const readInput = (reader: JsonReader, path: string, isQuick: boolean): InputFrame => {
  let name: string | undefined;
  let datatype: string | undefined;
  let shape: number[] | undefined;
  let parameters: Parameters | undefined;
  let data: Span | undefined;
  let hasData = false;
  const place = (): Place => ({ path, tensor: name });
  const at = (key: string): Place => ({ path: `${path}.${key}`, tensor: name });
  const readKey = (key: string) => {
    switch (key) {
      case 'name':
        once(name !== undefined, place(), key);
        name = readString(reader, at(key));
        break;
      case 'datatype':
        once(datatype !== undefined, place(), key);
        datatype = readString(reader, at(key));
        break;
      case 'shape':
        once(shape !== undefined, place(), key);
        shape = readShape(reader, at(key));
        break;
      case 'parameters':
        once(parameters !== undefined, place(), key);
        if (!isLeftOut(reader)) parameters = readParameters(reader, at(key));
        break;
      case 'data':
        once(hasData, place(), key);
        hasData = true;
        data = readSpan(reader, isQuick);
        break;
      default:
        reader.skipValue();
    }
  };
  eachKey(reader, place(), readKey);
  return {
    name: need(name, place(), 'name'),
    datatype: need(datatype, place(), 'datatype'),
    shape: need(shape, place(), 'shape'),
    parameters: parameters ?? noParameters,
    data,
  };
};

const readOutput = (reader: JsonReader, path: string): OutputFrame => {
  let name: string | undefined;
  let parameters: Parameters | undefined;
  const place = (): Place => ({ path, tensor: name });
  eachKey(reader, place(), (key) => {
    if (key === 'name') {
      once(name !== undefined, place(), key);
      name = readString(reader, { path: `${path}.name` });
    } else if (key === 'parameters') {
      once(parameters !== undefined, place(), key);
      if (!isLeftOut(reader))
        parameters = readParameters(reader, { path: `${path}.parameters`, tensor: name });
    } else reader.skipValue();
  });
  return { name: need(name, place(), 'name'), parameters: parameters ?? noParameters };
};

/**
 * Reads the frame. With `isQuick` lists of numbers are not looked into: any error that follows may be one of place
 * only, and the frame must be read again without it to learn what is wrong.
 */
export const readFrame = (reader: JsonReader, isQuick: boolean): RequestFrame => {
  let id: string | undefined;
  let parameters: Parameters | undefined;
  let inputs: InputFrame[] | undefined;
  let outputs: OutputFrame[] | undefined;
  const body: Place = { path: '' };
  eachKey(reader, body, (key) => {
    switch (key) {
      case 'id':
        once(id !== undefined, body, key);
        if (!isLeftOut(reader)) id = readString(reader, { path: key });
        break;
      case 'parameters':
        once(parameters !== undefined, body, key);
        if (!isLeftOut(reader)) parameters = readParameters(reader, { path: key });
        break;
      case 'inputs': {
        once(inputs !== undefined, body, key);
        const list: InputFrame[] = [];
        inputs = list;
        eachItem(reader, { path: key }, (index) => list.push(readInput(reader, `inputs[${index}]`, isQuick)));
        break;
      }
      case 'outputs': {
        once(outputs !== undefined, body, key);
        if (isLeftOut(reader)) break;
        const list: OutputFrame[] = [];
        outputs = list;
        eachItem(reader, { path: key }, (index) => list.push(readOutput(reader, `outputs[${index}]`)));
        break;
      }
      default:
        reader.skipValue();
    }
  });
  reader.next();
  if (reader.at !== reader.end) throw reader.malformed('nothing more');
  return {
    id,
    parameters: parameters ?? noParameters,
    inputs: need(inputs, body, 'inputs'),
    outputs: outputs ?? [],
  };
};
