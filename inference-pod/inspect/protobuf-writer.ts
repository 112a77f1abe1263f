/** Writes protobuf wire format: just enough to splice an ONNX file and to build models for tests. */

const encoder = new TextEncoder();

/** Joins byte strings. */
export const join = (parts: readonly Uint8Array[]): Uint8Array => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
};

/** A base-128 number; negative ones as ten bytes. */
export const varint = (value: number | bigint): Uint8Array => {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
};

/** Tag and length in front of a length-delimited field. */
export const lengthPrefix = (field: number, length: number): Uint8Array =>
  join([varint(field * 8 + 2), varint(length)]);

/** A length-delimited field. */
export const bytesField = (field: number, value: Uint8Array): Uint8Array =>
  join([lengthPrefix(field, value.length), value]);

/** A string field. */
export const textField = (field: number, value: string): Uint8Array =>
  bytesField(field, encoder.encode(value));

/** An integer field. */
export const intField = (field: number, value: number | bigint): Uint8Array =>
  join([varint(field * 8), varint(value)]);

/** A 32-bit float field. */
export const floatField = (field: number, value: number): Uint8Array =>
  join([varint(field * 8 + 5), new Uint8Array(Float32Array.of(value).buffer)]);

/** A field that holds another message, made of fields. */
export const messageField = (field: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  bytesField(field, join(parts));
