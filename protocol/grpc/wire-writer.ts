/** Writes the protobuf wire format. A message may leave room in front for the prefix that gRPC sends before it. */

const wireVarint = 0;
const wireFixed64 = 1;
const wireBytes = 2;

export class WireWriter {
  #bytes: Buffer;
  #at: number;

  /** `room` bytes stay free in front; `size` is what the message is expected to take. */
  constructor(room = 0, size = 256) {
    this.#bytes = Buffer.allocUnsafe(room + size);
    this.#at = room;
  }

  /** The message, the room in front included. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Left out when empty, as proto3 does. */
  text(field: number, value: string): this {
    return value === '' ? this : this.element(field, value);
  }

  /** A text that is written even when it is empty: one of a list. */
  element(field: number, value: string): this {
    const length = Buffer.byteLength(value);
    this.#head(field, wireBytes, length + 5);
    this.#varint(length);
    this.#at += this.#bytes.write(value, this.#at, length, 'utf8');
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#head(field, wireBytes, value.byteLength + 5);
    this.#varint(value.byteLength);
    this.#bytes.set(value, this.#at);
    this.#at += value.byteLength;
    return this;
  }

  bool(field: number, value: boolean): this {
    return value ? this.uint(field, 1) : this;
  }

  /** A whole number from 0 to 2^53. Left out when 0. */
  uint(field: number, value: number): this {
    if (value === 0) return this;
    this.#head(field, wireVarint, 10);
    this.#varint(value);
    return this;
  }

  /** An int64. */
  int(field: number, value: number | bigint): this {
    if (typeof value === 'number' && value >= 0) return this.uint(field, value);
    this.#head(field, wireVarint, 10);
    this.#varint64(BigInt(value));
    return this;
  }

  double(field: number, value: number): this {
    this.#head(field, wireFixed64, 8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
    return this;
  }

  /** A list of int64, packed. */
  packedInts(field: number, values: ArrayLike<number | bigint>): this {
    if (values.length === 0) return this;
    const inner = new WireWriter(0, values.length * 10);
    for (let i = 0; i < values.length; i += 1) {
      const value = values[i] ?? 0;
      if (typeof value === 'number' && value >= 0) inner.#varint(value);
      else inner.#varint64(BigInt(value));
    }
    return this.bytes(field, inner.finish());
  }

  /** A message inside this one. */
  message(field: number, write: (inner: WireWriter) => void): this {
    const inner = new WireWriter(0, 128);
    write(inner);
    return this.bytes(field, inner.finish());
  }

  #head(field: number, kind: number, atMost: number) {
    this.#reserve(atMost + 5);
    this.#varint(field * 8 + kind);
  }

  #reserve(bytes: number) {
    const wanted = this.#at + bytes;
    if (wanted <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(wanted, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }

  #varint(value: number) {
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#at++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  #varint64(value: bigint) {
    let rest = BigInt.asUintN(64, value);
    while (rest > 127n) {
      this.#bytes[this.#at++] = Number(rest & 127n) + 128;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
  }
}
