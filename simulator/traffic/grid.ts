/** Counts at times: which step and unit the times have, and the names that columns go by. */
import type { Parsed, ParseOptions } from './parsed.ts';
import { emptyCounts, perBucket, TraceError } from './parsed.ts';
import { timeUnitOf } from './values.ts';

/** Names of a column, or a key, that holds how many. */
export const countNames =
  /^((num|n|total)_?(of_?)?)?(count|counts|rate|rates|rps|qps|rpm|qpm|(req(uest)?s?|quer(y|ies)|invocations?|arrivals)([ _]?(per[ _]?|\/ ?)(second|minute|sec|min|s)|[ _]?(count|rate))?|value|load|tweets|hits)$/i;
/** Names of a column, or a key, that holds when. */
export const timeNames =
  /^(t|ts|time|timestamp|datetime|date|time_?(s|sec|seconds|ms|min|minutes)|(milli)?seconds?|sec|s|ms|minutes?|min|hours?|start(_?time)?|arriv(al|ed)(_?(time|at))?|end_timestamp|created_?at)$/i;

/** Over how many seconds the rates of such a column are; undefined: it holds counts. */
function rateSecondsOf(column: string): number | undefined {
  if (/rpm|qpm|(per[ _]?|\/ ?)min/i.test(column)) return 60;
  return /rate|rps|qps|(per[ _]?|\/ ?)s/i.test(column) ? 1 : undefined;
}

/** Seconds in one unit of times that are no epochs: as the column says, else milliseconds where they step by whole thousands. */
function unitOf(column: string, step: number): number {
  if (/hour/i.test(column)) return 3_600;
  if (/milli|(^|_)ms$/i.test(column)) return 1e-3;
  if (/min/i.test(column)) return 60;
  if (/sec|(^|_)s$/i.test(column)) return 1;
  return step >= 1_000 && Number.isInteger(step / 1_000) ? 1e-3 : 1;
}

/** A share by which steps of a grid may differ from whole ones. */
const jitter = 0.02;

/**
 * The step of ascending times: the shortest gap where all are multiples of it (some buckets are missing), else the median
 * one (the clock jitters); its mean length over all, so that it does not drift. Undefined where all times are the same.
 */
export function stepOf(times: readonly number[]): number | undefined {
  const gaps: number[] = [];
  for (let index = 1; index < times.length; index += 1) {
    const gap = (times[index] as number) - (times[index - 1] as number);
    if (gap > 0) gaps.push(gap);
  }
  const sorted = Float64Array.from(gaps).sort();
  const [shortest] = sorted;
  if (shortest === undefined) return undefined;
  const fits = gaps.every(
    (gap) => Math.abs(gap / shortest - Math.round(gap / shortest)) <= jitter * Math.round(gap / shortest),
  );
  const unit = fits ? shortest : (sorted[sorted.length >> 1] as number);
  const steps = gaps.reduce((sum, gap) => sum + Math.round(gap / unit), 0);
  const mean = ((times.at(-1) as number) - (times[0] as number)) / Math.max(1, steps);
  // Whole units are written down as such; the clock's jitter is not.
  return Math.abs(mean - Math.round(mean)) <= jitter * mean && mean >= 0.5
    ? Math.round(mean)
    : Number(mean.toPrecision(6));
}

/** Ascending in mostly equal steps, as times of counts are and those of requests are not. */
export function isGrid(times: readonly number[]): boolean {
  if (times.length < 3) return false;
  const step = stepOf(times);
  if (step === undefined) return false;
  let whole = 0;
  for (let index = 1; index < times.length; index += 1) {
    const gap = ((times[index] as number) - (times[index - 1] as number)) / step;
    if (gap <= 0) return false;
    if (Math.abs(gap - 1) <= jitter) whole += 1;
  }
  return whole >= 0.8 * (times.length - 1);
}

/** Counts at times, a row each; buckets without a row hold nothing. */
export function atTimes(
  options: ParseOptions,
  times: readonly number[],
  values: readonly number[],
  columns: { readonly time: string; readonly value: string },
): Parsed {
  const { name, form } = options;
  for (let index = 1; index < times.length; index += 1)
    if ((times[index] as number) < (times[index - 1] as number))
      throw new TraceError(`${name}: row ${index + 1} is earlier than the one before it`);
  const step = stepOf(times);
  if (step === undefined) throw new TraceError(`${name}: all its rows have the same time`);
  const dated = times.some((time) => time > 1e8);
  const found = step * (dated ? timeUnitOf(times) : unitOf(columns.time, step));
  const bucketSeconds = form === 'per-minute' ? 60 : form === 'per-second' ? 1 : found;
  const first = times[0] as number;
  const buckets = Math.round(((times.at(-1) as number) - first) / step) + 1;
  const filled = Array.from(emptyCounts(name, buckets, bucketSeconds));
  for (const [index, value] of values.entries()) {
    if (!(value >= 0))
      throw new TraceError(`${name}: value ${index + 1} is ${value}; a rate is from 0 to 10,000,000`);
    const at = Math.round(((times[index] as number) - first) / step);
    filled[at] = (filled[at] ?? 0) + value;
  }
  const missing = buckets - new Set(times.map((time) => Math.round((time - first) / step))).size;
  const parsed = perBucket(name, filled, bucketSeconds, rateSecondsOf(columns.value));
  return missing === 0
    ? parsed
    : { ...parsed, note: `${parsed.note}, ${missing} of them missing and taken as none` };
}
