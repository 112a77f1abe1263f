import { describe, expect, test } from '@jest/globals';
import { predictedWaitMs, refusalOfWait, type WaitRules } from './admission.ts';

const calm: WaitRules = { timeoutMs: 1_000, shedMs: undefined, maxWaiting: 100 };
const promised = (shedMs: number): WaitRules => ({ ...calm, shedMs });

describe('refusalOfWait', () => {
  test.each<[string, Parameters<typeof refusalOfWait>[0], WaitRules, string | undefined, number]>([
    [
      'an empty queue always admits, even where service takes longer than the promise and the deadline',
      { waiting: 0, slots: 1, serviceMs: 5_000, leftMs: 10 },
      promised(50),
      undefined,
      0,
    ],
    [
      'nothing is known of the service time yet: it may wait',
      { waiting: 50, slots: 1, serviceMs: undefined, leftMs: 1_000 },
      promised(50),
      undefined,
      0,
    ],
    [
      'the queue is full',
      { waiting: 100, slots: 1, serviceMs: undefined, leftMs: 1_000 },
      calm,
      'QueueFull',
      1,
    ],
    [
      'with shedAt Timeout a wait beyond the promise is no reason',
      { waiting: 9, slots: 1, serviceMs: 20, leftMs: 1_000 },
      calm,
      undefined,
      0,
    ],
    [
      'SLA of 100 ms, 20 ms of service: a wait of 60 ms is the most (0.8·T − S)',
      { waiting: 2, slots: 1, serviceMs: 20, leftMs: 1_000 },
      promised(100),
      undefined,
      0,
    ],
    [
      'one more in front is too many',
      { waiting: 3, slots: 1, serviceMs: 20, leftMs: 1_000 },
      promised(100),
      'PredictedWait',
      1,
    ],
    [
      'four times the slots carry four times the queue',
      { waiting: 11, slots: 4, serviceMs: 20, leftMs: 1_000 },
      promised(100),
      undefined,
      0,
    ],
    [
      'and not more',
      { waiting: 12, slots: 4, serviceMs: 20, leftMs: 1_000 },
      promised(100),
      'PredictedWait',
      1,
    ],
    [
      'a promise that service alone nearly eats still lets one service time be waited (max with S)',
      { waiting: 1, slots: 2, serviceMs: 70, leftMs: 1_000 },
      promised(80),
      undefined,
      0,
    ],
    ['but not two', { waiting: 2, slots: 2, serviceMs: 70, leftMs: 1_000 }, promised(80), 'PredictedWait', 1],
    [
      'an answer that is predicted after nine tenths of what the client waits is refused now',
      { waiting: 4, slots: 1, serviceMs: 100, leftMs: 600 },
      calm,
      'Deadline',
      1,
    ],
    [
      'one that is predicted before is not',
      { waiting: 3, slots: 1, serviceMs: 100, leftMs: 600 },
      calm,
      undefined,
      0,
    ],
    [
      'Retry-After tells when the queue will be short enough',
      { waiting: 99, slots: 1, serviceMs: 100, leftMs: 60_000 },
      promised(200),
      'PredictedWait',
      10,
    ],
  ])('%s', (_name, state, rules, reason, retryAfter) => {
    const refusal = refusalOfWait(state, rules);
    expect(refusal?.reason).toBe(reason);
    if (reason !== undefined) {
      expect(refusal?.status).toBe(429);
      expect(refusal?.retryAfterSeconds).toBe(retryAfter);
    }
  });

  test('the predicted wait is the place in the queue times S over the slots', () => {
    expect(predictedWaitMs({ waiting: 3, slots: 2, serviceMs: 50, leftMs: 1 })).toBe(100);
    expect(predictedWaitMs({ waiting: 3, slots: 0, serviceMs: 50, leftMs: 1 })).toBe(0);
  });
});
