/** Traffic in JSON: lines, a list of objects or pairs, or what Prometheus answers to a range query. */
import { atTimes, countNames, timeNames } from './grid.ts';
import type { Parsed, ParseOptions } from './parsed.ts';
import { accepted, perRequest, TraceError } from './parsed.ts';
import { bySeries } from './series.ts';
import { instantOf, timeUnitOf } from './values.ts';

/** Counts in an object of any depth, by the path of its keys. */
function* leaves(value: unknown, path: string): Generator<{ series: string; count: number }> {
  if (typeof value === 'number') yield { series: path, count: value };
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value))
      yield* leaves(inner, path === '' ? key : `${path}/${key}`);
}

type Row = Record<string, unknown>;

const isObject = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Pairs of a time and a value. */
function pairs(options: ParseOptions, values: readonly unknown[], column: string): Parsed {
  const read = values.map((pair, index) => {
    const [time, value] = (pair as readonly unknown[]).map((cell) => instantOf(String(cell)));
    if (time === undefined || value === undefined)
      throw new TraceError(
        `${options.name}: pair ${index + 1} is ${JSON.stringify(pair)}, no time and number`,
      );
    return { time, value };
  });
  return atTimes(
    options,
    read.map(({ time }) => time),
    read.map(({ value }) => value),
    { time: '', value: column },
  );
}

/** The one series of a range query's answer: what `rate()` gives, requests per second. */
function ofPrometheus(options: ParseOptions, results: readonly unknown[]): Parsed {
  const [only] = results;
  if (results.length !== 1 || !isObject(only) || !Array.isArray(only.values))
    throw new TraceError(
      `${options.name}: holds ${results.length} series of Prometheus; one is read, of a range query such as sum(rate(http_requests_total[1m]))`,
    );
  return pairs(options, only.values, 'rate');
}

/** JSON that is one value, not lines of it; undefined where it is none. */
export function jsonDocument(options: ParseOptions, text: string): Parsed | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every((row) => Array.isArray(row) && row.length === 2))
      return pairs(options, value, 'count');
    return value.length > 0 && value.every(isObject) ? objects(options, value) : undefined;
  }
  const result = isObject(value) && isObject(value.data) ? value.data.result : undefined;
  return Array.isArray(result) ? ofPrometheus(options, result) : undefined;
}

/** An object in each line. */
export function jsonLines(options: ParseOptions, lines: readonly string[]): Parsed {
  return objects(
    options,
    lines.map((line, index) => {
      try {
        return JSON.parse(line) as unknown;
      } catch {
        throw new TraceError(`${options.name}: line ${index + 1} is no JSON: ${line.slice(0, 60)}`);
      }
    }),
  );
}

/** The minutes that rows of counts are of: their number as it is, or the date in it; a row that tells none is the next. */
function minutesOf(name: string, rows: readonly Row[]): number[] {
  const instants = rows.map((row, index) => {
    const instant = instantOf(String(row.ts ?? index));
    if (instant === undefined)
      throw new TraceError(`${name}: line ${index + 1}, "ts": "${row.ts}" is no minute or time`);
    return instant;
  });
  // Above 1e8 they are no minutes (190 years) but the time since 1970.
  const dated = instants.some((instant) => instant > 1e8);
  const minutes = dated ? timeUnitOf(instants) / 60 : 1;
  return instants.map((instant) => instant * minutes);
}

function objects(options: ParseOptions, rows: readonly unknown[]): Parsed {
  const { name } = options;
  const other = rows.findIndex((row) => !isObject(row));
  if (other !== -1)
    throw new TraceError(`${name}: line ${other + 1} is no JSON object: ${JSON.stringify(rows[other])}`);
  return ofObjects(options, rows as readonly Row[]);
}

function ofObjects(options: ParseOptions, rows: readonly Row[]): Parsed {
  const { name } = options;
  if (rows.every((row) => isObject(row.counts))) {
    const minutes = minutesOf(name, rows);
    return bySeries(
      options,
      rows.flatMap((row, index) =>
        [...leaves(row.counts, '')].map((leaf) => ({ ...leaf, bucket: minutes[index] as number })),
      ),
    );
  }
  const keys = Object.keys(rows[0] as Row);
  const timeKey = keys.find((key) => timeNames.test(key));
  if (timeKey === undefined)
    throw new TraceError(`${name}: its JSON has neither "counts" nor "timestamp"; ${accepted}`);
  const column = (key: string) =>
    rows.map((row, index) => {
      const instant = instantOf(String(row[key]));
      if (instant === undefined)
        throw new TraceError(`${name}: line ${index + 1}, "${key}": "${row[key]}" is no number or time`);
      return instant;
    });
  const times = column(timeKey);
  const countKey = keys.find((key) => countNames.test(key));
  if (countKey === undefined || options.form === 'per-request')
    return perRequest(name, times, timeUnitOf(times));
  return atTimes(options, times, column(countKey), { time: timeKey, value: countKey });
}
