import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { allocate, type Datatype, type Tensor } from '../../protocol/datatypes.ts';
import { type Batchable, groupKeyOf, joinInputs, splitOutputs } from './batching.ts';
import { chooseSplitRows } from './split.ts';
import { zeroRowOutputs } from './zero-rows.ts';

const x = (rows: number, from: number): Tensor => ({
  name: 'x',
  datatype: 'FP32',
  shape: [rows, 2],
  data: Float32Array.from({ length: rows * 2 }, (_, i) => from + i),
});
const request = (inputs: Tensor[]): Batchable => ({
  inputs,
  rows: inputs[0]?.shape[0] ?? 1,
  groupKey: groupKeyOf(inputs, ['y']),
});

test('joining and splitting are inverse for every datatype', () => {
  const types: Datatype[] = ['BOOL', 'UINT8', 'INT16', 'INT64', 'UINT64', 'FP32', 'FP64', 'BYTES'];
  fc.assert(
    fc.property(
      fc.constantFrom(...types),
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 }),
      (type, rows) => {
        let next = 0;
        const requests = rows.map((count) => {
          const data = allocate(type, count * 3);
          for (let i = 0; i < data.length; i += 1) {
            next = (next + 1) % 100;
            if (Array.isArray(data)) data[i] = `s${next}`;
            else if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(next);
            else data[i] = next;
          }
          return request([{ name: 'x', datatype: type, shape: [count, 3], data }]);
        });
        const joined = joinInputs(requests);
        expect(joined[0]?.shape).toEqual([rows.reduce((sum, count) => sum + count, 0), 3]);
        const parts = splitOutputs(joined, rows);
        expect(parts?.map(([tensor]) => [...(tensor?.data ?? [])])).toEqual(
          requests.map(({ inputs }) => [...(inputs[0]?.data ?? [])]),
        );
        expect(parts?.map(([tensor]) => tensor?.shape)).toEqual(rows.map((count) => [count, 3]));
      },
    ),
  );
});

test('outputs that are not per row cannot be split', () => {
  expect(
    splitOutputs([{ name: 'y', datatype: 'FP32', shape: [1], data: Float32Array.of(1) }], [1, 1]),
  ).toBeUndefined();
  expect(
    splitOutputs([{ name: 'y', datatype: 'FP32', shape: [], data: Float32Array.of(1) }], [1]),
  ).toBeUndefined();
});

test.each([
  ['256 rows of a light model', { 1: 0.1, 2: 0.1, 32: 0.2 }, 32, 256],
  ['what takes a tenth of a second', { 1: 10, 2: 20 }, 1, 10],
  ['one row where a row takes longer', { 1: 500 }, 1, 1],
  ['the best batch where that takes longer', { 1: 50, 8: 200 }, 8, 8],
  ['little where nothing was measured', {}, 1, 1],
])('a piece is %s', (_name, costs, maxRows, want) => {
  expect(
    chooseSplitRows(new Map(Object.entries(costs).map(([rows, ms]) => [Number(rows), ms])), maxRows),
  ).toBe(want);
});

test('no rows are answered without running, unless an output is not per row', () => {
  const infer = { parameters: {}, inputs: [{ ...x(0, 0), shape: [0, 2] }], outputs: ['y'] };
  const model = (shape: number[]) => ({
    name: 'm',
    inputs: [],
    outputs: [{ name: 'y', datatype: 'FP32' as const, shape }],
  });
  expect(zeroRowOutputs(infer, model([-1, 3]))).toEqual([
    { name: 'y', datatype: 'FP32', shape: [0, 3], data: new Float32Array(0) },
  ]);
  expect(zeroRowOutputs(infer, model([1]))).toBeUndefined();
  expect(zeroRowOutputs({ ...infer, inputs: [x(1, 0)] }, model([-1, 3]))).toBeUndefined();
});
