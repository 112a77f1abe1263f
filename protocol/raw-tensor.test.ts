import { expect, test } from '@jest/globals';
import { allocate, type Datatype, datatypes, type Tensor } from './datatypes.ts';
import { decodeRaw, encodeRaw } from './raw-tensor.ts';

const unaligned = (bytes: Uint8Array) => {
  const room = Buffer.alloc(bytes.length + 1);
  room.set(bytes, 1);
  return room.subarray(1);
};
const tensor = (datatype: Datatype): Tensor => {
  const data = datatype === 'BYTES' ? ['a', '', 'é\u0000😀'] : allocate(datatype, 3);
  if (!Array.isArray(data)) new Uint8Array(data.buffer).set([1, 0, 1]);
  return { name: 'x', datatype, shape: [3], data };
};

test.each(datatypes)('%s comes back as it was, from any place in memory', (datatype) => {
  const { data, shape } = tensor(datatype);
  const bytes = encodeRaw({ name: 'x', datatype, shape, data });
  expect(decodeRaw('x', datatype, 3, unaligned(bytes))).toEqual(data);
});

test.each(datatypes.filter((datatype) => datatype !== 'BYTES'))(
  '%s of the wrong size is refused',
  (datatype) => {
    const bytes = encodeRaw(tensor(datatype));
    for (const wrong of [bytes.subarray(1), Buffer.concat([bytes, Buffer.alloc(1)])])
      expect(() => decodeRaw('x', datatype, 3, wrong)).toThrow(
        `unexpected size for input 'x', expecting ${bytes.length} bytes, got ${wrong.length}`,
      );
  },
);

test.each([
  ['too few', 2, '02000000616202', /at least 8 bytes|longer than its bytes/],
  ['a length beyond the end', 1, 'ffffffff61', /element 0 is longer than its bytes/],
  ['left over', 1, '010000006162', /expecting 5 bytes, got 6/],
  ['more elements than bytes', 2 ** 40, '01000000', /expecting at least/],
  ['no UTF-8', 1, '01000000ff', /element 0 is not UTF-8/],
] as const)('strings: %s', (_name, count, hex, error) => {
  expect(() => decodeRaw('x', 'BYTES', count, Buffer.from(hex, 'hex'))).toThrow(error);
});

test('a BOOL is 0 or 1', () => {
  expect(() => decodeRaw('x', 'BOOL', 1, Uint8Array.of(2))).toThrow(/element 0 is 2, wanted true or false/);
});
