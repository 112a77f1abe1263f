import { expect, test } from '@jest/globals';
import type { Tensor } from '../../protocol/datatypes.ts';
import { type BatchResult, RunFailed, type Runner } from '../runner/runner.ts';
import { BatchQueue } from './batch-queue.ts';
import { CostBook } from './cost-book.ts';
import { Dispatcher, type Job } from './dispatcher.ts';

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

/** Costs nothing whatever the size: what waits is taken whole. */
const flat = new Map([1, 2, 4, 8].map((rows) => [rows, 1]));

const setUp = ({
  costs = flat as ReadonlyMap<number, number>,
  maxDelayMs = 0,
  gathers = false,
  clock = { ms: 0 },
} = {}) => {
  const { runner, runs } = fakeRunner();
  const queue = new BatchQueue<Job>();
  const book = new CostBook({ warm: costs, rowElements: 1, maxRows: 8, capMs: () => 1000 });
  const events: string[] = [];
  const dispatcher = new Dispatcher(
    queue,
    runner,
    book,
    {
      started: () => undefined,
      finished: (_at, batch) => void events.push(`finished ${batch.length}`),
      waited: () => undefined,
      batchingOff: (why) => void events.push(`off: ${why}`),
    },
    { maxDelayMs, gathers, nowMs: () => clock.ms },
  );
  const results = new Map<number, string>();
  const submit = (
    id: number,
    { isCancelled = () => false, ...changes }: Partial<Job> & { isCancelled?: () => boolean } = {},
  ) => {
    const job: Job = {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: Float32Array.of(id) }],
      outputs: ['y'],
      rows: 1,
      rowElements: 1,
      share: 1,
      groupKey: '',
      connection: undefined,
      place: undefined,
      enqueuedMs: clock.ms,
      deadlineMs: 10_000,
      promiseEndMs: Number.POSITIVE_INFINITY,
      get cancelled() {
        return isCancelled();
      },
      answer: (outputs: readonly Tensor[]) => void results.set(id, `answer ${outputs[0]?.data.join()}`),
      fail: (error) => void results.set(id, error.message),
      expire: () => void results.set(id, 'expired'),
      breakPromise: (endMs, share) => void results.set(id, `broken: ${share} would end at ${endMs}`),
      ...changes,
    };
    dispatcher.submit(job);
    return job;
  };
  return { runs, queue, book, clock, dispatcher, events, results, submit };
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

test('callers that were just answered come back in time for the next batch, where one batch is cheaper than two', async () => {
  const { runs, submit, clock } = setUp({ gathers: true });
  submit(1);
  submit(2);
  await turn();
  submit(3);
  submit(4);
  clock.ms = 1;
  runs[0]?.resolve(answerOf(2));
  await turn();
  await turn();
  expect(runs.map(({ rows }) => rows)).toEqual([2]);
  submit(5);
  submit(6);
  await turn();
  expect(runs.map(({ rows }) => rows)).toEqual([2, 4]);
  // This time nobody comes back: the next batch leaves after the millisecond that it could have saved.
  submit(7);
  clock.ms = 2;
  runs[1]?.resolve(answerOf(4));
  await turn();
  await turn();
  expect(runs).toHaveLength(2);
  clock.ms = 3;
  await turn();
  expect(runs.map(({ rows }) => rows)).toEqual([2, 4, 1]);
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
  const { runs, submit, results, events, book } = setUp();
  submit(1);
  submit(2);
  await turn();
  runs[0]?.resolve(answerOf(1));
  await turn();
  runs[1]?.resolve(answerOf(1));
  await turn();
  runs[2]?.resolve(answerOf(1));
  await turn();
  expect(book.maxRows).toBe(1);
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
  submit(1, { isCancelled: () => isGone });
  submit(2);
  await turn();
  isGone = true;
  runs[0]?.reject(new RunFailed('bad', 1));
  await turn();
  runs[1]?.resolve(answerOf(1));
  await turn();
  expect(runs).toHaveLength(2);
});

test('a request that is withdrawn is not run, and leaves nothing behind while the runner hangs', async () => {
  const { runs, submit, dispatcher, queue } = setUp();
  submit(1);
  await turn();
  const gone = Array.from({ length: 100 }, (_, i) => submit(i + 2));
  expect(queue.length).toBe(100);
  for (const job of gone) dispatcher.withdraw(job);
  expect(queue.length).toBe(0);
  runs[0]?.resolve(answerOf(1));
  await turn();
  expect(runs).toHaveLength(1);
});

test('work whose deadline passed is told so and never run', async () => {
  const { runs, submit, clock, results } = setUp();
  submit(1);
  await turn();
  submit(2, { deadlineMs: 50 });
  submit(3);
  clock.ms = 60;
  runs[0]?.resolve(answerOf(1));
  await turn();
  expect(results.get(2)).toBe('expired');
  expect(runs.map(({ rows }) => rows)).toEqual([1, 1]);
});

test('work that would break its promise is told when it would have ended, and never run', async () => {
  const { runs, submit, clock, results } = setUp({ costs: new Map([[1, 10]]) });
  submit(1);
  await turn();
  submit(2, { promiseEndMs: 19 });
  submit(3, { promiseEndMs: 20 });
  clock.ms = 10;
  runs[0]?.resolve(answerOf(1));
  await turn();
  expect(results.get(2)).toBe('broken: 0.5 would end at 20');
  expect(runs.map(({ rows }) => rows)).toEqual([1, 1]);
});

test('a forecast counts what runs and what waits, in batches as they will be', async () => {
  const costs = new Map([
    [1, 10],
    [2, 11],
    [4, 12],
  ]);
  const { submit, dispatcher, clock } = setUp({ costs });
  const like = { groupKey: '', rows: 1, rowElements: 1 };
  expect(dispatcher.forecast(undefined)).toEqual({ waitMs: 0, serviceMs: 0 });
  expect(dispatcher.forecast(like)).toEqual({ waitMs: 0, serviceMs: 10 });
  submit(1);
  await turn();
  clock.ms = 4;
  expect(dispatcher.forecast(like)).toEqual({ waitMs: 6, serviceMs: 10 });
  submit(2);
  expect(dispatcher.forecast(like)).toEqual({ waitMs: 6, serviceMs: 11 });
  for (let i = 3; i <= 6; i += 1) submit(i);
  // Five wait: a batch of four runs before; that of the new one will be full by then.
  expect(dispatcher.forecast(like)).toEqual({ waitMs: 6 + 12, serviceMs: 12 });
  // A run that is late may take as much longer again.
  clock.ms = 30;
  expect(dispatcher.forecast(like).waitMs).toBe(20 + 12);
});

test('with a delay a batch that is not full waits for more, no longer than that', async () => {
  const { runs, submit, clock } = setUp({ maxDelayMs: 20 });
  submit(1);
  await turn();
  expect(runs).toHaveLength(0);
  for (let i = 2; i <= 8; i += 1) submit(i);
  await turn();
  expect(runs.map(({ rows }) => rows)).toEqual([8]);
  runs[0]?.resolve(answerOf(8));
  await turn();
  clock.ms = 100;
  submit(9);
  clock.ms = 120;
  await turn();
  expect(runs.map(({ rows }) => rows)).toEqual([8, 1]);
});
