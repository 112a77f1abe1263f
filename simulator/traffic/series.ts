/** Files of several series: counts of each minute by the name of a function or job, as rows, in columns or in JSON. */
import type { Parsed, ParseOptions } from './parsed.ts';
import { emptyCounts, TraceError } from './parsed.ts';

/** 10,000,000 a second, as the other forms have it. */
const mostAMinute = 6e8;

/** Sums of named series by the bucket in which they count. */
export function bySeries(
  options: ParseOptions,
  rows: readonly { series: string; bucket: number; count: number }[],
): Parsed {
  const { name, series } = options;
  const names = [...new Set(rows.map((row) => row.series))].sort();
  if (series !== undefined && !names.includes(series))
    throw new TraceError(
      `${name}: there is no series "${series}" in it; there are ${names.slice(0, 20).join(', ')}`,
    );
  const first = Math.floor(
    rows.reduce((least, { bucket }) => Math.min(least, bucket), Number.POSITIVE_INFINITY),
  );
  const last = Math.floor(
    rows.reduce((most, { bucket }) => Math.max(most, bucket), Number.NEGATIVE_INFINITY),
  );
  const counts = emptyCounts(name, last - first + 1, 60);
  for (const row of rows) {
    if (series !== undefined && row.series !== series) continue;
    const at = Math.floor(row.bucket) - first;
    const sum = (counts[at] as number) + row.count;
    if (!(row.count >= 0 && sum <= mostAMinute))
      throw new TraceError(
        `${name}: a count of ${row.count} in "${row.series}"; a minute has from 0 to 600,000,000 requests`,
      );
    counts[at] = sum;
  }
  const which = series === undefined ? `the sum of ${names.length} series` : `the series ${series}`;
  return {
    trace: { name, bucketSeconds: 60, counts, exact: false },
    note: `${last - first + 1} minutes, ${which}`,
    series: names,
  };
}

const minutesOfDay = 1_440;

/** Where the columns 1, 2, 3 … of minutes begin, as Azure publishes its functions (a row each); undefined: there are none. */
export function minuteColumns(head: readonly string[]): number | undefined {
  const first = head.indexOf('1');
  const named = first !== -1 && head.slice(first).every((cell, index) => cell === String(index + 1));
  return named && head.length - first >= 60 && head.length - first <= minutesOfDay ? first : undefined;
}

/** A row per function, a column per minute. */
export function byMinuteColumns(
  options: ParseOptions,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  first: number,
): Parsed {
  const nameAt = Math.max(
    0,
    head.findIndex((cell) => /function/i.test(cell)),
  );
  return bySeries(
    options,
    rows.flatMap((row, line) =>
      row.slice(first).map((cell, minute) => {
        const count = Number(cell);
        if (cell === '' || Number.isNaN(count))
          throw new TraceError(
            `${options.name}: line ${line + 2}, column ${first + minute + 1}: "${cell}" is no count`,
          );
        return { series: row[nameAt] ?? '', bucket: minute, count };
      }),
    ),
  );
}
