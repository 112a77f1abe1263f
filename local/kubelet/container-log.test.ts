import { describe, expect, test } from '@jest/globals';
import type { LogOptions } from '../apiserver/log-source.ts';
import { ContainerLog } from './container-log.ts';
import { readLog } from './log-reader.ts';

const options: LogOptions = { container: 'c', follow: false, previous: false, timestamps: false };
const never = new AbortController().signal;

async function text(
  log: ContainerLog,
  change: Partial<LogOptions> = {},
  nowMs = 0,
  signal = never,
): Promise<string> {
  let all = '';
  for await (const chunk of readLog(log, { ...options, ...change }, nowMs, signal)) all += chunk;
  return all;
}

function logOf(...lines: [timeMs: number, text: string][]): ContainerLog {
  let nowMs = 0;
  const log = new ContainerLog(undefined, () => nowMs);
  for (const [timeMs, line] of lines) {
    nowMs = timeMs;
    log.write('stdout', `${line}\n`);
  }
  return log;
}

describe('a container’s log', () => {
  test('joins pieces to lines, per stream, and keeps an unfinished last one', async () => {
    const log = new ContainerLog(undefined, () => 0);
    log.write('stdout', 'one\ntw');
    log.write('stderr', 'err\n');
    log.write('stdout', 'o\nlast');
    expect(await text(log)).toBe('one\nerr\ntwo\n');
    log.end();
    expect(await text(log)).toBe('one\nerr\ntwo\nlast');
  });

  test('can be cut by lines, bytes and time, with times in front', async () => {
    const log = logOf([0, 'a'], [1_000, 'b'], [2_500, 'c']);
    expect(await text(log, { tailLines: 2 })).toBe('b\nc\n');
    expect(await text(log, { tailLines: 0 })).toBe('');
    expect(await text(log, { limitBytes: 3 })).toBe('a\nb');
    expect(await text(log, { sinceSeconds: 2 }, 3_000)).toBe('b\nc\n');
    expect(await text(log, { sinceTime: '1970-01-01T00:00:02Z' })).toBe('c\n');
    expect(await text(log, { tailLines: 1, timestamps: true })).toBe('1970-01-01T00:00:02.500000000Z c\n');
  });

  test('followed, gives what comes until the run ends', async () => {
    const log = logOf([0, 'a']);
    const reading = text(log, { follow: true });
    log.write('stdout', 'b\n');
    await new Promise((resolve) => setImmediate(resolve));
    log.write('stdout', 'c');
    log.end();
    expect(await reading).toBe('a\nb\nc');
  });

  test('followed, ends with its reader', async () => {
    const stop = new AbortController();
    const reading = text(logOf([0, 'a']), { follow: true }, 0, stop.signal);
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect(await reading).toBe('a\n');
  });

  test('is bounded: old lines go, long lines are cut', async () => {
    const log = new ContainerLog(undefined, () => 0);
    for (let index = 0; index < 25_000; index++) log.write('stdout', `${index}\n`);
    expect(log.range).toEqual({ from: 5_000, to: 25_000 });
    expect(await text(log, { tailLines: 1 })).toBe('24999\n');
    log.write('stdout', 'x'.repeat(40_000));
    expect(log.range.to).toBe(25_002);
    for (let index = 0; index < 600; index++) log.write('stdout', `${'y'.repeat(10_000)}\n`);
    expect((await text(log)).length).toBeLessThan(4.1 * 1024 * 1024);
  });

  test('its end is the fallback of a termination message', () => {
    const log = logOf(...Array.from({ length: 100 }, (_, index): [number, string] => [0, `line ${index}`]));
    expect(log.tail(80, 2_048).startsWith('line 20\n')).toBe(true);
    expect(Buffer.byteLength(log.tail(80, 100))).toBe(100);
  });
});
