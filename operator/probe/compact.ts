/** A pod's last two minutes as the operator keeps them: 2.4 kB where the list that JSON gives takes 17 kB. */
import type { LatencyHistogram, LoadReport, LoadSecond } from '../../crds/wire.ts';
import type { KeptReport, SecondsList } from '../model/scaling/types.ts';

const columns = 5;

/**
 * The figures that scaling reads of each second, as 32-bit floats in one block: times are kept as their distance to the
 * newest, so that 24 bits hold them to the millisecond; counts up to 16 million are exact. A fleet of 50,000 pods fits in
 * 200 MB.
 */
export class CompactSeconds implements SecondsList {
  readonly #figures: Float32Array;
  readonly #newestMs: number;

  constructor(seconds: readonly LoadSecond[]) {
    this.#newestMs = seconds.at(-1)?.endMs ?? 0;
    this.#figures = new Float32Array(seconds.length * columns);
    let at = 0;
    for (const { endMs, arrivals, serviceCount, serviceSumSeconds, serviceSumSquares } of seconds) {
      this.#figures[at] = this.#newestMs - endMs;
      this.#figures[at + 1] = arrivals;
      this.#figures[at + 2] = serviceCount;
      this.#figures[at + 3] = serviceSumSeconds;
      this.#figures[at + 4] = serviceSumSquares;
      at += columns;
    }
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

  /** The list that is kept of these boundaries. */
  of(boundsMs: readonly number[]): readonly number[] {
    const key = boundsMs.join();
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    // Promises change seldom; a fleet that changes them for ever must not fill the memory.
    if (this.#lists.size >= 1_000) this.#lists.clear();
    this.#lists.set(key, boundsMs);
    return boundsMs;
  }
}

/** The report as it is kept until the next one. */
export function compact(report: LoadReport, bounds: SharedBounds): KeptReport {
  const latency: LatencyHistogram = {
    boundsMs: bounds.of(report.latency.boundsMs),
    counts: report.latency.counts,
  };
  return { ...report, latency, seconds: new CompactSeconds(report.seconds) };
}
