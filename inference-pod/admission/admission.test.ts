import { describe, expect, test } from '@jest/globals';
import {
  type AdmissionState,
  allowedMs,
  clientTimeoutMs,
  Overloaded,
  refusalAtArrival,
  timedOut,
} from './admission.ts';
import { HeldRequests } from './held.ts';

const open: AdmissionState = {
  modelName: 'm',
  phase: 'ready',
  digestMoved: false,
  admitted: 0,
  maxQueue: 10,
  bytesHeld: 0,
  maxBytesHeld: 1000,
  serviceSeconds: 0.5,
};

describe('at arrival', () => {
  const cases: Record<
    string,
    { state: Partial<AdmissionState>; bytes?: number; want?: [number, RegExp, number] }
  > = {
    'an empty queue admits': { state: {} },
    'an empty queue admits whatever the body': { state: { maxQueue: 1 }, bytes: 5000 },
    'a queue with room admits': { state: { admitted: 9 }, bytes: 10 },
    'a draining pod still admits': { state: { phase: 'draining' } },
    'a full queue': {
      state: { admitted: 10 },
      want: [429, /^Exceeds maximum queue size: 10 requests wait$/, 5],
    },
    'bodies that fill the memory': {
      state: { admitted: 2, bytesHeld: 900 },
      bytes: 101,
      want: [429, /bodies of 900 bytes wait/, 1],
    },
    'a pod that loads': { state: { phase: 'loading' }, want: [503, /^model 'm' is not ready$/, 1] },
    'a pod with another file than the revision’s': {
      state: { digestMoved: true },
      want: [503, /^model 'm' is not ready$/, 1],
    },
    'a pod that stops': { state: { phase: 'stopping' }, want: [503, /shutting down/, 1] },
  };
  test.each(Object.entries(cases))('%s', (_name, { state, bytes, want }) => {
    const refusal = refusalAtArrival({ ...open, ...state }, bytes ?? 0);
    if (want === undefined) expect(refusal).toBeUndefined();
    else {
      const [status, message, retryAfterSeconds] = want;
      expect(refusal).toBeInstanceOf(Overloaded);
      expect(refusal).toMatchObject({ status, message: expect.stringMatching(message), retryAfterSeconds });
    }
  });
});

test('a caller may shorten the wait and never lengthen it', () => {
  expect(allowedMs(1000, undefined)).toBe(1000);
  expect(allowedMs(1000, 200)).toBe(200);
  expect(allowedMs(1000, 5000)).toBe(1000);
  expect(allowedMs(1000, 0)).toBe(1000);
  expect(clientTimeoutMs({ 'x-request-timeout-ms': '250' })).toBe(250);
  expect(clientTimeoutMs({ 'x-envoy-expected-rq-timeout-ms': '300' })).toBe(300);
  expect(clientTimeoutMs({ 'x-request-timeout-ms': '-1' })).toBeUndefined();
  expect(clientTimeoutMs({ 'x-request-timeout-ms': 'soon' })).toBeUndefined();
  expect(timedOut(250)).toMatchObject({
    status: 504,
    message: 'Request timeout expired: not answered within 250 ms',
  });
});

test('held requests are waited for, up to a limit', async () => {
  const held = new HeldRequests();
  expect(await held.whenEmpty(0)).toBe(true);
  held.add(1, 10);
  expect(await held.whenEmpty(1)).toBe(false);
  const empty = held.whenEmpty(10_000);
  held.add(-1, -10);
  expect(await empty).toBe(true);
  expect(held.bytes).toBe(0);
});
