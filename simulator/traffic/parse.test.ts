import { describe, expect, test } from '@jest/globals';
import type { TraceForm } from './parse.ts';
import { parseTrace, TraceError } from './parse.ts';

const read = (text: string, form?: TraceForm, series?: string) => {
  const { trace, ...rest } = parseTrace(text, { name: 'file', form, series });
  return { counts: [...trace.counts], bucketSeconds: trace.bucketSeconds, exact: trace.exact, ...rest };
};

describe('traces in every form that people have them', () => {
  test.each<[string, string, number, boolean, number[]]>([
    ['one rate per second', '157\n158\n160.5\n', 1, false, [157, 158, 160.5]],
    [
      'CRLF, a comment, blank lines, a mark of the byte order',
      '\uFEFF# rates\r\n5\r\n\r\n6\r\n',
      1,
      false,
      [5, 6],
    ],
    ['a header', 'rps\n5\n6\n', 1, false, [5, 6]],
    ['all in one line', '5, 6, 7', 1, false, [5, 6, 7]],
    ['a list in JSON', '[5,\n6, 7]', 1, false, [5, 6, 7]],
    ['second and count', 'second,count\n0,5\n1,6\n3,7\n', 1, false, [5, 6, 0, 7]],
    ['second and count without a header', '0 5\n1 6\n2 7\n', 1, false, [5, 6, 7]],
    [
      'dates a minute apart and their counts',
      'time,requests\n2021-08-01 00:00:00,60\n2021-08-01 00:01:00,120\n',
      60,
      false,
      [60, 120],
    ],
    [
      'dates a minute apart and a rate per second',
      'time,rps\n2021-08-01T00:00:00Z,1\n2021-08-01T00:01:00Z,2\n',
      60,
      false,
      [60, 120],
    ],
    [
      'requests with seven digits of a second and CRLF',
      'TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10\r\n2023-11-16 18:17:04.0319600,3180,8\r\n2023-11-16 18:17:06.0,1,1\r\n',
      1,
      true,
      [2, 0, 1],
    ],
    [
      'requests by epoch milliseconds',
      'timestamp,size\n1600000000000,1\n1600000000900,1\n1600000001000,1\n',
      1,
      true,
      [2, 1],
    ],
    [
      'JSON lines with milliseconds',
      '{"timestamp": 0, "a": 1}\n{"timestamp": 500}\n{"timestamp": 2500}\n',
      1,
      true,
      [2, 0, 1],
    ],
    [
      'functions by day and minute',
      'function,day,minute,count\nb,1,0,3\na,1,0,4\na,1,2,5\n',
      60,
      false,
      [7, 0, 5],
    ],
    [
      'jobs in JSON lines',
      '{"ts":0,"counts":{"one":{"c":3},"two":{"c":4}}}\n{"ts":1,"counts":{"one":{"c":1},"two":{"c":0}}}\n',
      60,
      false,
      [7, 1],
    ],
    ['a column of minutes', 'minute,count\n0,60\n1,120\n3,60\n', 60, false, [60, 120, 0, 60]],
    ['seconds a minute apart', 'time,count\n0,60\n60,120\n120,60\n', 60, false, [60, 120, 60]],
    ['whole thousands of milliseconds', 'time,count\n0,5\n1000,6\n2000,7\n', 1, false, [5, 6, 7]],
    ['hours', 'hour,requests\n0,3600\n1,7200\n', 3_600, false, [3_600, 7_200]],
    ['half seconds, summed', 'time,count\n0,1\n0.5,2\n1,3\n1.5,4\n', 1, false, [3, 7]],
    [
      'minutes of a clock that jitters',
      'time,count\n2024-01-01T00:00:00Z,1\n2024-01-01T00:01:01Z,2\n2024-01-01T00:01:59Z,3\n2024-01-01T00:03:00Z,4\n',
      60,
      false,
      [1, 2, 3, 4],
    ],
    [
      'a rate under a name that nobody knows, at even times',
      'Time,Requests/s\n2024-01-01 00:00:00,1\n2024-01-01 00:01:00,2\n2024-01-01 00:02:00,3\n',
      60,
      false,
      [60, 120, 180],
    ],
    ['a rate per minute', 'second,rpm\n0,60\n1,120\n', 1, false, [1, 2]],
    [
      'date, time and count between blanks',
      '2024-01-01 00:00:00 5\n2024-01-01 00:01:00 6\n2024-01-01 00:02:00 7\n',
      60,
      false,
      [5, 6, 7],
    ],
    [
      'JSON lines with a time and a count',
      '{"ts":1700000000,"count":5}\n{"ts":1700000060,"count":6}\n{"ts":1700000120,"count":7}\n',
      60,
      false,
      [5, 6, 7],
    ],
    [
      'a list of objects over several lines',
      '[\n {"second":0,"rps":5},\n {"second":1,"rps":6}\n]\n',
      1,
      false,
      [5, 6],
    ],
    ['a list of pairs', '[[0,5],[1,6],[2,7]]', 1, false, [5, 6, 7]],
    [
      "Prometheus' answer to a range query, a rate",
      '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1700000000,"1"],[1700000030,"2.5"]]}]}}',
      30,
      false,
      [30, 75],
    ],
    [
      'a column for each minute, as Azure publishes its functions',
      `HashOwner,HashFunction,Trigger,${Array.from({ length: 60 }, (_, minute) => minute + 1).join(',')}\n${['a', 'b'].map((name) => `o,${name},http,${'3,'.repeat(59)}4`).join('\n')}\n`,
      60,
      false,
      [...new Array<number>(59).fill(6), 8],
    ],
  ])('%s', (_, text, bucketSeconds, exact, counts) => {
    expect(read(text)).toMatchObject({ counts, bucketSeconds, exact });
  });

  test('the form can be said', () => {
    expect(read('60\n120\n', 'per-minute')).toMatchObject({ bucketSeconds: 60, counts: [60, 120] });
    expect(read('0.1\n0.2\n1.5\n', 'per-request')).toMatchObject({ exact: true, counts: [2, 1] });
  });

  test('bare times of requests are told from rates', () => {
    const times = Array.from({ length: 50 }, (_, index) => index * 0.37 + Math.sin(index) * 0.1);
    expect(read(times.join('\n'))).toMatchObject({ exact: true });
    expect(read(Array.from({ length: 50 }, (_, index) => index).join('\n'))).toMatchObject({ exact: false });
  });

  test('a second column of any name is a size where the times are those of requests', () => {
    expect(read('timestamp,bytes\n0,500\n0.3,500\n1.9,500\n2,500\n')).toMatchObject({
      exact: true,
      counts: [2, 1, 1],
    });
  });

  test('buckets without a row are told', () => {
    expect(read('minute,count\n0,60\n1,60\n4,60\n').note).toBe(
      '5 counts, one per minute, 2 of them missing and taken as none',
    );
  });

  test('one of several series', () => {
    const text = 'function,day,minute,count\nb,1,0,3\na,1,1,4\n';
    expect(read(text, undefined, 'b').counts).toEqual([3, 0]);
    expect(read(text).series).toEqual(['a', 'b']);
  });

  test.each([
    ['', 'is empty'],
    ['hello\nworld\n', '"world" is no number'],
    ['a,b\n1,2\n', 'none of its columns (a, b)'],
    ['5\nx\n', 'line 2, column 1: "x"'],
    ['5\n-1\n', 'value 2 is -1'],
    ['{"a":1}\n', 'neither "counts" nor "timestamp"'],
    ['{"a":1\n', 'line 1 is no JSON'],
    ['timestamp,x\n1,1\n1e18,2\n', 'more than 400'],
    ['time,count\n5,1\n4,1\n', 'row 2 is earlier'],
    ['{"ts":0,"counts":{"a":1}}\nnull\n', 'line 2 is no JSON object: null'],
    ['{"minute":0,"count":5}\n7\n', 'line 2 is no JSON object: 7'],
    ['{"ts":"x","counts":{"a":1}}\n', '"ts": "x" is no minute or time'],
    ['{"ts":0,"counts":{"a":1e300}}\n', 'a count of 1e+300 in "a"'],
    ['function,minute,count\na,0,1e999\n', 'a count of Infinity in "a"'],
    ['{"data":{"result":[]}}', 'holds 0 series of Prometheus'],
    ['[["x",1],[2,3]]', 'pair 1 is ["x",1]'],
  ])('%j is refused and the message says why', (text, message) => {
    expect(() => read(text)).toThrow(TraceError);
    expect(() => read(text)).toThrow(message);
  });

  test.each([
    ['seconds since 1970', (minute: number) => 1_770_000_000 + 60 * minute],
    ['milliseconds since 1970', (minute: number) => 1_770_000_000_000 + 60_000 * minute],
    ['dates', (minute: number) => `2026-05-01T00:0${minute}:30Z`],
    ['minutes and fractions of them', (minute: number) => minute + 0.5],
  ])('counts by %s are those of their minutes', (_, ts) => {
    const text = [0, 1, 3].map((minute) => JSON.stringify({ ts: ts(minute), counts: { a: minute + 5 } }));
    expect(read(text.join('\n'))).toMatchObject({ counts: [5, 6, 0, 8], bucketSeconds: 60 });
  });

  test('an unknown series is refused with those that are there', () => {
    expect(() => read('function,minute,count\na,0,1\n', undefined, 'z')).toThrow('there are a');
    expect(() => read('5\n6\n', undefined, 'z')).toThrow('no series "z" in it: it is read as 2 counts');
  });
});
