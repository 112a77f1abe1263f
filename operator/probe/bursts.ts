/** Tells from single answers that a deployment gets more requests than a moment ago, before all its pods were asked. */
import type { KeptReport } from '../model/scaling/types.ts';

/** What counts as now, and what it is held against: the half minute before, as the pod itself tells it. */
const nowSeconds = 2;
const beforeSeconds = 30;
const fewestBefore = 10;
/** Answers of different pods are added up while they are about this old. */
const fadeMs = 2_000;
/** Poisson noise, with a little for balancing that is uneven, passes this many standard deviations once in 30,000. */
const deviations = 4;
const unevenness = 1.5;
/** Below this many requests more nothing is at stake. */
const fewestMore = 4;
/** Noise of large numbers is small: a tenth more of much traffic is no burst. */
const leastRise = 1.25;

interface Sum {
  readonly atMs: number;
  readonly seen: number;
  readonly usual: number;
}

/** Requests of a pod's last two seconds, and what the half minute before lets expect; undefined for a pod too young to tell. */
export function recentAgainstUsual({ seconds }: KeptReport): { seen: number; usual: number } | undefined {
  if (seconds.length < nowSeconds + fewestBefore) return undefined;
  let seen = 0;
  let earlier = 0;
  let count = 0;
  for (let back = 1; back <= Math.min(seconds.length, nowSeconds + beforeSeconds); back += 1) {
    const arrivals = seconds.at(-back)?.arrivals ?? 0;
    if (back <= nowSeconds) seen += arrivals;
    else {
      earlier += arrivals;
      count += 1;
    }
  }
  return { seen, usual: (nowSeconds * earlier) / count };
}

const isBurst = ({ seen, usual }: { seen: number; usual: number }) =>
  seen - usual > deviations * Math.sqrt(unevenness * usual) + fewestMore && seen > leastRise * usual;

/** Remembers the last seconds' answers of each deployment. */
export class BurstWatch {
  readonly #sums = new Map<string, Sum>();

  /** Whether this answer, or those of the last two seconds together, show a burst. */
  see(owner: string, report: KeptReport, nowMs: number): boolean {
    const now = recentAgainstUsual(report);
    if (now === undefined) return false;
    const before = this.#sums.get(owner);
    const kept = before === undefined ? 0 : Math.exp((before.atMs - nowMs) / fadeMs);
    const seen = now.seen + kept * (before?.seen ?? 0);
    const usual = now.usual + kept * (before?.usual ?? 0);
    this.#sums.set(owner, { atMs: nowMs, seen, usual });
    return isBurst(now) || isBurst({ seen, usual });
  }

  forget(owner: string): void {
    this.#sums.delete(owner);
  }
}
