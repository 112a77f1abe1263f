/** Reads traffic as people have it: a rate per second or minute, or a row per request; CSV, JSON or bare numbers. */
import { atTimes, countNames, isGrid, timeNames } from './grid.ts';
import { jsonDocument, jsonLines } from './json.ts';
import type { Parsed, ParseOptions } from './parsed.ts';
import { accepted, perBucket, perRequest, TraceError } from './parsed.ts';
import { byMinuteColumns, bySeries, minuteColumns } from './series.ts';
import { instantOf, numbersIn, timeUnitOf } from './values.ts';

export type { Parsed, TraceForm } from './parsed.ts';
export { TraceError } from './parsed.ts';

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
  return perBucket(name, values, form === 'per-minute' ? 60 : 1);
}

/** Separated columns, with or without a header. */
function table(options: ParseOptions, lines: readonly string[]): Parsed {
  const { name } = options;
  const separator = [',', ';', '\t'].find((one) => lines[0]?.includes(one)) ?? /\s+/;
  // A date and its time are one cell, also where blanks separate.
  const cells = (line: string) =>
    (typeof separator === 'string' ? line : line.replace(/^(\d{4}-\d{2}-\d{2}) (\d{2}:)/, '$1T$2'))
      .split(separator)
      .map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
  const head = cells(lines[0] as string);
  const hasHeader = instantOf(head[0] ?? '') === undefined;
  const rows = (hasHeader ? lines.slice(1) : lines).map(cells);
  if (hasHeader && rows.length === 0) throw new TraceError(`${name}: has a header and nothing below it`);
  const minutesAt = minuteColumns(head);
  if (minutesAt !== undefined) return byMinuteColumns(options, head, rows, minutesAt);
  const find = (names: RegExp) => (hasHeader ? head.findIndex((cell) => names.test(cell)) : -1);
  const cell = (row: readonly string[], index: number, at: number) => {
    const instant = instantOf(row[at] ?? '');
    if (instant === undefined)
      throw new TraceError(
        `${name}: line ${index + (hasHeader ? 2 : 1)}, column ${at + 1}: "${row[at] ?? ''}" is no number or time; ${accepted}`,
      );
    return instant;
  };
  const [byFunction, day, minute] = [
    find(/^(function|job|series|app|model|name)$/i),
    find(/^day$/i),
    find(/^minute$/i),
  ];
  const count = find(countNames);
  if ((byFunction !== -1 || day !== -1) && minute !== -1 && count !== -1)
    return bySeries(
      options,
      rows.map((row, index) => ({
        series: byFunction === -1 ? '' : (row[byFunction] ?? ''),
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
  // A second column of any name counts, where the times are those of buckets and not of requests.
  const countAt = count !== -1 && count !== timeAt ? count : columns === 2 && isGrid(times) ? 1 - timeAt : -1;
  if (options.form === 'per-request' || countAt === -1) return perRequest(name, times, timeUnitOf(times));
  return atTimes(
    options,
    times,
    rows.map((row, index) => cell(row, index, countAt)),
    hasHeader ? { time: head[timeAt] ?? '', value: head[countAt] ?? '' } : { time: '', value: '' },
  );
}

function bareNumbersOrTimes(options: ParseOptions, values: readonly number[], times: boolean): Parsed {
  return bareNumbers({ ...options, form: options.form ?? (times ? 'per-request' : undefined) }, values);
}

/** The trace in a text; throws `TraceError` where there is none. */
export function parseTrace(text: string, options: ParseOptions): Parsed {
  const parsed = anyForm(text, options);
  if (options.series !== undefined && parsed.series.length === 0)
    throw new TraceError(
      `${options.name}: there is no series "${options.series}" in it: it is read as ${parsed.note}, of no series`,
    );
  return parsed;
}

function anyForm(text: string, options: ParseOptions): Parsed {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const first = lines[0];
  if (first === undefined) throw new TraceError(`${options.name}: is empty; ${accepted}`);
  if (first.startsWith('[')) {
    const numbers = numbersIn(lines.join(' ').replace(/[[\]]/g, ' '));
    if (numbers !== undefined && !first.startsWith('[[')) return bareNumbers(options, numbers);
  }
  if (first.startsWith('[') || first.startsWith('{')) {
    const document = jsonDocument(options, text);
    if (document !== undefined) return document;
    if (first.startsWith('[')) throw new TraceError(`${options.name}: is no list of numbers; ${accepted}`);
    return jsonLines(options, lines);
  }
  if (lines.length === 1) {
    const numbers = numbersIn(first);
    if (numbers !== undefined) return bareNumbers(options, numbers);
  }
  return table(options, lines);
}
