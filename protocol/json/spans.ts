/** Looks at the shape of JSON without reading its elements. */
import { codes, type JsonReader } from './reader.ts';
import type { Span } from './tensor-data.ts';

/** Where each item of a list stands, or nothing when it is no list. The span must have been checked before. */
export const itemsOf = (reader: JsonReader, span: Span): Span[] | undefined => {
  reader.at = span.start;
  if (reader.next() !== codes.openList) return undefined;
  reader.at += 1;
  const items: Span[] = [];
  while (reader.next() !== codes.closeList) {
    if (reader.bytes[reader.at] === codes.comma) {
      reader.at += 1;
      reader.next();
    }
    const start = reader.at;
    reader.skipValue(true);
    items.push({ start, end: reader.at });
  }
  return items;
};

/** Where the value of each key of an object stands, or nothing when it is no object; of equal keys the last counts. */
export const fieldsOf = (reader: JsonReader, span: Span): Map<string, Span> | undefined => {
  reader.at = span.start;
  if (reader.next() !== codes.openObject) return undefined;
  reader.at += 1;
  const fields = new Map<string, Span>();
  while (reader.next() !== codes.closeObject) {
    if (reader.bytes[reader.at] === codes.comma) reader.at += 1;
    const key = reader.string();
    reader.expect(codes.colon, "':'");
    reader.next();
    const start = reader.at;
    reader.skipValue(true);
    fields.set(key, { start, end: reader.at });
  }
  return fields;
};

/** How long nested lists are, by the first item of each level; others are checked when they are read. */
export const shapeOf = (reader: JsonReader, span: Span): number[] => {
  const shape: number[] = [];
  let at: Span | undefined = span;
  while (at !== undefined) {
    const items: Span[] | undefined = itemsOf(reader, at);
    if (items === undefined) break;
    shape.push(items.length);
    at = items[0];
  }
  return shape;
};
