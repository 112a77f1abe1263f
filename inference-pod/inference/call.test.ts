/** The life of a call, with the clock as data and a queue that does what the test says. */
import { describe, expect, test } from '@jest/globals';
import type { Tensor } from '../../protocol/datatypes.ts';
import { Deadlines } from '../../queue/deadlines.ts';
import type { AdmissionState } from '../admission/admission.ts';
import { Bias } from '../admission/bias.ts';
import type { Forecast } from '../admission/wait.ts';
import type { Job } from '../batching/dispatcher.ts';
import { createInferenceService } from './service.ts';
import type { Arrival, CallRecord, InferenceDependencies, WaitingLimits, Work } from './types.ts';

const x = (rows: number): Tensor => ({
  name: 'x',
  datatype: 'FP32',
  shape: [rows, 2],
  data: new Float32Array(rows * 2),
});
const y: Tensor = { name: 'y', datatype: 'FP32', shape: [1], data: Float32Array.of(7) };
const work = (changes: Partial<Work> = {}): Work => ({
  inputs: [x(1)],
  outputs: ['y'],
  parameters: {},
  ...changes,
});

const setUp = (changes: Partial<InferenceDependencies> = {}) => {
  const clock = { ms: 100 };
  const deadlines = new Deadlines(() => clock.ms);
  const submitted: Job[] = [];
  const withdrawn: object[] = [];
  const records: CallRecord[] = [];
  const held = { requests: 0, bytes: 0 };
  const admission: { -readonly [K in keyof AdmissionState]: AdmissionState[K] } = {
    modelName: 'm',
    phase: 'ready',
    digestMoved: false,
    inFlight: 0,
    maxInFlight: 10,
    bytesHeld: 0,
    maxBytesHeld: 1000,
  };
  const waiting: { -readonly [K in keyof WaitingLimits]: WaitingLimits[K] } = {
    waiting: 0,
    maxQueue: 3,
    shedMs: undefined,
  };
  const predicted: { value: Forecast } = { value: { waitMs: 0, serviceMs: 1 } };
  const service = createInferenceService({
    modelName: 'm',
    observer: { arrived: () => undefined, finished: (_at, record) => void records.push(record) },
    nowMs: () => clock.ms,
    stoodMs: () => 0,
    timeoutMs: () => 1000,
    signature: () => ({ name: 'm', inputs: [], outputs: [] }),
    admission: () => ({ ...admission, inFlight: held.requests, bytesHeld: held.bytes }),
    hold: (requests, bytes) => {
      held.requests += requests;
      held.bytes += bytes;
    },
    waiting: () => waiting,
    deadlines,
    bias: new Bias(),
    queue: () => ({
      submit: (job) => void submitted.push(job),
      withdraw: (job) => void withdrawn.push(job),
      forecast: () => predicted.value,
    }),
    ...changes,
  });
  const begin = (arrival: Partial<Arrival> = {}) =>
    service.begin({ protocol: 'rest', requestId: 'r', bytes: 0, ...arrival });
  const at = (ms: number) => {
    clock.ms = ms;
    deadlines.advance();
  };
  return { clock, at, submitted, withdrawn, records, held, admission, waiting, predicted, begin };
};

