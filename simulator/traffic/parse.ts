/** Reads traffic as people have it: a rate per second or minute, or a row per request; CSV, JSON lines or bare numbers. */
import type { Trace } from './arrivals.ts';
import { instantOf, numbersIn, timeUnitOf } from './values.ts';

export type TraceForm = 'per-second' | 'per-minute' | 'per-request';

export interface ParseOptions {
  readonly name: string;
  /** What the file is, where it does not show; detected where absent. */
  readonly form?: TraceForm | undefined;
  /** One of several series in the file; absent: their sum. */
  readonly series?: string | undefined;
}

export interface Parsed {
  readonly trace: Trace;
  /** How the file was read, in words. */
  readonly note: string;
  /** Names of the series in it, when there are several. */
  readonly series: readonly string[];
}

/** A file that is no trace: its message says what was found and what is read. */
export class TraceError extends Error {}

const accepted =
  'accepted are one rate per line, "time,count" rows, a row per request with its time, "function,day,minute,count" rows, and JSON lines with "ts" and "counts" or with "timestamp"';

const longestSeconds = 400 * 86_400;

/** A gap in the times longer than this is no gap but a mistake in them. */
function emptyCounts(name: string, buckets: number, bucketSeconds: number): Float64Array<ArrayBuffer> {
  if (!(buckets > 0)) throw new TraceError(`${name}: holds no traffic; ${accepted}`);
  if (buckets * bucketSeconds > longestSeconds)
    throw new TraceError(
      `${name}: its times span ${Math.round((buckets * bucketSeconds) / 86_400)} days, more than 400: are they times?`,
    );
  return new Float64Array(buckets);
}

/** Requests by their times, in any unit: kept as counts of each second, placed uniformly inside it. */
function perRequest(name: string, instants: readonly number[], seconds: number): Parsed {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const instant of instants) {
    if (instant < first) first = instant;
    if (instant > last) last = instant;
  }
  const counts = emptyCounts(name, Math.floor((last - first) * seconds) + 1, 1);
  for (const instant of instants) {
    const second = Math.floor((instant - first) * seconds);
    counts[second] = (counts[second] as number) + 1;
  }
  return {
    trace: { name, bucketSeconds: 1, counts, exact: true },
    note: `${instants.length} requests by their times`,
    series: [],
  };
}

function perBucket(name: string, values: readonly number[], bucketSeconds: number, rates: boolean): Parsed {
  const counts = emptyCounts(name, values.length, bucketSeconds);
  for (const [index, value] of values.entries()) {
    if (!(value >= 0 && value <= 1e7))
      throw new TraceError(`${name}: value ${index + 1} is ${value}; a rate is from 0 to 10,000,000`);
    counts[index] = rates ? value * bucketSeconds : value;
  }
  const width = bucketSeconds === 1 ? 'second' : bucketSeconds === 60 ? 'minute' : `${bucketSeconds} s`;
  return {
    trace: { name, bucketSeconds, counts, exact: false },
    note: `${values.length} counts, one per ${width}`,
    series: [],
  };
}

/** Ascending throughout with gaps of different lengths, as the times of requests are and rates are not. */
function looksLikeTimes(values: readonly number[]): boolean {
  if (values.length < 20) return false;
  const gaps = new Set<number>();
  for (let index = 1; index < values.length; index += 1) {
    const gap = (values[index] as number) - (values[index - 1] as number);
    if (gap < 0) return false;
    gaps.add(Math.round(gap * 1e6));
  }
  return gaps.size > values.length / 4;
}

function bareNumbers(options: ParseOptions, values: readonly number[]): Parsed {
  const { name } = options;
  const form = options.form ?? (looksLikeTimes(values) ? 'per-request' : 'per-second');
  if (form === 'per-request') return perRequest(name, values, timeUnitOf(values));
  return perBucket(name, values, form === 'per-minute' ? 60 : 1, false);
}

