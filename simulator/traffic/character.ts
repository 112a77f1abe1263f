/** Whether traffic rises faster than pods start: what tells bursty traces from smooth ones, by one rule for all. */
import type { Trace } from './arrivals.ts';
import { durationOf, meanRate } from './arrivals.ts';

/** A rise by more than this within 10 s, noise of the arrivals left out, is a burst. */
const burstRise = 1.2;

/**
 * The 99th percentile of: rate of 10 s over what was to be expected from the minute before it, that is its mean and two
 * standard deviations of Poisson arrivals.
 */
export function sharpestRise(trace: Trace): number {
  if (trace.bucketSeconds > 10) {
    // Minutes tell nothing of seconds: arrivals are Poisson inside them, and a new minute is the only step.
    const rises: number[] = [];
    for (let at = 1; at < trace.counts.length; at += 1) {
      const before = (trace.counts[at - 1] as number) / trace.bucketSeconds;
      rises.push(
        (trace.counts[at] as number) / trace.bucketSeconds / (before + 2 * Math.sqrt(before / 10) || 1),
      );
    }
    return percentile99(rises);
  }
  const rises: number[] = [];
  for (let at = 60; at + 10 <= durationOf(trace); at += 10) {
    const before = meanRate(trace, at - 60, at);
    rises.push(meanRate(trace, at, at + 10) / (before + 2 * Math.sqrt(before / 10) || 1));
  }
  return percentile99(rises);
}

const percentile99 = (values: number[]) =>
  values.toSorted((one, other) => one - other)[Math.floor(0.99 * (values.length - 1))] ?? 0;

/** Smooth or bursty. */
export const isBursty = (trace: Trace): boolean => sharpestRise(trace) > burstRise;
