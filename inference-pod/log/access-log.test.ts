import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { memoryLogger } from '../testing/pod.ts';
import { type AccessRecord, createAccessLog } from './access-log.ts';
import { createLogger } from './logger.ts';
import { readTrace } from './trace.ts';

const record = (fields: Partial<AccessRecord> = {}): AccessRecord => ({
  protocol: 'rest',
  requestId: 'r',
  status: 200,
  latencyMs: 1.23456,
  rows: 1,
  bytes: 60,
  ...fields,
});
const make = (level: 'error' | 'warn' | 'info' | 'debug' = 'info') => {
  const log = memoryLogger();
  return { lines: log.lines, access: createAccessLog({ log, level, perSecond: 3, slowMs: () => 50 }) };
};

test('a line says when, what, how long, and nothing that is not known', () => {
  const { lines, access } = make();
  const trace = readTrace('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'a=b');
  access.write(0, record({ trace, timings: { queueMs: 0.5, runMs: 0.25, batchRows: 8 } }));
  expect(JSON.parse(JSON.stringify(lines[0]))).toEqual({
    level: 'info',
    message: 'request',
    fields: {
      protocol: 'rest',
      status: 200,
      latencyMs: 1.235,
      queueMs: 0.5,
      runMs: 0.25,
      batchRows: 8,
      rows: 1,
      bytes: 60,
      requestId: 'r',
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanId: trace?.spanId,
      parentId: '00f067aa0ba902b7',
      traceFlags: '01',
      traceState: 'a=b',
    },
  });
});

describe('under load', () => {
  test('so many per second, and how many were left out', () => {
    const { lines, access } = make();
    for (let i = 0; i < 1000; i += 1) access.write(i / 10, record());
    expect(lines.map(({ fields }) => fields.suppressed)).toEqual([undefined, undefined, undefined]);
    access.write(1000, record());
    access.write(1001, record());
    expect(lines.slice(3).map(({ fields }) => fields.suppressed)).toEqual([997, undefined]);
  });
  test('failures, refusals and slow requests are not sampled with the others', () => {
    const { lines, access } = make();
    for (let i = 0; i < 100; i += 1) access.write(i, record());
    access.write(200, record({ status: 500, error: new Error('the model failed') }));
    access.write(201, record({ status: 429, reason: 'QueueFull' }));
    access.write(202, record({ latencyMs: 51 }));
    access.write(203, record({ latencyMs: 50 }));
    expect(lines.slice(3)).toEqual([
      { level: 'warn', message: 'request', fields: expect.objectContaining({ status: 500, suppressed: 97 }) },
      {
        level: 'info',
        message: 'request',
        fields: expect.objectContaining({ status: 429, reason: 'QueueFull' }),
      },
      { level: 'info', message: 'request', fields: expect.objectContaining({ latencyMs: 51 }) },
    ]);
  });
  test('they are bounded too', () => {
    const { lines, access } = make();
    for (let i = 0; i < 5000; i += 1) access.write(0, record({ status: 504 }));
    expect(lines).toHaveLength(100);
  });
});

test('what a caller sent wrongly may quote its values: only the level debug shows it', () => {
  const error = new Error('input \'x\': element 0 is "Jane Doe", wanted a number');
  for (const [level, want] of [
    ['info', undefined],
    ['debug', error.message],
  ] as const) {
    const { lines, access } = make(level);
    access.write(0, record({ status: 400, error }));
    access.write(0, record({ status: 429, error }));
    expect(lines.map(({ fields }) => fields.error)).toEqual([want, error.message]);
  }
});

test('below its level nothing is written', () => {
  const warnings = make('warn');
  warnings.access.write(0, record());
  warnings.access.write(0, record({ status: 503 }));
  expect(warnings.lines).toHaveLength(1);
  const errors = make('error');
  errors.access.write(0, record({ status: 503 }));
  expect(errors.lines).toHaveLength(0);
});

test('S19: whatever a client sends is one line of JSON without control characters', () => {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const log = createLogger('debug', { model: 'm' }, stream);
  const nasty = 'a\r\nlevel=error \u001b[31mred\u009b2J\u007f\u2028\u202e"}\u0000 {"level":"error"}';
  createAccessLog({ log, level: 'debug', perSecond: 1, slowMs: () => 1 }).write(
    0,
    record({ path: nasty, requestId: nasty, error: new Error(nasty.repeat(100)), status: 400 }),
  );
  expect(text.endsWith('\n')).toBe(true);
  const line = text.slice(0, -1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
  expect(JSON.parse(line)).toMatchObject({
    level: 'info',
    message: 'request',
    path: nasty,
    requestId: nasty,
  });
  expect(line.length).toBeLessThan(2000);
});
