import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Datatype, datatypes, type Tensor } from './datatypes.ts';
import { decodeRaw, elementBytes, encodeRaw, ownsMemory } from './raw-tensor.ts';

const read = (datatype: Datatype, shape: number[], bytes: number[]) =>
  decodeRaw({ name: 'x', datatype, shape }, Uint8Array.from(bytes), 'm');

describe('the bytes of each datatype', () => {
  test.each([
    ['BOOL', [1, 0], [1, 0]],
    ['UINT8', [255], [255]],
    ['INT8', [255], [-1]],
    ['UINT16', [0x34, 0x12], [0x1234]],
    ['INT16', [0xfe, 0xff], [-2]],
    ['UINT32', [4, 3, 2, 1], [0x01020304]],
    ['INT32', [0xff, 0xff, 0xff, 0xff], [-1]],
    ['UINT64', [255, 255, 255, 255, 255, 255, 255, 255], [18446744073709551615n]],
    ['INT64', [1, 0, 0, 0, 0, 0, 32, 0], [9007199254740993n]],
    ['FP16', [0, 0x3c], [0x3c00]],
    ['BF16', [0x80, 0x3f], [0x3f80]],
    ['FP32', [0, 0, 0x80, 0x3f], [1]],
    ['FP64', [0, 0, 0, 0, 0, 0, 0xf0, 0x3f], [1]],
    ['BYTES', [2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0], ['é', '']],
  ] as const)('%s', (datatype, bytes, want) => {
    const tensor = { name: 'x', datatype, shape: [want.length] };
    const data = decodeRaw(tensor, Uint8Array.from(bytes), 'm');
    expect([...data]).toEqual([...want]);
    expect([...encodeRaw({ ...tensor, data })]).toEqual([...bytes]);
  });
  test('none is forgotten', () => {
    expect(Object.keys(elementBytes).sort()).toEqual([...datatypes].sort());
  });
});

test('a blob may begin at any byte, and its memory is not shared', () => {
  const body = new Uint8Array(9);
  new DataView(body.buffer).setFloat32(1, 1.5, true);
  const data = decodeRaw({ name: 'x', datatype: 'FP32', shape: [2] }, body.subarray(1), 'm');
  expect([...data]).toEqual([1.5, 0]);
  expect((data as Float32Array).buffer).not.toBe(body.buffer);
});

test('a blob that has its memory for itself is not copied where its elements lie as elements may', () => {
  const decode = (from: number, isOwn: boolean) =>
    decodeRaw({ name: 'x', datatype: 'FP32', shape: [2] }, body.subarray(from, from + 8), 'm', isOwn);
  const body = new Uint8Array(16);
  new DataView(body.buffer).setFloat32(4, 1.5, true);
  const kept = decode(4, true) as Float32Array;
  expect([...kept]).toEqual([1.5, 0]);
  expect(kept.buffer).toBe(body.buffer);
  expect((decode(5, true) as Float32Array).buffer).not.toBe(body.buffer);
  expect((decode(4, false) as Float32Array).buffer).not.toBe(body.buffer);
  expect(ownsMemory(body.subarray(7))).toBe(true);
  expect(ownsMemory(body.subarray(8))).toBe(false);
  expect(ownsMemory(body.subarray(0, body.length - 1))).toBe(false);
  // What Node cuts from its pool shares it with others.
  expect(ownsMemory(Buffer.from('a body'))).toBe(false);
});

describe('refused', () => {
  test.each([
    ['FP32', [2], [0, 0, 0, 0], "input byte size mismatch for input 'x' for model 'm'. Expected 8, got 4"],
    ['FP32', [1], [0, 0, 0, 0, 0], "input byte size mismatch for input 'x' for model 'm'. Expected 4, got 5"],
    ['INT8', [2 ** 52, 2], [1], /Expected 9007199254740992, got 1$/],
    ['BOOL', [2], [1, 2], "input 'x': element 1 is 2, wanted a byte of 0 or 1"],
    ['BYTES', [1], [9, 0, 0, 0, 65], /wants 1 elements of BYTES.*the 5 bytes end before/],
    ['BYTES', [2], [1, 0, 0, 0, 65], /wants 2 elements/],
    ['BYTES', [2], [4, 0, 0, 0, 65, 65, 65, 65], /wants 2 elements/],
    ['BYTES', [2 ** 40], [1, 0, 0, 0, 65], /wants 1099511627776 elements/],
    ['BYTES', [1], [255, 255, 255, 255, 65], /wants 1 elements/],
    ['BYTES', [1], [1, 0, 0, 0, 65, 66], 'Expected 5, got 6'],
    ['BYTES', [1], [1, 0, 0, 0, 0xff], "input 'x': element 0 is no UTF-8"],
  ] as const)('%s %j of %j', (datatype, shape, bytes, error) => {
    expect(() => read(datatype, [...shape], [...bytes])).toThrow(error);
  });
});

test('any strings come back', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), (data) => {
      const tensor: Tensor = { name: 'x', datatype: 'BYTES', shape: [data.length], data };
      expect(decodeRaw(tensor, encodeRaw(tensor), 'm')).toEqual(data);
    }),
  );
});
