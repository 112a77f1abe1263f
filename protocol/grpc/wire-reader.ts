/** Reads the protobuf wire format from a message that may hold anything; whatever is wrong is a 400. */
import { ProtocolError } from '../errors.ts';

/** Kinds of fields on the wire. */
export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** The message is no protobuf, or not of the expected type. */
export const malformedMessage = (detail: string): ProtocolError =>
  new ProtocolError(400, `failed to parse the request message: ${detail}`);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const nothing = Buffer.alloc(0);
/** Below this length joining characters is faster than a decoder. */
const shortText = 48;

export class WireReader {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;
  /** Number of the field that was begun last. */
  field = 0;
  /** How its value is written. */
  kind = 0;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** Begins the next field; false at the end of the message. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const tag = this.uint32();
    this.field = tag >>> 3;
    this.kind = tag & 7;
    if (this.field === 0) throw malformedMessage('a field has the number 0');
    return true;
  }

  /** Skips the value of the field that was begun. */
  skip(): void {
    switch (this.kind) {
      case wire.varint:
        this.varint64();
        return;
      case wire.fixed64:
        this.#advance(8);
        return;
      case wire.bytes:
        this.#advance(this.uint32());
        return;
      case wire.fixed32:
        this.#advance(4);
        return;
      default:
        // Groups are of proto2 and nest without end.
        throw malformedMessage(`field ${this.field} has the wire type ${this.kind}`);
    }
  }

  /** A varint of at most 32 bits: tags, lengths. */
  uint32(): number {
    const { bytes } = this;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.at >= this.end) throw malformedMessage('it ends inside a number');
      const byte = bytes[this.at++] ?? 0;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) {
        if (value > 0xffffffff) break;
        return value;
      }
    }
    throw malformedMessage('a length is too large');
  }

  /** A varint as the 64 bits that it stands for. */
  varint64(): bigint {
    const { bytes } = this;
    let low = 0;
    for (let i = 0; i < 7; i += 1) {
      if (this.at >= this.end) throw malformedMessage('it ends inside a number');
      const byte = bytes[this.at++] ?? 0;
      low += (byte & 127) * 2 ** (7 * i);
      if (byte < 128) return BigInt(low);
    }
    let high = 0n;
    for (let i = 0n; i < 3n; i += 1n) {
      if (this.at >= this.end) throw malformedMessage('it ends inside a number');
      const byte = bytes[this.at++] ?? 0;
      high |= BigInt(byte & 127) << (7n * i);
      if (byte < 128) return BigInt.asUintN(64, (high << 49n) | BigInt(low));
    }
    throw malformedMessage('a number is longer than 64 bits');
  }

  /** An int64 as a number when that is exact, else the nearest. */
  int64(): number {
    // Small ones, which are nearly all, need no bigint.
    const byte = this.bytes[this.at];
    if (byte !== undefined && byte < 128 && this.at < this.end) {
      this.at += 1;
      return byte;
    }
    return Number(BigInt.asIntN(64, this.varint64()));
  }

  /** An int32: negative ones are written with ten bytes. */
  int32(): number {
    return Number(BigInt.asIntN(32, this.varint64()));
  }

  bool(): boolean {
    return this.varint64() !== 0n;
  }

  double(): number {
    const at = this.#advance(8);
    return this.bytes.readDoubleLE(at);
  }

  float(): number {
    const at = this.#advance(4);
    return this.bytes.readFloatLE(at);
  }

  /** The bytes of a field, not copied. */
  view(): Buffer {
    const length = this.uint32();
    if (length === 0) return nothing;
    const at = this.#advance(length);
    return this.bytes.subarray(at, at + length);
  }

  /** A message inside this one. */
  message(): WireReader {
    const length = this.uint32();
    const at = this.#advance(length);
    return new WireReader(this.bytes, at, at + length);
  }

  /** The text of a field. */
  text(): string {
    const length = this.uint32();
    const at = this.#advance(length);
    return textOf(this.bytes, at, at + length);
  }

  /** Throws unless the field that was begun has this wire type. */
  expect(kind: number): void {
    if (this.kind !== kind)
      throw malformedMessage(`field ${this.field} has the wire type ${this.kind}, it must be ${kind}`);
  }

  #advance(length: number): number {
    const at = this.at;
    if (length > this.end - at) throw malformedMessage(`field ${this.field} is longer than the message`);
    this.at = at + length;
    return at;
  }
}

/** Decodes UTF-8, or refuses it. */
const textOf = (bytes: Buffer, start: number, end: number): string => {
  if (end - start < shortText) {
    let text = '';
    let at = start;
    for (; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte > 127) break;
      text += String.fromCharCode(byte);
    }
    if (at === end) return text;
  }
  try {
    return utf8.decode(bytes.subarray(start, end));
  } catch {
    throw malformedMessage('a text is not UTF-8');
  }
};
