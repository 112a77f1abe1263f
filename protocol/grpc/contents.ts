/** The elements of a tensor in InferTensorContents: a list for each group of datatypes. */

import { isUtf8 } from 'node:buffer';
import { allocate, type Datatype, type Tensor, type TensorData } from '../datatypes.ts';
import { ProtocolError, refusals } from '../errors.ts';
import { wanted } from '../json/elements.ts';
import { malformedMessage, type WireReader, wire } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

const lists = {
  bool_contents: 1,
  int_contents: 2,
  int64_contents: 3,
  uint_contents: 4,
  uint64_contents: 5,
  fp32_contents: 6,
  fp64_contents: 7,
  bytes_contents: 8,
} as const;
type List = keyof typeof lists;
const listNames = Object.keys(lists) as List[];

const listOf: Partial<Record<Datatype, List>> = {
  BOOL: 'bool_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
};

/** True when elements of the datatype can be carried in a list at all. */
export const hasContents = (datatype: Datatype): boolean => listOf[datatype] !== undefined;

const ranges: Partial<Record<Datatype, readonly [min: number, max: number]>> = {
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  UINT8: [0, 255],
  UINT16: [0, 65_535],
};

/** Reads the elements of an input: as many as its shape says, in the list of its datatype and in no other. */
export const readContents = (
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  count: number,
  contents: WireReader | undefined,
): TensorData => {
  const list = listOf[datatype];
  if (list === undefined)
    throw new ProtocolError(
      400,
      `input '${name}' has data-type ${datatype}, which can be carried in raw_input_contents only`,
    );
  if (contents === undefined) {
    if (count > 0) throw refusals.countMismatch(name, shape, count, 0);
    return allocate(datatype, 0);
  }
  // The smallest element takes a byte: a shape cannot ask for memory that no bytes fill.
  if (count > contents.end - contents.at) throw refusals.countMismatch(name, shape, count, 0);
  const target = allocate(datatype, count);
  let at = 0;
  while (contents.next()) {
    const { field } = contents;
    if (field > listNames.length) {
      contents.skip();
      continue;
    }
    if (field !== lists[list])
      throw new ProtocolError(
        400,
        `input '${name}' has its elements in ${listNames[field - 1]}, those of data-type ${datatype} go into ${list}`,
      );
    at = readList({ name, datatype, shape, count }, contents, target, at);
  }
  if (at !== count) throw refusals.countMismatch(name, shape, count, at);
  return target;
};

interface Reading {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly count: number;
}

/** A packed list, or one element of a list that is not; returns where the next element goes. */
const readList = (reading: Reading, reader: WireReader, target: TensorData, at: number): number => {
  const { name, datatype, shape, count } = reading;
  if (Array.isArray(target)) {
    reader.expect(wire.bytes);
    if (at >= count) throw refusals.countMismatch(name, shape, count, at + 1);
    const bytes = reader.view();
    if (!isUtf8(bytes)) throw refusals.badText(name, at);
    target[at] = bytes.toString('utf8');
    return at + 1;
  }
  const size = datatype === 'FP32' ? 4 : datatype === 'FP64' ? 8 : 0;
  if (reader.kind === wire.bytes) {
    const packed = reader.message();
    if (size > 0) return copyFloats(reading, packed, size, target, at);
    let next = at;
    while (packed.at < packed.end) next = readOne(reading, packed, target, next);
    return next;
  }
  reader.expect(size === 4 ? wire.fixed32 : size === 8 ? wire.fixed64 : wire.varint);
  return readOne(reading, reader, target, at);
};

const copyFloats = (
  { name, shape, count }: Reading,
  packed: WireReader,
  size: number,
  target: Exclude<TensorData, string[]>,
  at: number,
): number => {
  const bytes = packed.end - packed.at;
  if (bytes % size !== 0) throw malformedMessage(`the list of input '${name}' ends inside an element`);
  const next = at + bytes / size;
  if (next > count) throw refusals.countMismatch(name, shape, count, next);
  new Uint8Array(target.buffer).set(packed.bytes.subarray(packed.at, packed.end), at * size);
  return next;
};

const readOne = (
  { name, datatype, shape, count }: Reading,
  reader: WireReader,
  target: Exclude<TensorData, string[]>,
  at: number,
): number => {
  if (at >= count) throw refusals.countMismatch(name, shape, count, at + 1);
  switch (datatype) {
    case 'INT64':
      (target as BigInt64Array)[at] = BigInt.asIntN(64, reader.varint64());
      break;
    case 'UINT64':
      (target as BigUint64Array)[at] = reader.varint64();
      break;
    case 'FP32':
      target[at] = reader.float();
      break;
    case 'FP64':
      target[at] = reader.double();
      break;
    case 'BOOL':
      target[at] = reader.bool() ? 1 : 0;
      break;
    default: {
      const isSigned = datatype.startsWith('INT');
      const value = isSigned ? reader.int32() : Number(BigInt.asUintN(32, reader.varint64()));
      const range = ranges[datatype];
      if (range !== undefined && (value < range[0] || value > range[1]))
        throw refusals.badElement(name, at, value, wanted[datatype]);
      target[at] = value;
    }
  }
  return at + 1;
};

/** Writes the elements of an output into its InferTensorContents. */
export const writeContents = (tensor: Tensor, writer: WireWriter): void => {
  const { data, datatype } = tensor;
  const field = lists[listOf[datatype] ?? 'bytes_contents'];
  if (Array.isArray(data)) for (const text of data) writer.element(field, text);
  else if (datatype === 'FP32' || datatype === 'FP64') {
    if (data.length > 0) writer.bytes(field, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  } else writer.packedInts(field, data);
};