describe('a call', () => {
  test('that is answered', async () => {
    const { begin, submitted, records, held, clock } = setUp();
    const call = begin();
    expect(call.admit().name).toBe('m');
    call.holdBytes(40);
    expect(held).toEqual({ requests: 1, bytes: 40 });
    const answer = call.infer(work({ inputs: [x(3)] }));
    expect(submitted).toMatchObject([{ rows: 3, rowElements: 2, deadlineMs: 1100, isLonely: false }]);
    clock.ms = 130;
    submitted[0]?.answer([y], { startedMs: 110, runMs: 15, rows: 5 });
    expect(await answer).toMatchObject({
      outputs: [y],
      timings: { queueMs: 10, runMs: 15, batchRows: 5 },
    });
    call.finish({ status: 200 });
    call.finish({ status: 500 });
    expect(held).toEqual({ requests: 0, bytes: 0 });
    expect(records).toMatchObject([{ outcome: { status: 200 }, latencyMs: 30, rows: 3, bytes: 40 }]);
  });

  test('that was let in and would break its promise by now: 429, and what it would have taken is learned', async () => {
    const bias = new Bias();
    const { begin, waiting, predicted, submitted, records, held, clock } = setUp({ bias });
    waiting.waiting = 1;
    waiting.shedMs = 100;
    predicted.value = { waitMs: 40, serviceMs: 10 };
    const call = begin();
    call.admit();
    const answer = call.infer(work({ inputs: [x(1)] }));
    expect(submitted).toMatchObject([{ promiseEndMs: 200 }]);
    clock.ms = 195;
    submitted[0]?.breakPromise(205, 0.5);
    await expect(answer).rejects.toMatchObject({
      status: 429,
      reason: 'PredictedWait',
      retryAfterSeconds: 1,
      message: expect.stringMatching(/predicted in 105 ms by now, later than the promised latency of 100 ms/),
    });
    expect(bias.factor).toBeCloseTo(105 / 50);
    // Half a batch broke its promise.
    expect(bias.usableShare).toBeCloseTo(0.75, 2);
    call.finish({ status: 429 });
    expect(held).toEqual({ requests: 0, bytes: 0 });
    expect(records).toMatchObject([{ outcome: { status: 429 }, latencyMs: 95 }]);
    // Nobody waits for it any more.
    submitted[0]?.answer([y], { startedMs: 195, runMs: 10, rows: 1 });
    submitted[0]?.breakPromise(205, 0.5);
    expect(bias.factor).toBeCloseTo(105 / 50);
  });

  test('that waits without shedding by the promise, or for a run that is longer than it, has no promise to break', () => {
    const { begin, waiting, predicted, submitted } = setUp();
    predicted.value = { waitMs: 40, serviceMs: 60 };
    for (const shedMs of [undefined, 100]) {
      waiting.shedMs = shedMs;
      const call = begin();
      call.admit();
      void call.infer(work({ inputs: [x(1)] }));
    }
    expect(submitted.map(({ promiseEndMs }) => promiseEndMs)).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test('is held against its prediction when its answer is written, not when its run ends', async () => {
    const bias = new Bias();
    const { begin, predicted, submitted, clock } = setUp({ bias });
    predicted.value = { waitMs: 0, serviceMs: 20 };
    const call = begin();
    call.admit();
    const answer = call.infer(work({ inputs: [x(1)] }));
    clock.ms = 120;
    submitted[0]?.answer([y], { startedMs: 100, runMs: 20, rows: 1 });
    await answer;
    clock.ms = 130;
    call.finish({ status: 200 });
    expect(bias.factor).toBeCloseTo(1.5);
    expect(bias.lastAnswerMs).toBeGreaterThan(0);
  });

  test('counts from when it came, not from when it was read', () => {
    const { begin, records } = setUp({ stoodMs: () => 12 });
    const call = begin({ clientTimeoutMs: 50 });
    expect(call.deadlineMs).toBe(138);
    call.finish({ status: 200 });
    expect(records).toMatchObject([{ startedMs: 88, latencyMs: 12 }]);
  });

  test('whose deadline passes while it waits: 504, and out of the queue', async () => {
    const { begin, at, submitted, withdrawn } = setUp();
    const call = begin({ clientTimeoutMs: 50 });
    call.admit();
    const answer = call.infer(work());
    at(149);
    expect(withdrawn).toEqual([]);
    at(150);
    await expect(answer).rejects.toMatchObject({ status: 504, reason: 'Timeout' });
    expect(withdrawn).toEqual([submitted[0]]);
    expect(submitted[0]?.cancelled).toBe(true);
  });

  test('whose deadline passes while it is read: the edge is told', () => {
    const { begin, at } = setUp();
    const call = begin();
    call.admit();
    const told: number[] = [];
    call.onTimeout((error) => told.push(error.status));
    at(1100);
    at(9000);
    expect(told).toEqual([504]);
  });

  test('that is finished hears of no deadline', () => {
    const { begin, at } = setUp();
    const call = begin();
    call.admit();
    call.onTimeout(() => {
      throw new Error('told');
    });
    call.finish({ status: 400 });
    at(9000);
  });

  test('with a timeout among its parameters: microseconds, from its arrival', async () => {
    const { begin, at } = setUp();
    const call = begin();
    call.admit();
    at(120);
    const answer = call.infer(work({ parameters: { timeout: 40_000 } }));
    expect(call.deadlineMs).toBe(140);
    at(140);
    await expect(answer).rejects.toMatchObject({
      message: 'Request timeout expired: not answered within 40 ms',
    });
    const longer = begin();
    longer.admit();
    void longer.infer(work({ parameters: { timeout: 9_000_000 } }));
    expect(longer.deadlineMs).toBe(1140);
    longer.finish({ status: 200 });
  });

  test('whose caller leaves', async () => {
    const { begin, submitted, withdrawn } = setUp();
    const call = begin();
    call.admit();
    const answer = call.infer(work());
    call.cancel();
    await expect(answer).rejects.toMatchObject({ status: 499 });
    expect(withdrawn).toEqual([submitted[0]]);
    // The runner's answer comes too late for anybody.
    submitted[0]?.answer([y], { startedMs: 1, runMs: 1, rows: 1 });
    call.finish({ status: 499 });
  });

  test('for no rows is answered without waiting', async () => {
    const { begin, submitted } = setUp({
      signature: () => ({
        name: 'm',
        inputs: [],
        outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 3] }],
      }),
    });
    const call = begin();
    call.admit();
    expect((await call.infer(work({ inputs: [x(0)] }))).outputs).toMatchObject([{ shape: [0, 3] }]);
    expect(submitted).toHaveLength(0);
    call.finish({ status: 200 });
  });
});

