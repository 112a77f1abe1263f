import { expect, test } from '@jest/globals';
import { isSampled, readTrace, traceOfHeaders, traceResponse } from './trace.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';
const valid = `00-${traceId}-${parentId}-01`;

test('a valid traceparent gives the caller’s ids and a span of its own', () => {
  const trace = readTrace(valid, 'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7');
  expect(trace).toEqual({
    traceId,
    parentId,
    spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
    flags: '01',
    state: 'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7',
  });
  expect(trace && traceResponse(trace)).toBe(`00-${traceId}-${trace?.spanId}-01`);
});

test('spans differ', () => {
  const ids = Array.from({ length: 2000 }, () => readTrace(valid)?.spanId);
  expect(new Set(ids).size).toBe(2000);
});

test.each([
  ['nothing', undefined],
  ['empty', ''],
  ['upper case', valid.toUpperCase()],
  ['no trace id', `00-${'0'.repeat(32)}-${parentId}-01`],
  ['no parent id', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['short', valid.slice(0, -1)],
  ['long', `${valid}0`],
  ['more fields than version 00 has', `${valid}-x`],
  ['version ff', `ff${valid.slice(2)}`],
  ['a later version that goes on without a dash', `cc${valid.slice(2)}x`],
  ['two of them', `${valid}, ${valid}`],
  ['a line break', `${valid}\r\nx: y`],
  ['without end', `cc${valid.slice(2)}-${'x'.repeat(10_000)}`],
])('%s is no traceparent', (_name, text) => {
  expect(readTrace(text, 'a=b')).toBeUndefined();
});

test.each([`cc${valid.slice(2)}`, `cc${valid.slice(2)}-what-the-future-is`])(
  '%s: a later version',
  (text) => {
    expect(readTrace(text)).toMatchObject({ traceId, parentId, flags: '01' });
  },
);

test('only the bit that is known goes back', () => {
  const trace = readTrace(`00-${traceId}-${parentId}-ff`);
  expect(trace && traceResponse(trace)).toBe(`00-${traceId}-${trace?.spanId}-01`);
  const unsampled = readTrace(`00-${traceId}-${parentId}-02`);
  expect(unsampled && isSampled(unsampled)).toBe(false);
  expect(unsampled && traceResponse(unsampled)).toMatch(/-00$/);
});

test.each([
  ['no value', 'a'],
  ['twice the same key', 'a=1,a=2'],
  ['an upper-case key', 'A=1'],
  ['control characters', 'a=\u0001'],
  ['33 members', Array.from({ length: 33 }, (_, i) => `k${i}=1`).join(',')],
  ['over 512 characters', `a=${'x'.repeat(255)},b=${'x'.repeat(255)}`],
  ['nothing but commas', ' , ,'],
])('%s: the tracestate is left out, the trace is not', (_name, state) => {
  expect(readTrace(valid, state)).toMatchObject({ traceId, state: undefined });
});

test('of headers', () => {
  expect(traceOfHeaders({ traceparent: valid, tracestate: ['a=1', 't@v=2 x'] })?.state).toBe('a=1,t@v=2 x');
  expect(traceOfHeaders({ traceparent: [valid, valid] })).toBeUndefined();
  expect(traceOfHeaders({})).toBeUndefined();
});
