/** Reads protobuf wire format field by field without trusting a single length in it. */
import type { ByteSource } from './byte-source.ts';

/** The bytes are not protobuf, or end in the middle. */
export class WireError extends Error {}

/** One field of a message. A length-delimited one is the stretch from `start` to `end`, others are `value`. */
export interface Field {
  readonly number: number;
  readonly wireType: number;
  readonly value: number;
  /** Where the field's tag begins. */
  readonly tagStart: number;
  readonly start: number;
  readonly end: number;
}

const decoder = new TextDecoder('utf-8');

/** Calls `visit` with each field of the message between `start` and `end`. */
export const eachField = (
  source: ByteSource,
  start: number,
  end: number,
  visit: (field: Field) => void,
): void => {
  let position = start;
  const varint = (): number => {
    let low = 0;
    let scale = 1;
    for (let i = 0; i < 10; i += 1) {
      if (position >= end) throw new WireError(`ends in the middle of a number at byte ${position}`);
      const byte = source.byteAt(position);
      position += 1;
      low += (byte & 0x7f) * scale;
      scale *= 128;
      // Ten bytes are how a negative int64 is written.
      if (byte < 0x80) return i === 9 ? low - 2 ** 64 : low;
    }
    throw new WireError(`has a number of more than ten bytes at byte ${position}`);
  };
  while (position < end) {
    const tagStart = position;
    const tag = varint();
    const wireType = tag % 8;
    const number = Math.floor(tag / 8);
    if (number < 1 || number > 536_870_911)
      throw new WireError(`has the field number ${number} at byte ${tagStart}`);
    if (wireType === 0) {
      const value = varint();
      visit({ number, wireType, value, tagStart, start: position, end: position });
      continue;
    }
    let size: number;
    if (wireType === 2) size = varint();
    else if (wireType === 1) size = 8;
    else if (wireType === 5) size = 4;
    else throw new WireError(`has the wire type ${wireType} at byte ${tagStart}`);
    if (size < 0 || size > end - position)
      throw new WireError(
        `is cut off: a field at byte ${tagStart} wants ${size} bytes, ${end - position} are left`,
      );
    const fieldStart = position;
    position += size;
    visit({ number, wireType, value: 0, tagStart, start: fieldStart, end: position });
  }
};

/** Reads a string field; a longer one than `maxBytes` is refused. */
export const textOf = (source: ByteSource, field: Field, maxBytes = 4096): string => {
  if (field.wireType !== 2) throw new WireError(`has a number where text belongs at byte ${field.tagStart}`);
  if (field.end - field.start > maxBytes)
    throw new WireError(`has a name of ${field.end - field.start} bytes at byte ${field.tagStart}`);
  return decoder.decode(source.bytes(field.start, field.end));
};

/** Reads a repeated integer field, packed or not, into `into`; more than `max` values are refused. */
export const intsOf = (source: ByteSource, field: Field, into: number[], max: number): void => {
  if (field.wireType === 0) into.push(field.value);
  else if (field.wireType === 2) {
    let position = field.start;
    while (position < field.end) {
      let value = 0;
      let scale = 1;
      for (let i = 0; ; i += 1) {
        if (position >= field.end || i === 10)
          throw new WireError(`has a broken list of numbers at byte ${position}`);
        const byte = source.byteAt(position);
        position += 1;
        value += (byte & 0x7f) * scale;
        scale *= 128;
        if (byte < 0x80) {
          into.push(i === 9 ? value - 2 ** 64 : value);
          break;
        }
      }
      if (into.length > max) break;
    }
  }
  if (into.length > max)
    throw new WireError(`has a list of more than ${max} numbers at byte ${field.tagStart}`);
};
