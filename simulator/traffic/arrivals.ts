/** From a trace to the moments at which requests arrive. */
import type { Chance } from '../chance.ts';

/** Traffic of one deployment: how much in each bucket of time. */
export interface Trace {
  readonly name: string;
  readonly bucketSeconds: number;
  /** Requests in each bucket; a mean where `exact` is false. */
  readonly counts: Float64Array;
  /** The counts are what really arrived: kept, and placed uniformly. Else arrivals are Poisson with this mean. */
  readonly exact: boolean;
  /** Where a step or spike begins, seconds: what recovery is timed from. */
  readonly stepAtSeconds?: number | undefined;
}

/** Length of a trace in seconds. */
export const durationOf = (trace: Trace): number => trace.counts.length * trace.bucketSeconds;

/** Mean requests per second of a trace from one second to another. */
export function meanRate(trace: Trace, fromSeconds = 0, toSeconds = durationOf(trace)): number {
  const from = Math.floor(fromSeconds / trace.bucketSeconds);
  const to = Math.min(trace.counts.length, Math.max(from + 1, Math.ceil(toSeconds / trace.bucketSeconds)));
  let sum = 0;
  for (let bucket = from; bucket < to; bucket += 1) sum += trace.counts[bucket] ?? 0;
  return to > from ? sum / ((to - from) * trace.bucketSeconds) : 0;
}

/** A part of a trace, its rate times `scale`. */
export function cut(trace: Trace, fromSeconds: number, seconds: number, scale = 1): Trace {
  const from = Math.floor(fromSeconds / trace.bucketSeconds);
  const to = Math.ceil((fromSeconds + seconds) / trace.bucketSeconds);
  const counts = trace.counts.slice(from, to).map((count) => count * scale);
  return { ...trace, counts, exact: trace.exact && scale === 1 };
}

/** Arrival times one after the other, ascending seconds; Infinity after the last. */
export class Arrivals {
  readonly #trace: Trace;
  readonly #chance: Chance;
  #bucket = -1;
  #times = new Float64Array(0);
  #at = 0;
  #count = 0;

  constructor(trace: Trace, chance: Chance) {
    this.#trace = trace;
    this.#chance = chance;
  }

  /** Time of the next arrival. */
  next(): number {
    while (this.#at >= this.#count) {
      this.#bucket += 1;
      if (this.#bucket >= this.#trace.counts.length) return Number.POSITIVE_INFINITY;
      this.#fill();
    }
    const time = this.#times[this.#at] as number;
    this.#at += 1;
    return time;
  }

  #fill(): void {
    const { counts, bucketSeconds, exact } = this.#trace;
    const mean = counts[this.#bucket] as number;
    const count = exact ? Math.round(mean) : this.#chance.poisson(mean);
    if (this.#times.length < count) this.#times = new Float64Array(count * 2);
    const start = this.#bucket * bucketSeconds;
    for (let index = 0; index < count; index += 1)
      this.#times[index] = start + bucketSeconds * this.#chance.next();
    this.#times.subarray(0, count).sort();
    this.#at = 0;
    this.#count = count;
  }
}
