/** A rollout that finds no room for one pod more: after a while one pod of what serves gives way. Pure. */
import type { RevisionState } from './revision-state.ts';

/** Share of the progress deadline for which a pod may wait for a node before room is made: 2 of 10 minutes. */
const patienceShare = 1 / 5;

/**
 * When room is to be made for the target: a node autoscaler had its time, and nothing else of the target is on its way that
 * would free room by becoming ready. Undefined while there is nothing to wait for.
 */
export function roomDueAtMs(target: RevisionState, progressDeadlineMs: number): number | undefined {
  if (target.unplacedSinceMs === undefined || target.starting > 0) return undefined;
  return target.unplacedSinceMs + progressDeadlineMs * patienceShare;
}

/** The target lacks nothing but nodes for its pods: that is no fault of the revision, so its deadline waits meanwhile. */
const waitsForNodeOnly = (target: RevisionState): boolean =>
  target.unplaced > 0 && target.starting <= 0 && target.failing === 0;

/**
 * When the revision is late: `progressDeadline` after the rollout began, or after the last of its pods that had waited for a
 * node got one. Undefined while it waits for nodes only.
 */
export const deadlineAtMs = (
  target: RevisionState,
  startedAtMs: number,
  progressDeadlineMs: number,
): number | undefined =>
  waitsForNodeOnly(target)
    ? undefined
    : Math.max(startedAtMs, target.placedAtMs ?? startedAtMs) + progressDeadlineMs;
