import { expect, test } from '@jest/globals';
import { Bias } from './bias.ts';
import { promiseBroken, promiseEndMs, promiseShare, refusalOfWait, type WaitState } from './wait.ts';

const calm: WaitState = {
  waiting: 5,
  maxQueue: 10,
  waitMs: 20,
  serviceMs: 10,
  stoodMs: 0,
  leftMs: 1000,
  shedMs: undefined,
  usableShare: promiseShare,
};

const cases: Record<string, { state: Partial<WaitState>; want?: [RegExp, string, number] }> = {
  'a short wait': { state: {} },
  'an empty queue, whatever is predicted': {
    state: { waiting: 0, waitMs: 1e6, serviceMs: 1e6, leftMs: 1, shedMs: 1, maxQueue: 1 },
  },
  'a full queue': {
    state: { waiting: 10, waitMs: 3200 },
    want: [/^Exceeds maximum queue size: 10 requests wait$/, 'QueueFull', 4],
  },
  'a deadline that can just be met': { state: { leftMs: 34 } },
  'a deadline that cannot': {
    state: { leftMs: 33 },
    want: [/^the answer is predicted in 30 ms, too late for the 33 ms/, 'Deadline', 1],
  },
  'the timeout of the deployment is such a deadline': {
    state: { waitMs: 2500, leftMs: 1000 },
    want: [/too late for the 1000 ms/, 'Deadline', 2],
  },
  'a wait at the bound of the promise: 0.8·T − S': { state: { shedMs: 50, waitMs: 30 } },
  'a wait above it': {
    state: { shedMs: 50, waitMs: 30.1 },
    want: [
      /^the predicted wait of 30 ms is more than the 30 ms that the promised latency of 50 ms/,
      'PredictedWait',
      1,
    ],
  },
  'the time in the socket is part of the promise': {
    state: { shedMs: 50, waitMs: 26, stoodMs: 5 },
    want: [/more than the 25 ms that the promised latency of 50 ms leaves/, 'PredictedWait', 1],
  },
  'less of the promise where it was broken': {
    state: { shedMs: 50, waitMs: 20.1, usableShare: 0.6 },
    want: [/more than the 20 ms that the promised latency of 50 ms leaves/, 'PredictedWait', 1],
  },
  'a promise below the service time still lets one wait for one': {
    state: { shedMs: 5, waitMs: 10 },
  },
  'and no more': {
    state: { shedMs: 5, waitMs: 10.1 },
    want: [/more than the 10 ms/, 'PredictedWait', 1],
  },
  'without shedAt: SLA the promise refuses nobody': { state: { waitMs: 300, leftMs: 1000 } },
};
test.each(Object.entries(cases))('%s', (_name, { state, want }) => {
  const refusal = refusalOfWait({ ...calm, ...state });
  if (want === undefined) expect(refusal).toBeUndefined();
  else {
    const [message, reason, retryAfterSeconds] = want;
    expect(refusal).toMatchObject({
      status: 429,
      message: expect.stringMatching(message),
      reason,
      retryAfterSeconds,
    });
  }
});

test('the promise ends with the written answer: the run must have ended before', () => {
  const promised = { startedMs: 1000, serviceMs: 10, shedMs: 100, lastAnswerMs: 3 };
  expect(promiseEndMs(promised)).toBe(1097);
  expect(promiseEndMs({ ...promised, serviceMs: 40 })).toBe(1097);
  // Let in by its service time and not by the promise, which leaves no room for a wait: it is not dropped for that.
  expect(promiseEndMs({ ...promised, serviceMs: 41 })).toBe(Number.POSITIVE_INFINITY);
  expect(promiseEndMs({ ...promised, shedMs: undefined })).toBe(Number.POSITIVE_INFINITY);
  expect(promiseBroken(103.4, 100)).toMatchObject({
    status: 429,
    message:
      'the answer is predicted in 103 ms by now, later than the promised latency of 100 ms (spec.traffic.shedAt)',
    reason: 'PredictedWait',
    retryAfterSeconds: 1,
  });
});

test('predictions are corrected by what came of them, upwards only', () => {
  const bias = new Bias();
  expect(bias.factor).toBe(1);
  for (let i = 0; i < 200; i += 1) bias.observe(10, 20, 1);
  expect(bias.factor).toBeCloseTo(2, 1);
  // A short prediction that was far off weighs by its size.
  bias.observe(0.1, 2, 1);
  expect(bias.factor).toBeLessThan(2.2);
  for (let i = 0; i < 2000; i += 1) bias.observe(10, 1, 1);
  expect(bias.factor).toBe(1);
  for (let i = 0; i < 500; i += 1) bias.observe(1, 1000, 1);
  expect(bias.factor).toBe(4);
});

test('batches count, not their answers: one batch of 32 that was late is not what most batches were', () => {
  const bias = new Bias();
  const batch = (observedMs: number) => {
    for (let i = 0; i < 32; i += 1) bias.observe(80, observedMs, 1 / 32);
  };
  for (let i = 0; i < 100; i += 1) batch(80);
  batch(160);
  // By answers the mean would be three quarters of the way to the late batch.
  expect(bias.factor).toBeGreaterThan(1);
  expect(bias.factor).toBeLessThan(1.25);
  const single = new Bias();
  for (let i = 0; i < 100; i += 1) single.observe(80, 80, 1);
  single.observe(80, 160, 1);
  expect(bias.factor).toBeCloseTo(single.factor, 1);
});

test('the first answers are taken as they are: ten are a mean of ten', () => {
  const bias = new Bias();
  bias.observe(50, 100, 1);
  for (let i = 0; i < 9; i += 1) bias.observe(50, 50, 1);
  expect(bias.factor).toBeCloseTo(1.1);
});

test('promises that are broken leave less of the next to waiting, until one batch in two hundred breaks it', () => {
  const bias = new Bias();
  bias.promised(true, 1);
  expect(bias.usableShare).toBe(0.8);
  for (let i = 0; i < 32; i += 1) bias.promised(false, 1 / 32);
  expect(bias.usableShare).toBeCloseTo(0.7, 2);
  for (let i = 0; i < 100; i += 1) bias.promised(true, 1);
  expect(bias.usableShare).toBeCloseTo(0.75, 2);
  for (let i = 0; i < 100; i += 1) bias.promised(true, 1);
  expect(bias.usableShare).toBeCloseTo(0.8, 2);
  // However many: what is refused for caution must not be all.
  for (let i = 0; i < 1000; i += 1) bias.promised(false, 1);
  expect(bias.usableShare).toBe(0.5);
});

test('the last answer of a batch is written twice as late as the mean one', () => {
  const bias = new Bias();
  for (let i = 0; i < 200; i += 1) for (let at = 0; at < 8; at += 1) bias.written(at * 0.5, 1 / 8);
  expect(bias.lastAnswerMs).toBeCloseTo(3.5, 1);
});
