import { expect, test } from '@jest/globals';
import type { Tensor } from '../../protocol/datatypes.ts';
import { type BatchResult, RunFailed, type Runner } from '../runner/runner.ts';
import { Dispatcher, type Job } from './dispatcher.ts';
import { BatchQueue } from './queue.ts';

/** A runner whose runs end when the test says so. */
const fakeRunner = () => {
  const runs: { rows: number; resolve(result: BatchResult): void; reject(error: Error): void }[] = [];
  let running = 0;
  const runner: Runner = {
    busySinceMs: undefined,
    stop: () => Promise.resolve(),
    run: (inputs) =>
      new Promise((resolve, reject) => {
        running += 1;
        expect(running).toBe(1);
        const end =
          <T>(settle: (value: T) => void) =>
          (value: T) => {
            running -= 1;
            settle(value);
          };
        runs.push({ rows: inputs[0]?.shape[0] ?? 0, resolve: end(resolve), reject: end(reject) });
      }),
  };
  return { runner, runs };
};
const answerOf = (rows: number): BatchResult => ({
  outputs: [
    { name: 'y', datatype: 'FP32', shape: [rows], data: Float32Array.from({ length: rows }, (_, i) => i) },
  ],
  runMs: 1,
});

const setUp = (maxRows = 8) => {
  const { runner, runs } = fakeRunner();
  const queue = new BatchQueue<Job>(maxRows);
  const events: string[] = [];
  const dispatcher = new Dispatcher(
    queue,
    runner,
    {
      started: () => undefined,
      finished: (_at, batch) => void events.push(`finished ${batch.length}`),
      waited: () => undefined,
      batchingOff: (why) => void events.push(`off: ${why}`),
    },
    () => 0,
  );
  const results = new Map<number, string>();
  const submit = (id: number, isCancelled: () => boolean = () => false) =>
    dispatcher.submit({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: Float32Array.of(id) }],
      outputs: ['y'],
      rows: 1,
      share: 1,
      groupKey: '',
      enqueuedMs: 0,
      deadlineMs: 1,
      get cancelled() {
        return isCancelled();
      },
      answer: (outputs: readonly Tensor[]) => void results.set(id, `answer ${outputs[0]?.data.join()}`),
      fail: (error) => void results.set(id, error.message),
    });
  return { runs, queue, dispatcher, events, results, submit };
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('requests of one turn of the loop share a batch; what comes while it runs shares the next', async () => {
  const { runs, submit, results } = setUp();
  submit(1);
  submit(2);
  await turn();
  submit(3);
  submit(4);
  submit(5);
  await turn();
  expect(runs.map(({ rows }) => rows)).toEqual([2]);
  runs[0]?.resolve(answerOf(2));
  await turn();
  expect(runs.map(({ rows }) => rows)).toEqual([2, 3]);
  expect([...results]).toEqual([
    [1, 'answer 0'],
    [2, 'answer 1'],
  ]);
});

test('members of a failed batch are tried alone, once, before others', async () => {
  const { runs, submit, results } = setUp();
  submit(1);
  submit(2);
  await turn();
  submit(3);
  runs[0]?.reject(new RunFailed('bad', 1));
  await turn();
  runs[1]?.resolve(answerOf(1));
  await turn();
  runs[2]?.reject(new RunFailed('bad', 1));
  await turn();
  runs[3]?.resolve(answerOf(1));
  await turn();
  expect(runs.map(({ rows }) => rows)).toEqual([2, 1, 1, 1]);
  expect([...results]).toEqual([
    [1, 'answer 0'],
    [2, 'bad'],
    [3, 'answer 0'],
  ]);
});

test('outputs without one row per row turn batching off and are asked for singly', async () => {
  const { runs, submit, results, events, queue } = setUp();
  submit(1);
  submit(2);
  await turn();
  runs[0]?.resolve(answerOf(1));
  await turn();
  runs[1]?.resolve(answerOf(1));
  await turn();
  runs[2]?.resolve(answerOf(1));
  await turn();
  expect(queue.maxRows).toBe(1);
  expect(events).toContain('off: an output has not one row per row of input');
  expect(results.size).toBe(2);
});

test('a lost runner fails every member at once', async () => {
  const { runs, submit, results } = setUp();
  submit(1);
  submit(2);
  await turn();
  runs[0]?.reject(new Error('the runner thread ended with code 1'));
  await turn();
  expect([...results.values()]).toEqual([
    'the runner thread ended with code 1',
    'the runner thread ended with code 1',
  ]);
});

test('a member that was cancelled in between is not run again', async () => {
  const { runs, submit } = setUp();
  let isGone = false;
  submit(1, () => isGone);
  submit(2);
  await turn();
  isGone = true;
  runs[0]?.reject(new RunFailed('bad', 1));
  await turn();
  runs[1]?.resolve(answerOf(1));
  await turn();
  expect(runs).toHaveLength(2);
});
