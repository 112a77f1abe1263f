/** Reads the `data` of a tensor, flat or nested, into its typed array. */
import { allocate, elementCount, type Tensor, type TensorData } from '../datatypes.ts';
import { refusals } from '../errors.ts';
import { atOnce } from '../turns.ts';
import { readers, wanted } from './elements.ts';
import { codes, type JsonReader, separatorMissing } from './reader.ts';

/** How many elements are read before others may have their turn: a few milliseconds' work. */
const turnElements = 65_536;

/** Where the JSON of a value stands in the body. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The tensor to read: everything but its data. */
type Frame = Omit<Tensor, 'data'>;

/**
 * Reads one tensor, yielding now and then when it is large. Throws a ProtocolError; its words about an element are
 * right only when the span was checked before (`skipValue`).
 */
export function* readTensorData(
  reader: JsonReader,
  span: Span,
  frame: Frame,
): Generator<undefined, TensorData> {
  const { name, datatype, shape } = frame;
  const count = elementCount(shape);
  reader.at = span.start;
  const isList = reader.next() === codes.openList;
  if (!isList && (shape.length > 0 || reader.next() === codes.openObject || reader.skipText('null')))
    throw refusals.noData(name);
  const target = allocateFor(reader, span, frame, count);
  if (!isList) {
    const bad = readers[datatype](reader, target, 0, 1);
    if (bad !== -1) throw badElement(reader, frame, 0);
    return target;
  }
  reader.at += 1;
  const isNested = shape.length > 1 && reader.next() === codes.openList;
  if (isNested) {
    reader.at = span.start;
    const part: Part = { reader, span, frame, target };
    yield* readNested(part, 0, 0);
  } else yield* readFlat(reader, span, frame, target, count);
  if (reader.at !== span.end) throw refusals.nestingMismatch(name, shape);
  return target;
}

/** The same at once; a short flat list, which most requests have, costs nothing but its elements. */
export const readDataNow = (reader: JsonReader, span: Span, frame: Frame): TensorData => {
  const { datatype, shape } = frame;
  const count = elementCount(shape);
  const { bytes } = reader;
  const isPlain =
    count > 0 &&
    count <= turnElements &&
    bytes[span.start] === codes.openList &&
    bytes[span.start + 1] !== codes.openList;
  if (isPlain) {
    reader.at = span.start + 1;
    const target = allocateFor(reader, span, frame, count);
    const bad = readers[datatype](reader, target, 0, count);
    if (bad === -1 && reader.next() === codes.closeList && reader.at + 1 === span.end) return target;
  }
  // Everything else, and every refusal, takes the long way.
  return atOnce(readTensorData(reader, span, frame));
};

/** Compared before anything is allocated, so that a shape cannot ask for memory that no data fills. */
const allocateFor = (reader: JsonReader, span: Span, frame: Frame, count: number): TensorData => {
  // Each element has a character and a comma at least.
  if (count > (span.end - span.start + 1) / 2) {
    const { name, shape } = frame;
    throw refusals.countMismatch(name, shape, count, countElements(reader, span));
  }
  return allocate(frame.datatype, count);
};

function* readFlat(
  reader: JsonReader,
  span: Span,
  frame: Frame,
  target: TensorData,
  count: number,
): Generator<undefined, void> {
  const { name, shape } = frame;
  const read = readers[frame.datatype];
  const mismatch = () => refusals.countMismatch(name, shape, count, countElements(reader, span));
  if (count === 0) {
    if (reader.next() !== codes.closeList) throw mismatch();
  }
  for (let offset = 0; offset < count; offset += turnElements) {
    if (offset > 0) {
      yield;
      if (reader.next() !== codes.comma) throw mismatch();
      reader.at += 1;
    }
    const bad = read(reader, target, offset, Math.min(turnElements, count - offset));
    if (bad === separatorMissing) throw mismatch();
    if (bad !== -1) throw reader.next() === codes.closeList ? mismatch() : badElement(reader, frame, bad);
  }
  if (reader.next() !== codes.closeList) throw mismatch();
  reader.at += 1;
}

interface Part {
  readonly reader: JsonReader;
  readonly span: Span;
  readonly frame: Frame;
  readonly target: TensorData;
}

/** Reads the lists of one axis; returns where the next element goes. */
function* readNested(part: Part, axis: number, offset: number): Generator<undefined, number> {
  const { reader, frame } = part;
  const { name, shape } = frame;
  const mismatch = () => refusals.nestingMismatch(name, shape);
  if (reader.next() !== codes.openList) throw mismatch();
  reader.at += 1;
  const length = shape[axis] ?? 0;
  let next = offset;
  if (axis === shape.length - 1) {
    next = readRow(part, offset, length);
  } else {
    for (let i = 0; i < length; i += 1) {
      if (i > 0) {
        if (reader.next() !== codes.comma) throw mismatch();
        reader.at += 1;
      }
      // The innermost lists are read without a generator of their own.
      if (axis === shape.length - 2) {
        if (reader.next() !== codes.openList) throw mismatch();
        reader.at += 1;
        const end = readRow(part, next, shape[axis + 1] ?? 0);
        if (reader.next() !== codes.closeList) throw mismatch();
        reader.at += 1;
        if (Math.floor(end / turnElements) !== Math.floor(next / turnElements)) yield;
        next = end;
      } else next = yield* readNested(part, axis + 1, next);
    }
  }
  if (reader.next() !== codes.closeList) throw mismatch();
  reader.at += 1;
  return next;
}

const readRow = (part: Part, offset: number, length: number): number => {
  const { reader, frame, target } = part;
  const { name, shape } = frame;
  const bad = readers[frame.datatype](reader, target, offset, length);
  if (bad === -1) return offset + length;
  const here = bad === separatorMissing ? 0 : reader.next();
  if (bad === separatorMissing || here === codes.closeList || here === codes.openList)
    throw refusals.nestingMismatch(name, shape);
  throw badElement(reader, frame, bad);
};

/** The refusal of the element at the reader's place. */
const badElement = (reader: JsonReader, { name, datatype }: Frame, index: number): Error => {
  const code = reader.next();
  const start = reader.at;
  if (code === codes.openList) return refusals.badElement(name, index, [], wanted[datatype]);
  if (code === codes.openObject) return refusals.badElement(name, index, {}, wanted[datatype]);
  reader.skipValue(true);
  return refusals.badElementText(name, index, reader.text(start, reader.at), wanted[datatype]);
};

/** How many elements a list has, for the words of a refusal; nested lists count as what is in them. */
const countElements = (reader: JsonReader, span: Span): number => {
  const { bytes } = reader;
  let count = 0;
  let isInside = false;
  reader.at = span.start;
  while (reader.next() !== 0 && reader.at < span.end) {
    const code = bytes[reader.at] ?? 0;
    if (code === codes.openList || code === codes.closeList || code === codes.comma) {
      reader.at += 1;
      isInside = false;
    } else if (isInside) throw reader.malformed("',' or ']'");
    else {
      reader.skipValue(true);
      count += 1;
      isInside = true;
    }
  }
  return count;
};
