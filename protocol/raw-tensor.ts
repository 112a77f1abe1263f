/** Elements of a tensor as raw little-endian bytes: blobs of the binary extension, `raw_*_contents` of gRPC. */
import { isUtf8 } from 'node:buffer';
import {
  allocate,
  type Datatype,
  elementCount,
  type NumericData,
  type Tensor,
  type TensorData,
  viewOf,
} from './datatypes.ts';
import { refusals } from './errors.ts';

/** Bytes of one element; BYTES elements differ, each has at least the four of its length. */
export const elementBytes: Readonly<Record<Datatype, number>> = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: 4,
};

/** The tensor that the bytes are read for. */
export type RawTensor = Omit<Tensor, 'data'>;

/**
 * True when the memory of a body holds nothing else, but for bytes before it that align it: its tensors may keep it and take it
 * along. What lies behind it may be the next request, however few bytes there are.
 */
export const ownsMemory = ({ buffer, byteOffset, length }: Uint8Array): boolean =>
  buffer instanceof ArrayBuffer && byteOffset < 8 && byteOffset + length === buffer.byteLength;

/**
 * Reads a blob of an input; throws a ProtocolError when it does not hold exactly the elements of the shape.
 * The elements are copied, since their buffer goes to another thread, unless the blob's memory `isOwn` and they lie in it
 * where elements may.
 */
export const decodeRaw = (input: RawTensor, bytes: Uint8Array, model: string, isOwn = false): TensorData => {
  const { name, datatype, shape } = input;
  const count = elementCount(shape);
  if (datatype === 'BYTES') return decodeStrings(input, count, bytes, model);
  const size = count * elementBytes[datatype];
  if (bytes.length !== size) throw refusals.byteSizeMismatch(name, model, size, bytes.length);
  // Every machine that onnxruntime-node runs on is little-endian, as the protocol is.
  const data =
    isOwn && bytes.byteOffset % elementBytes[datatype] === 0
      ? viewOf(datatype, bytes.buffer as ArrayBuffer, bytes.byteOffset, count)
      : copyOf(datatype, bytes, count);
  if (datatype === 'BOOL') {
    const bad = (data as Uint8Array).findIndex((value) => value > 1);
    if (bad >= 0) throw refusals.badElement(name, bad, data[bad], 'a byte of 0 or 1');
  }
  return data;
};

const copyOf = (datatype: Datatype, bytes: Uint8Array, count: number): NumericData => {
  const data = allocate(datatype, count) as NumericData;
  new Uint8Array(data.buffer).set(bytes);
  return data;
};

const decodeStrings = (input: RawTensor, count: number, bytes: Uint8Array, model: string): string[] => {
  const { name, shape } = input;
  // Compared before anything is allocated: each element has at least its length.
  if (count > bytes.length / 4) throw refusals.stringsCut(name, model, shape, bytes.length);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const texts = new Array<string>(count);
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    const start = at + 4;
    if (start > buffer.length) throw refusals.stringsCut(name, model, shape, bytes.length);
    const end = start + buffer.readUInt32LE(at);
    if (end > buffer.length) throw refusals.stringsCut(name, model, shape, bytes.length);
    if (!isUtf8(buffer.subarray(start, end))) throw refusals.badText(name, i);
    texts[i] = buffer.toString('utf8', start, end);
    at = end;
  }
  if (at !== buffer.length) throw refusals.byteSizeMismatch(name, model, at, buffer.length);
  return texts;
};

/** The elements as bytes: a view of a numeric tensor's own memory, a new buffer for BYTES. */
export const encodeRaw = ({ data }: Tensor): Uint8Array => {
  if (!Array.isArray(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  let size = 0;
  for (const text of data) size += 4 + Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const text of data) {
    const length = bytes.write(text, at + 4);
    bytes.writeUInt32LE(length, at);
    at += 4 + length;
  }
  return bytes;
};
