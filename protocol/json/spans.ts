/** Looks at the shape of JSON without reading its elements, in steps of a few milliseconds. */
import { codes, type JsonReader } from './reader.ts';
import type { Span } from './tensor-data.ts';

type Steps<Result> = Generator<undefined, Result>;
type Seen = (key: string, span: Span) => void;

/** So many items are passed before others may have their turn. */
const turnItems = 8_192;

/**
 * Goes past a list or an object, checking it, and tells of each item or field. Lists in `levels` levels are gone through
 * with pauses; what is further inside is passed at once.
 */
function* walk(reader: JsonReader, levels: number, seen?: Seen): Steps<void> {
  const isObject = reader.next() === codes.openObject;
  const close = isObject ? codes.closeObject : codes.closeList;
  const inner = isObject ? levels : levels - 1;
  reader.enter();
  if (reader.next() === close) {
    reader.leave();
    return;
  }
  for (let i = 1; ; i += 1) {
    const key = isObject ? reader.string('a key in quotes') : '';
    if (isObject) reader.expect(codes.colon, "':'");
    const code = reader.next();
    const start = reader.at;
    if (inner > 0 && (code === codes.openList || code === codes.openObject)) yield* walk(reader, inner);
    else reader.skipValue(true);
    seen?.(key, { start, end: reader.at });
    if (i % turnItems === 0) yield;
    const after = reader.next();
    if (after === close) break;
    if (after !== codes.comma) throw reader.malformed(isObject ? "',' or '}'" : "',' or ']'");
    reader.at += 1;
  }
  reader.leave();
}

const isObjectAt = (reader: JsonReader, span: Span): boolean => {
  reader.at = span.start;
  return reader.next() === codes.openObject;
};

/** Where the value of each key of an object stands, or nothing when it is no object; of equal keys the last counts. */
export function* fieldsOf(reader: JsonReader, span: Span): Steps<Map<string, Span> | undefined> {
  if (!isObjectAt(reader, span)) return undefined;
  const fields = new Map<string, Span>();
  yield* walk(reader, 1, (key, value) => fields.set(key, value));
  return fields;
}

/** What a list holds: how many items, the first of them, and where each stands if it is an object. */
export interface Items {
  readonly count: number;
  readonly first: Span | undefined;
  readonly objects: readonly Span[];
}

/** Looks through a list; nothing when it is none. */
export function* itemsOf(reader: JsonReader, span: Span): Steps<Items | undefined> {
  reader.at = span.start;
  if (reader.next() !== codes.openList) return undefined;
  let count = 0;
  let first: Span | undefined;
  const objects: Span[] = [];
  yield* walk(reader, 1, (_key, item) => {
    count += 1;
    first ??= item;
    // A list of numbers would have a place for each of them: nobody asks for those.
    if (reader.bytes[item.start] === codes.openObject) objects.push(item);
  });
  return { count, first, objects };
}

/** How long nested lists are, by the first item of each level; others are checked when they are read. */
export function* shapeOf(reader: JsonReader, span: Span): Steps<number[]> {
  const shape: number[] = [];
  for (let at: Span | undefined = span; at !== undefined; ) {
    const items: Items | undefined = yield* itemsOf(reader, at);
    if (items === undefined) break;
    shape.push(items.count);
    at = items.first;
  }
  return shape;
}
