/** KServe's V1 protocol, which is TensorFlow Serving's: `instances` row by row, or `inputs` column by column. */
import { isUtf8 } from 'node:buffer';
import {
  allocate,
  elementCount,
  type ModelSignature,
  type Tensor,
  type TensorData,
  type TensorSpec,
} from './datatypes.ts';
import { inBytes, partText } from './elements-text.ts';
import { ProtocolError, refusals } from './errors.ts';
import { checkInput, everyOutput, type InferRequest, matchInputs, noParameters } from './infer-request.ts';
import { JsonReader } from './json/reader.ts';
import { fieldsOf, type Items, itemsOf, shapeOf } from './json/spans.ts';
import { readTensorData, type Span } from './json/tensor-data.ts';

export interface V1Request {
  readonly request: InferRequest;
  /** Asked with `inputs`, which is answered with `outputs`; else with `instances` and `predictions`. */
  readonly isColumnar: boolean;
}

type Steps<Result> = Generator<undefined, Result>;

/** Reads a `:predict` request in steps; throws a ProtocolError. */
export function* decodeV1Steps(body: Buffer, model: ModelSignature): Steps<V1Request> {
  if (!isUtf8(body)) throw refusals.malformed('the body is not UTF-8');
  const reader = new JsonReader(body);
  yield;
  const fields = yield* fieldsOf(reader, { start: 0, end: body.length });
  if (fields === undefined) reader.skipValue();
  reader.next();
  if (reader.at !== body.length) throw reader.malformed('nothing more');
  if (fields === undefined) throw refusals.envelope('', 'must be an object');
  const rows = fields.get('instances');
  const columns = fields.get('inputs');
  if (rows !== undefined && columns !== undefined)
    throw refusals.envelope('', "has both 'instances' and 'inputs': give one of them");
  const value = rows ?? columns;
  if (value === undefined)
    throw refusals.envelope('instances', 'is missing: a list of rows (or inputs: their columns)');
  const inputs =
    rows === undefined
      ? yield* readColumns(reader, value, model, 'inputs')
      : yield* readInstances(reader, rows, model);
  const { outputs, outputNames } = everyOutput(model);
  return {
    request: { parameters: noParameters, inputs, outputs, outputNames },
    isColumnar: rows === undefined,
  };
}

function* readInstances(reader: JsonReader, value: Span, model: ModelSignature): Steps<Tensor[]> {
  const items = yield* itemsOf(reader, value);
  // An object instead of a list: named columns.
  if (items === undefined) return yield* readColumns(reader, value, model, 'instances');
  const { count, objects } = items;
  if (count === 0) return model.inputs.map(noRows);
  if (objects.length === 0) return yield* readColumns(reader, value, model, 'instances', items);
  if (objects.length < count)
    throw refusals.envelope(
      'instances',
      `${objects.length} of ${count} rows are objects: all must be, or none`,
    );
  return yield* readNamedRows(reader, objects, model);
}

const noRows = (spec: TensorSpec): Tensor => {
  const shape = spec.shape.map((dim, axis) => (axis === 0 || dim === -1 ? 0 : dim));
  checkInput(spec, spec.datatype, shape, '');
  return { name: spec.name, datatype: spec.datatype, shape, data: allocate(spec.datatype, 0) };
};

/** One value per input; the value itself where the model has only one. */
function* readColumns(
  reader: JsonReader,
  value: Span,
  model: ModelSignature,
  key: string,
  items?: Items,
): Steps<Tensor[]> {
  const named = yield* fieldsOf(reader, value);
  const [only] = model.inputs;
  if (named === undefined && (only === undefined || model.inputs.length > 1))
    throw refusals.envelope(
      key,
      `model '${model.name}' has ${model.inputs.length} inputs: they must be given by name, as objects`,
    );
  const given =
    named === undefined
      ? [{ name: only?.name ?? '', span: value }]
      : [...named].map(([name, span]) => ({ name, span }));
  const inputs: Tensor[] = [];
  for (const [i, { span }] of matchInputs(given, model).entries()) {
    const spec = model.inputs[i] as TensorSpec;
    // The rows of instances were counted when they were looked at.
    const shape =
      items?.first === undefined
        ? yield* shapeOf(reader, span)
        : [items.count, ...(yield* shapeOf(reader, items.first))];
    inputs.push(yield* readColumn(reader, span, spec, shape, model.name));
  }
  return inputs;
}

function* readColumn(
  reader: JsonReader,
  span: Span,
  spec: TensorSpec,
  found: readonly number[],
  model: string,
): Steps<Tensor> {
  const { name, datatype } = spec;
  if (datatype === 'FP16' || datatype === 'BF16') throw refusals.noJsonForm('input', name, datatype);
  const shape = fitted(found, spec);
  checkInput(spec, datatype, shape, model);
  const data = yield* readTensorData(reader, span, { name, datatype, shape: found });
  return { name, datatype, shape, data };
}

/**
 * The shape that the model wants for what was found: a single value per row where it wants lists of one, and a single
 * row where it knows no rows.
 */
