import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { classify } from './classification.ts';
import type { Tensor } from './datatypes.ts';

const floats = (shape: number[], values: number[]): Tensor => ({
  name: 'p',
  datatype: 'FP32',
  shape,
  data: Float32Array.from(values),
});

test('the highest of each row, with their place, in falling order', () => {
  expect(classify(floats([2, 3], [0.1, 0.7, 0.2, 0.5, 0.25, 0.25]), 2)).toEqual({
    name: 'p',
    datatype: 'BYTES',
    shape: [2, 2],
    data: ['0.7:1', '0.2:2', '0.5:0', '0.25:1'],
  });
});
test('more than there are gives all; labels follow where they are known', () => {
  const { shape, data } = classify(floats([1, 3], [1, 3, 2]), 10, ['a', 'b']);
  expect([shape, data]).toEqual([
    [1, 3],
    ['3:1:b', '2:2', '1:0:a'],
  ]);
});
test('a list without rows is one row; no rows stay no rows', () => {
  expect(classify(floats([3], [1, 3, 2]), 1)).toMatchObject({ shape: [1], data: ['3:1'] });
  expect(classify(floats([0, 3], []), 2)).toMatchObject({ shape: [0, 2], data: [] });
});
test('integers are exact, NaN is below everything', () => {
  const big = {
    name: 'p',
    datatype: 'INT64',
    shape: [1, 2],
    data: BigInt64Array.of(1n, 2n ** 60n + 1n),
  } as const;
  expect(classify(big, 1).data).toEqual(['1152921504606846977:1']);
  expect(classify(floats([1, 3], [Number.NaN, -1, 5]), 3).data).toEqual(['5:2', '-1:1', 'NaN:0']);
});
test.each(['BYTES', 'BOOL', 'FP16'] as const)('%s has no classes', (datatype) => {
  const data = datatype === 'BYTES' ? ['a'] : datatype === 'BOOL' ? Uint8Array.of(1) : Uint16Array.of(1);
  expect(() => classify({ name: 'p', datatype, shape: [1, 1], data }, 1)).toThrow(
    `output 'p' has data-type ${datatype}, which has no highest values`,
  );
});
test('few or many, sorted or kept in place: the same', () => {
  const value = fc.oneof(fc.float(), fc.constantFrom(0, 1, Number.NaN));
  fc.assert(
    fc.property(fc.array(value, { minLength: 40, maxLength: 60 }), (values) => {
      const many = classify(floats([1, values.length], values), 40).data;
      expect(classify(floats([1, values.length], values), 20).data).toEqual(many.slice(0, 20));
    }),
  );
});
