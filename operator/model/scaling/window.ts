/** The SLO window: what the pods' cumulative counters grew by, in slices of time, so that old slices fall out. */
import type { Histogram } from '../../../stats/histogram.ts';
import { difference, fractionAbove, quantile, rebin, sumHistograms } from '../../../stats/histogram.ts';
import type { Measured } from './measured.ts';
import { isFresh, recentArrivals } from './readings.ts';
import { shareOf } from './sizing.ts';
import type { KeptReport, Known, LatencyTarget, Percentile, PodObservation } from './types.ts';
import { percentiles } from './types.ts';

const slices = 30;

interface Slice {
  readonly startMs: number;
  readonly succeeded: number;
  readonly errors: number;
  readonly latency: Histogram;
}

/** What a process had counted when it was last read; the report's seconds are let go. */
interface Seen extends Omit<Slice, 'startMs'> {
  readonly readAtMs: number;
}

/** Immutable; `observeWindow` returns the next one. */
export interface SloWindow {
  /** Since when every arrival of this deployment has been counted. */
  readonly sinceMs: number | undefined;
  readonly slices: readonly Slice[];
  readonly seen: ReadonlyMap<string, Seen>;
}

export const emptyWindow: SloWindow = { sinceMs: undefined, slices: [], seen: new Map() };

const seenOf = ({ counters, latency }: KeptReport, readAtMs: number): Seen => ({
  readAtMs,
  succeeded: counters.succeeded,
  errors: counters.rejected + counters.failed,
  latency: { bounds: latency.boundsMs, counts: latency.counts },
});

const sameBounds = (one: readonly number[], other: readonly number[]) =>
  one.length === other.length && one.every((bound, index) => bound === other[index]);

/** The histogram on these boundaries: boundaries change when the promise does. */
const on = (histogram: Histogram, bounds: readonly number[]): Histogram =>
  sameBounds(histogram.bounds, bounds) ? histogram : rebin(histogram, bounds);

/** What a process did since it was last read; undefined when that cannot be told. */
function growth(now: Seen, before: Seen | undefined): Omit<Slice, 'startMs'> | undefined {
  if (before === undefined) return now;
  const latency = difference(now.latency, on(before.latency, now.latency.bounds));
  const succeeded = now.succeeded - before.succeeded;
  const errors = now.errors - before.errors;
  return latency === undefined || succeeded < 0 || errors < 0 ? undefined : { succeeded, errors, latency };
}

function add(slice: Slice | undefined, startMs: number, grown: Omit<Slice, 'startMs'>): Slice {
  if (slice === undefined)
    return { startMs, succeeded: grown.succeeded, errors: grown.errors, latency: grown.latency };
  const { bounds } = grown.latency;
  return {
    startMs,
    succeeded: slice.succeeded + grown.succeeded,
    errors: slice.errors + grown.errors,
    latency: sumHistograms([on(slice.latency, bounds), grown.latency]) ?? grown.latency,
  };
}

/** The window with what the pods' new readings add, and without what is older than `windowMs`. */
export function observeWindow(
  window: SloWindow,
  pods: readonly PodObservation[],
  windowMs: number,
  nowMs: number,
): SloWindow {
  const sliceMs = windowMs / slices;
  let seen: Map<string, Seen> | undefined;
  const kept = window.slices.filter((slice) => slice.startMs + sliceMs > nowMs - windowMs);
  let sinceMs = window.sinceMs;
  for (const { reading } of pods) {
    if (reading === 'unknown') continue;
    const { report, readAtMs } = reading;
    const before = (seen ?? window.seen).get(report.instance);
    if (before !== undefined && before.readAtMs >= readAtMs) continue;
    const now = seenOf(report, readAtMs);
    seen ??= new Map(window.seen);
    seen.set(report.instance, now);
    const startedMs = readAtMs - report.uptimeMs;
    if (before === undefined) {
      // A process younger than the window did all it ever did inside it; of an older one only the growth from now on counts.
      const whole = report.uptimeMs <= windowMs;
      sinceMs = Math.min(sinceMs ?? Number.POSITIVE_INFINITY, whole ? startedMs : readAtMs);
      if (!whole) continue;
    }
    const grown = growth(now, before);
    if (grown === undefined || grown.succeeded + grown.errors === 0) continue;
    const startMs = Math.floor(readAtMs / sliceMs) * sliceMs;
    const at = kept.findIndex((slice) => slice.startMs === startMs);
    const slice = add(kept[at], startMs, grown);
    if (at === -1) kept.push(slice);
    else kept[at] = slice;
  }
  for (const [instance, { readAtMs }] of seen ?? window.seen) {
    if (nowMs - readAtMs <= windowMs + 150_000) continue;
    seen ??= new Map(window.seen);
    seen.delete(instance);
  }
  return { sinceMs, slices: kept, seen: seen ?? window.seen };
}

/** The figures of the window. */
export function measuredOf(
  window: SloWindow,
  pods: readonly PodObservation[],
  targets: readonly LatencyTarget[],
  windowMs: number,
  nowMs: number,
): Measured {
  const bounds = window.slices.at(-1)?.latency.bounds ?? [];
  const all = sumHistograms(window.slices.map((slice) => on(slice.latency, bounds)));
  const errors = window.slices.reduce((sum, slice) => sum + slice.errors, 0);
  const requests = errors + window.slices.reduce((sum, slice) => sum + slice.succeeded, 0);
  const usable = pods.filter((pod) => pod.reading !== 'unknown' && isFresh(pod.reading, nowMs));
  const byRevision = new Map<string, number>();
  let lastMinute = 0;
  let lastTen = 0;
  for (const { reading, revision } of usable) {
    if (reading === 'unknown') continue;
    const [, ten, minute] = recentArrivals(reading.report);
    lastMinute += minute;
    lastTen += ten;
    byRevision.set(revision, (byRevision.get(revision) ?? 0) + minute);
  }
  const latency = (percentile: Percentile): Known<number> =>
    all === undefined ? 'unknown' : (quantile(all, shareOf[percentile]) ?? 'unknown');
  return {
    windowMs,
    coveredMs: window.sinceMs === undefined ? 0 : Math.min(windowMs, Math.max(0, nowMs - window.sinceMs)),
    requests,
    errorRate: requests === 0 ? 'unknown' : errors / requests,
    latencyMs: { p50: latency('p50'), p90: latency('p90'), p95: latency('p95'), p99: latency('p99') },
    lateShare: Object.fromEntries(
      percentiles.flatMap((percentile) => {
        const target = targets.find((one) => one.percentile === percentile);
        if (target === undefined) return [];
        return [
          [percentile, all === undefined ? 'unknown' : (fractionAbove(all, target.targetMs) ?? 'unknown')],
        ];
      }),
    ),
    requestRate: usable.length === 0 ? 'unknown' : lastTen / 10,
    revisionShares:
      lastMinute === 0
        ? {}
        : Object.fromEntries([...byRevision].map(([revision, count]) => [revision, count / lastMinute])),
    readyPods: pods.filter((pod) => pod.ready).length,
    freshPods: usable.filter((pod) => pod.ready).length,
  };
}