/** Sums of named series by the bucket in which they count. */
function bySeries(
  options: ParseOptions,
  rows: readonly { series: string; bucket: number; count: number }[],
): Parsed {
  const { name, series } = options;
  const names = [...new Set(rows.map((row) => row.series))].sort();
  if (series !== undefined && !names.includes(series))
    throw new TraceError(
      `${name}: there is no series "${series}" in it; there are ${names.slice(0, 20).join(', ')}`,
    );
  const first = rows.reduce((least, { bucket }) => Math.min(least, bucket), Number.POSITIVE_INFINITY);
  const last = rows.reduce((most, { bucket }) => Math.max(most, bucket), Number.NEGATIVE_INFINITY);
  const counts = emptyCounts(name, last - first + 1, 60);
  for (const row of rows) {
    if (series !== undefined && row.series !== series) continue;
    if (!(row.count >= 0)) throw new TraceError(`${name}: a count of ${row.count} in "${row.series}"`);
    counts[row.bucket - first] = (counts[row.bucket - first] as number) + row.count;
  }
  const which = series === undefined ? `the sum of ${names.length} series` : `the series ${series}`;
  return {
    trace: { name, bucketSeconds: 60, counts, exact: false },
    note: `${last - first + 1} minutes, ${which}`,
    series: names,
  };
}

/** Counts in an object of any depth, by the path of its keys. */
function* leaves(value: unknown, path: string): Generator<{ series: string; count: number }> {
  if (typeof value === 'number') yield { series: path, count: value };
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value))
      yield* leaves(inner, path === '' ? key : `${path}/${key}`);
}

function jsonLines(options: ParseOptions, lines: readonly string[]): Parsed {
  const { name } = options;
  const rows = lines.map((line, index) => {
    try {
      return JSON.parse(line) as Record<string, unknown>;
    } catch {
      throw new TraceError(`${name}: line ${index + 1} is no JSON: ${line.slice(0, 60)}`);
    }
  });
  if (rows.every((row) => typeof row.counts === 'object' && row.counts !== null))
    return bySeries(
      options,
      rows.flatMap((row, index) =>
        [...leaves(row.counts, '')].map((leaf) => ({ ...leaf, bucket: Number(row.ts ?? index) })),
      ),
    );
  const keys = ['timestamp', 'time', 'ts', 'arrival', 'arrived_at', 'TIMESTAMP'];
  const key = keys.find((one) => rows.every((row) => row[one] !== undefined));
  if (key === undefined)
    throw new TraceError(`${name}: its JSON lines have neither "counts" nor "timestamp"; ${accepted}`);
  const instants = rows.map((row, index) => {
    const instant = instantOf(String(row[key]));
    if (instant === undefined) throw new TraceError(`${name}: line ${index + 1}: "${row[key]}" is no time`);
    return instant;
  });
  return perRequest(name, instants, timeUnitOf(instants));
}

const countNames =
  /^(count|counts|rate|rates|rps|qps|req(uest)?s?(_?per_?(second|minute|sec|min))?|invocations|value|arrivals|load|tweets|hits)$/i;
const timeNames =
  /^(t|ts|time|timestamp|datetime|date|second|seconds|minute|minutes|start(_?time)?|arriv(al|ed)(_?(time|at))?|end_timestamp|created_?at)$/i;

