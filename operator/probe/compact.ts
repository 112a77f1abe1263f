/** A pod's last two minutes as the operator keeps them: 2.4 kB where the list that JSON gives takes 17 kB. */
import type { LatencyHistogram, LoadReport, LoadSecond } from '../../crds/wire.ts';
import type { KeptReport, SecondsList } from '../model/scaling/types.ts';

const columns = 5;
const keptSeconds = 120;

/**
 * The figures that scaling reads of each second, as 32-bit floats in one block: times are kept as their distance to the
 * newest, so that 24 bits hold them to the millisecond; counts up to 16 million are exact. A fleet of 50,000 pods fits in
 * 200 MB.
 */
export class CompactSeconds implements SecondsList {
  readonly #figures: Float32Array;
  readonly #newestMs: number;

  /** `seconds` after those of `before` that are older: at most two minutes of both. */
  constructor(seconds: readonly LoadSecond[], before?: CompactSeconds) {
    const firstMs = seconds[0]?.endMs ?? Number.POSITIVE_INFINITY;
    const newestMs = seconds.at(-1)?.endMs ?? before?.newestMs ?? 0;
    let until = before?.length ?? 0;
    while (until > 0 && (before?.at(until - 1)?.endMs ?? 0) >= firstMs) until -= 1;
    const from = Math.max(0, until + seconds.length - keptSeconds);
    this.#newestMs = newestMs;
    this.#figures = new Float32Array((Math.max(0, until - from) + seconds.length) * columns);
    let at = 0;
    if (before !== undefined && from < until) {
      this.#figures.set(before.#figures.subarray(from * columns, until * columns));
      const older = newestMs - before.newestMs;
      for (; at < (until - from) * columns; at += columns)
        this.#figures[at] = (this.#figures[at] ?? 0) + older;
    }
    for (const { endMs, arrivals, serviceCount, serviceSumSeconds, serviceSumSquares } of seconds) {
      this.#figures[at] = this.#newestMs - endMs;
      this.#figures[at + 1] = arrivals;
      this.#figures[at + 2] = serviceCount;
      this.#figures[at + 3] = serviceSumSeconds;
      this.#figures[at + 4] = serviceSumSquares;
      at += columns;
    }
  }

  /** End of the newest second on the pod's clock; 0 without one. */
  get newestMs(): number {
    return this.#newestMs;
  }

  get length(): number {
    return this.#figures.length / columns;
  }

  /** The second at an index, from the end where it is negative; undefined beyond the list. */
  at(index: number): ReturnType<SecondsList['at']> {
    const from = columns * (index < 0 ? this.length + index : index);
    const figures = this.#figures;
    const age = figures[from];
    if (age === undefined) return undefined;
    return {
      endMs: this.#newestMs - age,
      arrivals: figures[from + 1] ?? 0,
      serviceCount: figures[from + 2] ?? 0,
      serviceSumSeconds: figures[from + 3] ?? 0,
      serviceSumSquares: figures[from + 4] ?? 0,
    };
  }
}

/** Boundaries of histograms are the same for all pods of a deployment, mostly for all pods: each list is kept once. */
export class SharedBounds {
  readonly #lists = new Map<string, readonly number[]>();

  /** The list that is kept of these boundaries; `last` is what the pod had before. */
  of(boundsMs: readonly number[], last: readonly number[] | undefined): readonly number[] {
    if (last?.length === boundsMs.length && last.every((bound, index) => bound === boundsMs[index]))
      return last;
    const key = boundsMs.join();
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    // Promises change seldom; a fleet that changes them for ever must not fill the memory.
    if (this.#lists.size >= 1_000) this.#lists.clear();
    this.#lists.set(key, boundsMs);
    return boundsMs;
  }
}

/** A pod's report as the probe keeps it. */
export interface CompactReport extends KeptReport {
  readonly seconds: CompactSeconds;
}

/** The report as it is kept until the next one; `before` is the last one of the same process, whose seconds it goes on from. */
export function compact(
  report: LoadReport,
  bounds: SharedBounds,
  before: CompactReport | undefined,
): CompactReport {
  const latency: LatencyHistogram = {
    boundsMs: bounds.of(report.latency.boundsMs, before?.latency.boundsMs),
    counts: report.latency.counts,
  };
  return { ...report, latency, seconds: new CompactSeconds(report.seconds, before?.seconds) };
}
