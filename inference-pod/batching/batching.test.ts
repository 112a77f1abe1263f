import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { allocate, type Datatype, type Tensor } from '../../protocol/datatypes.ts';
import { type Batchable, chooseMaxRows, groupKeyOf, joinInputs, splitOutputs } from './batching.ts';
import { BatchQueue, type Waiting } from './queue.ts';
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
  ['the smallest that is good enough', { 1: 1, 2: 1, 4: 1.05, 8: 2.1, 16: 4.2 }, 4],
  ['one where batches do harm', { 1: 1, 2: 2.2, 4: 4.6 }, 1],
  ['the largest where it goes on paying', { 1: 1, 2: 1, 4: 1, 8: 1 }, 8],
  ['one when nothing was measured', {}, 1],
])('the cost curve chooses %s', (_name, costs, want) => {
  expect(chooseMaxRows(new Map(Object.entries(costs).map(([rows, ms]) => [Number(rows), ms])))).toBe(want);
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

describe('the queue', () => {
  const item = (changes: Partial<Waiting> & { id: number }) => ({
    ...request([x(1, 0)]),
    enqueuedMs: 0,
    deadlineMs: 100,
    cancelled: false,
    ...changes,
  });
  const ids = (items: readonly { id: number }[]) => items.map(({ id }) => id);
  const queueOf = (maxRows: number, ...items: ReturnType<typeof item>[]) => {
    const queue = new BatchQueue<ReturnType<typeof item>>(maxRows);
    for (const one of items) queue.add(one);
    return queue;
  };

  test('takes what waits, in order, up to the largest batch', () => {
    const queue = queueOf(3, item({ id: 1 }), item({ id: 2, rows: 2 }), item({ id: 3 }));
    expect(ids(queue.take(0).batch)).toEqual([1, 2]);
    expect(ids(queue.take(0).batch)).toEqual([3]);
    expect(queue.take(0)).toEqual({ batch: [], expired: [] });
  });
  test('a request larger than the largest batch runs alone', () => {
    const queue = queueOf(2, item({ id: 1, rows: 50 }), item({ id: 2 }));
    expect(ids(queue.take(0).batch)).toEqual([1]);
    expect(ids(queue.take(0).batch)).toEqual([2]);
  });
  test('another shape ends the batch: nobody is overtaken', () => {
    const queue = queueOf(8, item({ id: 1 }), item({ id: 2, groupKey: 'other' }), item({ id: 3 }));
    expect(ids(queue.take(0).batch)).toEqual([1]);
    expect(ids(queue.take(0).batch)).toEqual([2]);
    expect(ids(queue.take(0).batch)).toEqual([3]);
  });
  test('one row at most turns batching off', () => {
    const queue = queueOf(1, item({ id: 1 }), item({ id: 2 }));
    expect(ids(queue.take(0).batch)).toEqual([1]);
  });
  test('expired and cancelled requests are never run', () => {
    const queue = queueOf(
      8,
      item({ id: 1, deadlineMs: 5 }),
      item({ id: 2, cancelled: true }),
      item({ id: 3 }),
    );
    const { batch, expired } = queue.take(5);
    expect(ids(batch)).toEqual([3]);
    expect(ids(expired)).toEqual([1]);
    expect(queue.length).toBe(0);
    expect(queue.oldestMs).toBeUndefined();
  });
  test('the age of the oldest', () => {
    expect(queueOf(8, item({ id: 1, enqueuedMs: 7 }), item({ id: 2, enqueuedMs: 9 })).oldestMs).toBe(7);
  });
  test('no order of adding and taking loses or doubles a request', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant('take'), fc.integer({ min: 1, max: 5 }))),
        fc.integer({ min: 1, max: 8 }),
        (steps, maxRows) => {
          const queue = queueOf(maxRows);
          const out: number[] = [];
          let added = 0;
          for (const step of steps) {
            if (step === 'take') out.push(...ids(queue.take(0).batch));
            else {
              added += 1;
              queue.add(item({ id: added, rows: step as number, groupKey: `${(step as number) % 2}` }));
            }
          }
          while (queue.length > 0) out.push(...ids(queue.take(0).batch));
          expect(out).toEqual(Array.from({ length: added }, (_, i) => i + 1));
        },
      ),
    );
  });
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