/** Separated columns, with or without a header. */
function table(options: ParseOptions, lines: readonly string[]): Parsed {
  const { name } = options;
  const separator = [',', ';', '\t'].find((one) => lines[0]?.includes(one)) ?? /\s+/;
  const cells = (line: string) => line.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
  const head = cells(lines[0] as string);
  const hasHeader = head.every((cell) => instantOf(cell) === undefined);
  const rows = (hasHeader ? lines.slice(1) : lines).map(cells);
  const find = (names: RegExp) => (hasHeader ? head.findIndex((cell) => names.test(cell)) : -1);
  const cell = (row: readonly string[], index: number, at: number) => {
    const instant = instantOf(row[at] ?? '');
    if (instant === undefined)
      throw new TraceError(
        `${name}: line ${index + (hasHeader ? 2 : 1)}, column ${at + 1}: "${row[at] ?? ''}" is no number or time; ${accepted}`,
      );
    return instant;
  };
  if (rows.length === 0) throw new TraceError(`${name}: has a header and nothing below it`);
  const [byFunction, day, minute] = [
    find(/^(function|job|series|app|model|name)$/i),
    find(/^day$/i),
    find(/^minute$/i),
  ];
  const count = find(countNames);
  if (byFunction !== -1 && minute !== -1 && count !== -1)
    return bySeries(
      options,
      rows.map((row, index) => ({
        series: row[byFunction] ?? '',
        bucket: (day === -1 ? 0 : cell(row, index, day) * 1_440) + cell(row, index, minute),
        count: cell(row, index, count),
      })),
    );
  const timeAt = hasHeader ? find(timeNames) : 0;
  const columns = rows[0]?.length ?? 0;
  if (columns === 1 || (timeAt === -1 && count !== -1))
    return bareNumbersOrTimes(
      options,
      rows.map((row, index) => cell(row, index, Math.max(0, count))),
      hasHeader && timeAt === 0,
    );
  if (timeAt === -1)
    throw new TraceError(
      `${name}: none of its columns (${head.join(', ')}) is a time or a count; ${accepted}`,
    );
  const times = rows.map((row, index) => cell(row, index, timeAt));
  const countAt = hasHeader ? count : columns === 2 && isEven(times) ? 1 : -1;
  if (options.form === 'per-request' || countAt === -1) return perRequest(name, times, timeUnitOf(times));
  return series(
    options,
    times,
    rows.map((row, index) => cell(row, index, countAt)),
    head[countAt] ?? '',
  );
}

function bareNumbersOrTimes(options: ParseOptions, values: readonly number[], times: boolean): Parsed {
  return bareNumbers({ ...options, form: options.form ?? (times ? 'per-request' : undefined) }, values);
}

const isEven = (times: readonly number[]) =>
  times.every(
    (time, index) =>
      index < 2 || Math.abs(time - 2 * (times[index - 1] as number) + (times[index - 2] as number)) < 1e-6,
  );

/** Counts at times: the bucket is the shortest step; missing ones hold nothing. */
function series(
  options: ParseOptions,
  times: readonly number[],
  values: readonly number[],
  column: string,
): Parsed {
  const { name } = options;
  let step = Number.POSITIVE_INFINITY;
  for (let index = 1; index < times.length; index += 1) {
    const gap = (times[index] as number) - (times[index - 1] as number);
    if (gap < 0) throw new TraceError(`${name}: row ${index + 1} is earlier than the one before it`);
    if (gap > 0) step = Math.min(step, gap);
  }
  if (!Number.isFinite(step)) throw new TraceError(`${name}: all its rows have the same time`);
  const form = options.form;
  const dated = times.some((time) => time > 1e8);
  const bucketSeconds =
    form === 'per-minute'
      ? 60
      : form === 'per-second'
        ? 1
        : dated
          ? Math.max(1, Math.round(step * timeUnitOf(times)))
          : 1;
  const first = times[0] as number;
  const filled = new Array<number>(Math.round(((times.at(-1) as number) - first) / step) + 1).fill(0);
  for (const [index, value] of values.entries()) {
    const at = Math.round(((times[index] as number) - first) / step);
    filled[at] = (filled[at] ?? 0) + value;
  }
  return perBucket(name, filled, bucketSeconds, /rate|rps|qps|per_?sec/i.test(column));
}

/** The trace in a text; throws `TraceError` where there is none. */
export function parseTrace(text: string, options: ParseOptions): Parsed {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const first = lines[0];
  if (first === undefined) throw new TraceError(`${options.name}: is empty; ${accepted}`);
  if (first.startsWith('[')) {
    const numbers = numbersIn(lines.join(' ').replace(/[[\]]/g, ' '));
    if (numbers === undefined) throw new TraceError(`${options.name}: is no list of numbers; ${accepted}`);
    return bareNumbers(options, numbers);
  }
  if (first.startsWith('{')) return jsonLines(options, lines);
  if (lines.length === 1) {
    const numbers = numbersIn(first);
    if (numbers !== undefined) return bareNumbers(options, numbers);
  }
  return table(options, lines);
}
