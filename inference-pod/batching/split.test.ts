import { expect, test } from '@jest/globals';
import type { Job } from './dispatcher.ts';
import { createPieceSink } from './split.ts';

test('a request that runs in pieces may be dropped for its promise before the first has run, and no more after it', () => {
  const submitted: Job[] = [];
  const sink = createPieceSink(
    { submit: (job) => void submitted.push(job), withdraw: () => undefined },
    2,
    () => 7,
  );
  const told: string[] = [];
  sink.submit({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [3, 1], data: Float32Array.of(1, 2, 3) }],
    outputs: ['y'],
    rows: 3,
    rowElements: 1,
    share: 1,
    groupKey: '',
    connection: undefined,
    place: undefined,
    enqueuedMs: 0,
    deadlineMs: 1000,
    promiseEndMs: 90,
    cancelled: false,
    answer: () => void told.push('answered'),
    fail: (error) => void told.push(error.message),
    expire: () => void told.push('expired'),
    breakPromise: (endMs, share) => void told.push(`broken at ${endMs}, ${share}`),
  });
  expect(submitted).toMatchObject([{ rows: 2, promiseEndMs: 90 }]);
  submitted[0]?.answer([{ name: 'y', datatype: 'FP32', shape: [2], data: Float32Array.of(1, 2) }], {
    startedMs: 1,
    runMs: 1,
    rows: 2,
  });
  expect(submitted[1]).toMatchObject({ rows: 1, deadlineMs: 1000, promiseEndMs: Number.POSITIVE_INFINITY });
  submitted[0]?.breakPromise(95, 0.25);
  expect(told).toEqual(['broken at 95, 0.25']);
});