describe('who may not come in', () => {
  test('by the usual request, before the body is read', () => {
    const { begin, waiting, predicted, held } = setUp();
    waiting.waiting = 1;
    predicted.value = { waitMs: 950, serviceMs: 10 };
    expect(() => begin().admit()).toThrow(expect.objectContaining({ status: 429, reason: 'Deadline' }));
    waiting.waiting = 3;
    expect(() => begin().admit()).toThrow(expect.objectContaining({ reason: 'QueueFull' }));
    expect(held).toEqual({ requests: 0, bytes: 0 });
  });
  test('after so long in the socket that the promise is as good as broken', () => {
    const { begin, waiting, predicted } = setUp({ stoodMs: () => 20 });
    waiting.waiting = 1;
    waiting.shedMs = 100;
    predicted.value = { waitMs: 50, serviceMs: 10 };
    expect(begin().admit().name).toBe('m');
    predicted.value = { waitMs: 51, serviceMs: 10 };
    expect(() => begin().admit()).toThrow(expect.objectContaining({ reason: 'PredictedWait' }));
  });
  test('by what it is, once it was read', async () => {
    const { begin, waiting, predicted, submitted } = setUp();
    const call = begin({ clientTimeoutMs: 100 });
    call.admit();
    waiting.waiting = 1;
    predicted.value = { waitMs: 60, serviceMs: 31 };
    await expect(call.infer(work())).rejects.toMatchObject({ status: 429, reason: 'Deadline' });
    waiting.shedMs = 50;
    predicted.value = { waitMs: 31, serviceMs: 10 };
    await expect(call.infer(work())).rejects.toMatchObject({ status: 429, reason: 'PredictedWait' });
    expect(submitted).toHaveLength(0);
    call.finish({ status: 429 });
  });
  test('with more bytes than fit beside those of others', () => {
    const { begin, held } = setUp();
    const first = begin({ bytes: 5000 });
    first.admit();
    first.holdBytes(900);
    const second = begin({ bytes: 50 });
    second.admit();
    second.holdBytes(100);
    expect(() => second.holdBytes(101)).toThrow(
      expect.objectContaining({ status: 429, reason: 'BytesHeld' }),
    );
    expect(() => begin({ bytes: 101 }).admit()).toThrow(expect.objectContaining({ reason: 'BytesHeld' }));
    second.finish({ status: 429 });
    // One that is alone may be as large as the body's own limit allows.
    first.holdBytes(5000);
    first.finish({ status: 200 });
    expect(held).toEqual({ requests: 0, bytes: 0 });
  });
});
