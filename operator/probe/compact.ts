/** A pod's last two minutes as the operator keeps them: 2.4 kB where the list that JSON gives takes 17 kB. */
import type { LatencyHistogram, LoadReport, LoadSecond } from '../../crds/wire.ts';
import type { KeptReport, SecondsList } from '../model/scaling/types.ts';

const columns = 5;
const keptSeconds = 120;

/**
 * The figures that scaling reads of each second, as 32-bit floats in one block: times are kept as their distance to the
 * newest, so that 24 bits hold them to the millisecond; counts up to 16 million are exact. One block serves a process for
 * its whole life and is written over: with a new one for each answer, what was let go of lay outside the heap until the next
 * full collection, as much again as what is kept. So a report that is not the last one has the last one's seconds, and
 * nobody may read them from it.
 */
export class CompactSeconds implements SecondsList {
  readonly #figures = new Float32Array(keptSeconds * columns);
  #length = 0;
  #newestMs = 0;

  constructor(seconds: readonly LoadSecond[] = []) {
    this.add(seconds);
  }

  /** Puts `seconds` after those that are older: at most two minutes of both. */
  add(seconds: readonly LoadSecond[]): void {
    const first = seconds[0];
    if (first === undefined) return;
    const figures = this.#figures;
    const told = seconds.slice(-keptSeconds);
    const newestMs = told.at(-1)?.endMs ?? 0;
    let until = this.#length;
    while (until > 0 && (this.at(until - 1)?.endMs ?? 0) >= first.endMs) until -= 1;
    const from = Math.max(0, until + told.length - keptSeconds);
    figures.copyWithin(0, from * columns, until * columns);
    const older = newestMs - this.#newestMs;
    let at = 0;
    for (; at < (until - from) * columns; at += columns) figures[at] = (figures[at] ?? 0) + older;
    for (const { endMs, arrivals, serviceCount, serviceSumSeconds, serviceSumSquares } of told) {
      figures[at] = newestMs - endMs;
      figures[at + 1] = arrivals;
      figures[at + 2] = serviceCount;
      figures[at + 3] = serviceSumSeconds;
      figures[at + 4] = serviceSumSquares;
      at += columns;
    }
    this.#length = at / columns;
    this.#newestMs = newestMs;
  }

  /** End of the newest second on the pod's clock; 0 without one. */
  get newestMs(): number {
    return this.#newestMs;
  }

  get length(): number {
    return this.#length;
  }

  /** The second at an index, from the end where it is negative; undefined beyond the list. */
  at(index: number): ReturnType<SecondsList['at']> {
    const place = index < 0 ? this.#length + index : index;
    if (!(place >= 0 && place < this.#length)) return undefined;
    const from = columns * place;
    const figures = this.#figures;
    return {
      endMs: this.#newestMs - (figures[from] ?? 0),
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

/**
 * The report as it is kept until the next one; `before` is the last one of the same process, whose seconds it goes on from
 * and takes over.
 */
export function compact(
  report: LoadReport,
  bounds: SharedBounds,
  before: CompactReport | undefined,
): CompactReport {
  const latency: LatencyHistogram = {
    boundsMs: bounds.of(report.latency.boundsMs, before?.latency.boundsMs),
    counts: report.latency.counts,
  };
  const seconds = before?.seconds ?? new CompactSeconds();
  seconds.add(report.seconds);
  return { ...report, latency, seconds };
}
