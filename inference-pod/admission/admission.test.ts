import { describe, expect, test } from '@jest/globals';
import {
  type AdmissionState,
  Overloaded,
  parameterTimeoutMs,
  refusalAtArrival,
  timedOut,
} from './admission.ts';
import { HeldRequests } from './held.ts';

const open: AdmissionState = {
  modelName: 'm',
  phase: 'ready',
  digestMoved: false,
  inFlight: 0,
  maxInFlight: 10,
  bytesHeld: 0,
  maxBytesHeld: 1000,
};

describe('at arrival', () => {
  const cases: Record<
    string,
    { state: Partial<AdmissionState>; bytes?: number; want?: [number, RegExp, string] }
  > = {
    'an empty pod admits': { state: {} },
    'an empty pod admits whatever the body': { state: { maxInFlight: 1 }, bytes: 5000 },
    'a pod with room admits': { state: { inFlight: 9 }, bytes: 10 },
    'a draining pod still admits': { state: { phase: 'draining' } },
    'too many in flight': {
      state: { inFlight: 10 },
      want: [429, /^Exceeds maximum requests in flight: 10$/, 'TooManyInFlight'],
    },
    'bodies that fill the memory': {
      state: { inFlight: 2, bytesHeld: 900 },
      bytes: 101,
      want: [429, /bodies of 900 bytes are held/, 'BytesHeld'],
    },
    'uploads that hold nothing yet keep nobody out': { state: { inFlight: 2 }, bytes: 5000 },
    'a pod that loads': { state: { phase: 'loading' }, want: [503, /^model 'm' is not ready$/, 'NotReady'] },
    'a pod with another file than the revision’s': {
      state: { digestMoved: true },
      want: [503, /^model 'm' is not ready$/, 'NotReady'],
    },
    'a pod that stops': { state: { phase: 'stopping' }, want: [503, /shutting down/, 'Stopping'] },
  };
  test.each(Object.entries(cases))('%s', (_name, { state, bytes, want }) => {
    const refusal = refusalAtArrival({ ...open, ...state }, bytes ?? 0);
    if (want === undefined) expect(refusal).toBeUndefined();
    else {
      const [status, message, reason] = want;
      expect(refusal).toBeInstanceOf(Overloaded);
      expect(refusal).toMatchObject({
        status,
        message: expect.stringMatching(message),
        reason,
        retryAfterSeconds: 1,
      });
    }
  });
});

test('a caller may shorten the wait and never lengthen it', () => {
  expect(timedOut(250)).toMatchObject({
    status: 504,
    message: 'Request timeout expired: not answered within 250 ms',
  });
});

test.each([
  [250_000, 250],
  ['250000', 250],
  [0, undefined],
  [-1, undefined],
  ['soon', undefined],
  [true, undefined],
  [undefined, undefined],
])('the parameter timeout %p is %p ms', (timeout, want) => {
  expect(parameterTimeoutMs(timeout)).toBe(want);
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
