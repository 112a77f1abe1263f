/** Writes protobuf bodies as kubectl's and helm's typed clients send them: `k8s\0` and a runtime.Unknown. */

type Part = Buffer;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(bytes);
}

/** A message of these fields, each made by `text`, `bytes`, `number` or `message`. */
export const fields = (...parts: Part[]): Buffer => Buffer.concat(parts);

/** Field of bytes. */
export const bytes = (field: number, value: Buffer): Part =>
  Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);

/** Field of text. */
export const text = (field: number, value: string): Part => bytes(field, Buffer.from(value));

/** Field of a whole number or a boolean. */
export const number = (field: number, value: number): Part =>
  Buffer.concat([varint(field * 8), varint(value)]);

/** Field of a message. */
export const message = (field: number, ...parts: Part[]): Part => bytes(field, fields(...parts));

/** One entry of a map from text to text or bytes. */
export const entry = (field: number, key: string, value: string | Buffer): Part =>
  message(field, text(1, key), bytes(2, Buffer.from(value)));

/** The body of a request: magic, then apiVersion and kind around the object. */
export const envelope = (apiVersion: string, kind: string, object: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    fields(message(1, text(1, apiVersion), text(2, kind)), bytes(2, object)),
  ]);