const fitted = (found: readonly number[], spec: TensorSpec): readonly number[] => {
  if (spec.anyShape === true || found.length === spec.shape.length) return found;
  if (found.length === spec.shape.length - 1 && spec.shape.at(-1) === 1) return [...found, 1];
  if (found.length === spec.shape.length + 1 && found[0] === 1) return found.slice(1);
  return found;
};

/** Rows that are objects: each has a value for every input. */
function* readNamedRows(reader: JsonReader, rows: readonly Span[], model: ModelSignature): Steps<Tensor[]> {
  const parts: TensorData[][] = model.inputs.map(() => []);
  const shapes: (readonly number[])[] = [];
  for (const [row, span] of rows.entries()) {
    if (row % 4096 === 4095) yield;
    try {
      const named = (yield* fieldsOf(reader, span)) ?? new Map<string, Span>();
      const given = [...named].map(([name, value]) => ({ name, span: value }));
      for (const [i, field] of matchInputs(given, model).entries()) {
        const { name, datatype } = model.inputs[i] as TensorSpec;
        if (datatype === 'FP16' || datatype === 'BF16') throw refusals.noJsonForm('input', name, datatype);
        const shape = shapes[i] ?? (yield* shapeOf(reader, field.span));
        shapes[i] = shape;
        parts[i]?.push(yield* readTensorData(reader, field.span, { name, datatype, shape }));
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw new ProtocolError(error.status, `instances[${row}]: ${error.message}`);
    }
  }
  return model.inputs.map((spec, i) => {
    const shape = fitted([rows.length, ...(shapes[i] ?? [])], spec);
    checkInput(spec, spec.datatype, shape, model.name);
    return { name: spec.name, datatype: spec.datatype, shape, data: joined(parts[i] ?? []) };
  });
}

const joined = (parts: readonly TensorData[]): TensorData => {
  const [first] = parts;
  if (first === undefined || Array.isArray(first)) return (parts as readonly string[][]).flat();
  const all = first.constructor as new (length: number) => Exclude<TensorData, string[]>;
  const data = new all(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    (data as Float64Array).set(part as Float64Array, at);
    at += part.length;
  }
  return data;
};

/** Writes the answer of a `:predict` request in steps; throws a ProtocolError when JSON has no form for an output. */
export function* encodeV1Steps(outputs: readonly Tensor[], isColumnar: boolean): Steps<Buffer> {
  const pieces: string[] = [isColumnar ? '{"outputs":' : '{"predictions":'];
  const parts: Uint8Array[] = [];
  const [only] = outputs;
  const steps =
    only !== undefined && outputs.length === 1
      ? nestedText(only, pieces)
      : isColumnar || !haveSameRows(outputs)
        ? columnsText(outputs, pieces)
        : rowsText(outputs, pieces);
  yield* inBytes(steps, pieces, parts);
  pieces.push('}');
  parts.push(Buffer.from(pieces.join('')));
  return Buffer.concat(parts);
}

const haveSameRows = (outputs: readonly Tensor[]) =>
  outputs.every(({ shape }) => shape.length > 0 && shape[0] === outputs[0]?.shape[0]);

function* columnsText(outputs: readonly Tensor[], pieces: string[]): Steps<void> {
  let separator = '{';
  for (const output of outputs) {
    pieces.push(`${separator}${JSON.stringify(output.name)}:`);
    yield* nestedText(output, pieces);
    separator = ',';
  }
  pieces.push('}');
}

function* rowsText(outputs: readonly Tensor[], pieces: string[]): Steps<void> {
  const rows = outputs[0]?.shape[0] ?? 0;
  const keys = outputs.map(({ name }) => JSON.stringify(name));
  pieces.push('[');
  for (let row = 0; row < rows; row += 1) {
    if (row % 4096 === 4095) yield;
    const fields = outputs.map((output, i) => `${keys[i]}:${itemText(output, 1, row)}`);
    pieces.push(row === 0 ? `{${fields.join(',')}}` : `,{${fields.join(',')}}`);
  }
  pieces.push(']');
}

function* nestedText(output: Tensor, pieces: string[]): Steps<void> {
  const [rows] = output.shape;
  if (rows === undefined) {
    pieces.push(itemText(output, 0, 0));
    return;
  }
  pieces.push('[');
  for (let row = 0; row < rows; row += 1) {
    if (row % 4096 === 4095) yield;
    pieces.push(row === 0 ? itemText(output, 1, row) : `,${itemText(output, 1, row)}`);
  }
  pieces.push(']');
}

/** The `index`th list (or element) of an axis. */
const itemText = (output: Tensor, axis: number, index: number): string => {
  const inner = output.shape.slice(axis);
  const count = elementCount(inner);
  if (inner.length === 0) return partText(output, index, index + 1);
  if (inner.length === 1) return `[${partText(output, index * count, (index + 1) * count)}]`;
  const length = inner[0] ?? 0;
  const items: string[] = [];
  for (let i = 0; i < length; i += 1) items.push(itemText(output, axis + 1, index * length + i));
  return `[${items.join(',')}]`;
};
