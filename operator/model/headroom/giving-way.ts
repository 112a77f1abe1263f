/** How many placeholders stay while pods of their model find no place, where no PriorityClass makes them give way. */
import type { Known } from '../scaling/types.ts';

/** What was given up for the pods that find no place now. */
export interface GivenWay {
  /** Placeholders that stay. */
  readonly replicas: number;
  /** Pods that found no place when that was last looked at: each has a place on its way. */
  readonly blocked: number;
  /** When a placeholder was last taken away, monotonic or wall, milliseconds. */
  readonly atMs: number;
}

/**
 * A place that was given up is taken by then: the scheduler looks again at once and, after a failure, within ten seconds.
 */
export const takenWithinMs = 15_000;

/**
 * Counts from what is in place, since placeholders that wait for a place have none to give, and would be first at the
 * one that was given up. While any pod is blocked no placeholder comes back: it would take the place of the last of them.
 *
 * | pods blocked               | placeholders                                  |
 * | none                       | as wanted                                     |
 * | some, for the first time   | those in place, less one for each; as wanted until those are known |
 * | more than a moment ago     | less one for each that came                   |
 * | as many or fewer           | the same                                      |
 * | as many or fewer, for 15 s | others took the places: less one for each     |
 */
export function giveWay(
  wanted: number,
  inPlace: Known<number>,
  blocked: number,
  before: GivenWay | undefined,
  nowMs: number,
): GivenWay | undefined {
  if (blocked === 0) return undefined;
  const less = (from: number, by: number): GivenWay => ({
    replicas: Math.max(0, Math.min(wanted, from) - by),
    blocked,
    atMs: nowMs,
  });
  if (before === undefined) return inPlace === 'unknown' ? undefined : less(inPlace, blocked);
  if (blocked > before.blocked) return less(before.replicas, blocked - before.blocked);
  if (nowMs - before.atMs >= takenWithinMs) return less(before.replicas, blocked);
  return { ...before, replicas: Math.min(wanted, before.replicas), blocked };
}
