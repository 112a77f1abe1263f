/** What reading a trace yields, and the two ways in which every form ends: requests by their times, or counts of buckets. */
import type { Trace } from './arrivals.ts';

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

export const accepted =
  'accepted are one rate per line, "time,count" rows, a row per request with its time, "function,day,minute,count" rows, a row per function with a column per minute, and JSON (lines, a list, or what Prometheus answers) with "ts" and "counts", or with "timestamp" and a count or none';

const longestSeconds = 400 * 86_400;

/** A gap in the times longer than this is no gap but a mistake in them. */
export function emptyCounts(name: string, buckets: number, bucketSeconds: number): Float64Array<ArrayBuffer> {
  if (!(buckets > 0)) throw new TraceError(`${name}: holds no traffic; ${accepted}`);
  if (buckets * bucketSeconds > longestSeconds)
    throw new TraceError(
      `${name}: its times span ${Math.round((buckets * bucketSeconds) / 86_400)} days, more than 400: are they times?`,
    );
  return new Float64Array(buckets);
}

/** Requests by their times, in any unit: kept as counts of each second, placed uniformly inside it. */
export function perRequest(name: string, instants: readonly number[], seconds: number): Parsed {
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

/** Counts of buckets one after the other; `ratesOver`: the values are rates, each over so many seconds. */
export function perBucket(
  name: string,
  values: readonly number[],
  bucketSeconds: number,
  ratesOver?: number,
): Parsed {
  const fine = bucketSeconds < 1;
  const counts = emptyCounts(
    name,
    fine ? Math.ceil(values.length * bucketSeconds) : values.length,
    fine ? 1 : bucketSeconds,
  );
  for (const [index, value] of values.entries()) {
    if (!(value >= 0 && value <= 1e7))
      throw new TraceError(`${name}: value ${index + 1} is ${value}; a rate is from 0 to 10,000,000`);
    // Buckets below a second are summed: nobody decides within one. The hair keeps 0.1 × 10 out of second 0.
    const at = fine ? Math.floor(index * bucketSeconds + 1e-9) : index;
    counts[at] = (counts[at] ?? 0) + (ratesOver === undefined ? value : (value * bucketSeconds) / ratesOver);
  }
  const width = bucketSeconds === 1 ? 'second' : bucketSeconds === 60 ? 'minute' : `${bucketSeconds} s`;
  return {
    trace: { name, bucketSeconds: fine ? 1 : bucketSeconds, counts, exact: false },
    note: `${values.length} ${ratesOver === undefined ? 'counts' : 'rates'}, one per ${width}`,
    series: [],
  };
}
