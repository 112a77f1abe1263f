/** How a new revision replaces the old one: how many pods of each revision, this moment. Stateless but for `previous`. */
import type { RevisionState } from './revision-state.ts';
import { deadlineAtMs, roomDueAtMs } from './room.ts';

/** The rollout as status remembers it. */
export interface RolloutRecord {
  /** 0 before the first rollout. */
  readonly number: number;
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
  readonly failedRevision: string | undefined;
  /** Since when one pod of what serves gives way for want of room; undefined while none needs to. */
  readonly makesRoomSinceMs: number | undefined;
}

export interface RolloutInput {
  readonly nowMs: number;
  /** Revision of the spec as it is written now. */
  readonly wanted: string;
  /** Revision that serves; undefined before the first one was ready. */
  readonly stable: string | undefined;
  /** Revision that the last reconcile was rolling out, or had given up. */
  readonly candidate: string | undefined;
  /** Replicas that the load needs. */
  readonly needed: number;
  readonly suspended: boolean;
  /** Pods of the wanted revision that `restartedAt` has not replaced yet: their Deployment does it, with a surge of its own. */
  readonly outdatedPods: number;
  /** The user wrote the spec anew since the last reconcile: a failed revision gets another chance. */
  readonly specChanged: boolean;
  readonly revisions: readonly RevisionState[];
  readonly previous: RolloutRecord;
  readonly progressDeadlineMs: number;
  readonly bakeTimeMs: number;
}

/** A turn of the rollout, said once in an event. */
export type RolloutTurn =
  | { readonly kind: 'started'; readonly revision: string; readonly superseded?: string }
  | { readonly kind: 'finished'; readonly revision: string }
  | { readonly kind: 'failed'; readonly revision: string }
  | { readonly kind: 'makesRoom'; readonly revision: string; readonly waitedMs: number }
  | { readonly kind: 'resumed'; readonly revision: string }
  | { readonly kind: 'returned'; readonly revision: string; readonly from: string };

export interface RolloutPlan {
  readonly stable: string | undefined;
  readonly candidate: string | undefined;
  readonly record: RolloutRecord;
  /** Replicas by revision, for every Deployment that is to exist. */
  readonly replicas: ReadonlyMap<string, number>;
  /** Revisions whose Deployment is done with. */
  readonly remove: readonly string[];
  readonly turns: readonly RolloutTurn[];
  /** When to look again though nothing changed. */
  readonly wakeAtMs: number | undefined;
}

/** A failed revision whose diagnosis pod has been ready for this long was not that bad: the rollout goes on. */
const resumeAfterMs = 30_000;

/**
 * A revision replaces the one that serves only when it has been ready for this long: requests reach it from its first
 * ready moment, and a pod that the first of them ends must not leave nothing behind.
 */
export const settleMs = 5_000;

/** Pods beyond the needed ones while two revisions run: a quarter, at least one. */
export const surgeOf = (needed: number): number => Math.max(1, Math.ceil(needed / 4));

const absent = (revision: string): RevisionState => ({
  revision,
  asked: undefined,
  pods: 0,
  ready: 0,
  failing: 0,
  hopeless: false,
  readySinceMs: undefined,
  unplaced: 0,
  unplacedSinceMs: undefined,
  starting: 0,
  placedAtMs: undefined,
});

/** Plans one step. Calling it again with the same facts gives the same plan. */
export function planRollout(input: RolloutInput): RolloutPlan {
  const { nowMs, wanted, needed, suspended } = input;
  const of = (revision: string) =>
    input.revisions.find((state) => state.revision === revision) ?? absent(revision);
  const turns: RolloutTurn[] = [];
  let { number, startedAtMs, finishedAtMs, failedRevision, makesRoomSinceMs } = input.previous;
  let stable = input.stable;
  let wakeAtMs: number | undefined;
  const wake = (atMs: number) => {
    wakeAtMs = Math.min(wakeAtMs ?? Number.POSITIVE_INFINITY, atMs);
  };
  const start = (superseded: string | undefined) => {
    number += 1;
    startedAtMs = nowMs;
    finishedAtMs = undefined;
    failedRevision = undefined;
    makesRoomSinceMs = undefined;
    turns.push({ kind: 'started', revision: wanted, ...(superseded === undefined ? {} : { superseded }) });
  };

  // 1. Which rollout is it?
  const target = of(wanted);
  if (stable === undefined) {
    // Before anything serves there is nothing to protect: the newest spec is the one that runs. A superseded revision
    // with a ready pod would have become stable by then (2).
    if (number === 0 || input.candidate !== wanted)
      start(input.candidate === wanted ? undefined : input.candidate);
  } else if (wanted === stable) {
    if (input.candidate !== undefined && input.candidate !== stable) {
      turns.push({ kind: 'returned', revision: stable, from: input.candidate });
      finishedAtMs = nowMs;
      makesRoomSinceMs = undefined;
    }
    failedRevision = undefined;
  } else if (input.candidate !== wanted || (failedRevision === wanted && input.specChanged)) {
    start(input.candidate === wanted ? undefined : input.candidate);
  }
  if (suspended && failedRevision === wanted) {
    // Nothing runs that could fail, and resumed the revision is tried again: it has not failed then.
    failedRevision = undefined;
    finishedAtMs = undefined;
  }
  if (suspended && finishedAtMs === undefined && failedRevision === undefined) startedAtMs = undefined;
  if (!suspended && finishedAtMs === undefined && startedAtMs === undefined) startedAtMs = nowMs;

  // 2. Is it decided?
  if (!suspended) {
    if (stable === undefined && (target.ready > 0 || needed === 0)) {
      stable = wanted;
      failedRevision = undefined;
    }
    if (failedRevision === wanted && finishedAtMs === undefined && target.readySinceMs !== undefined) {
      // The one pod that was kept for diagnosis works after all: the registry, the bucket or the quota is back.
      if (stable === wanted || nowMs - target.readySinceMs >= resumeAfterMs) {
        failedRevision = undefined;
        startedAtMs = nowMs;
        turns.push({ kind: 'resumed', revision: wanted });
      } else wake(target.readySinceMs + resumeAfterMs);
    }
    const running = finishedAtMs === undefined && failedRevision === undefined;
    const settled = isSettled(input.stable === undefined ? undefined : of(input.stable), target, nowMs);
    if (running && target.ready >= needed && settled !== 'no') {
      stable = wanted;
      finishedAtMs = nowMs;
      turns.push({ kind: 'finished', revision: wanted });
    } else if (running && stable !== wanted) {
      const deadlineMs = deadlineAtMs(target, startedAtMs ?? nowMs, input.progressDeadlineMs);
      if ((deadlineMs !== undefined && nowMs >= deadlineMs) || (target.hopeless && target.ready === 0)) {
        failedRevision = wanted;
        // With ready pods it was tried in earnest and is over; with none, one pod goes on trying.
        if (target.ready > 0) finishedAtMs = nowMs;
        turns.push({ kind: 'failed', revision: wanted });
      } else if (deadlineMs !== undefined) wake(deadlineMs);
      if (settled === 'no' && target.readySinceMs !== undefined) wake(target.readySinceMs + settleMs);
    }
  }

  // 3. Is there no room for what is wanted, and something that can give way?
  const candidate = stable === wanted ? undefined : wanted;
  const failed = failedRevision === wanted && candidate !== undefined;
  const serving = stable === undefined ? undefined : of(stable);
  const others = input.revisions.filter(({ revision }) => revision !== stable && revision !== candidate);
  if (suspended || (target.ready >= needed && input.outdatedPods === 0)) makesRoomSinceMs = undefined;
  else if (makesRoomSinceMs === undefined && serving !== undefined && !failed) {
    const dueAtMs = roomDueAtMs(target, input.progressDeadlineMs);
    const gives =
      stableReplicas(serving, target, input, true) < stableReplicas(serving, target, input, false) ||
      others.some((state) => state.pods > 0) ||
      (input.outdatedPods > 0 && target.ready > 1);
    if (gives && dueAtMs !== undefined) {
      if (nowMs >= dueAtMs) {
        makesRoomSinceMs = nowMs;
        turns.push({
          kind: 'makesRoom',
          revision: wanted,
          waitedMs: nowMs - (target.unplacedSinceMs ?? nowMs),
        });
      } else wake(dueAtMs);
    }
  }
  const room = makesRoomSinceMs !== undefined;

  // 4. How many pods of each?
  const replicas = new Map<string, number>();
  const remove: string[] = [];
  if (suspended) {
    for (const revision of [stable, candidate]) if (revision !== undefined) replicas.set(revision, 0);
  } else if (serving !== undefined && candidate !== undefined && !failed && isIdle(serving, target)) {
    replicas.set(serving.revision, 0);
    replicas.set(candidate, needed);
  } else {
    if (serving !== undefined)
      replicas.set(serving.revision, stableReplicas(serving, target, input, room && !failed));
    if (candidate !== undefined)
      replicas.set(
        candidate,
        failed
          ? failedReplicas(serving, target, needed, finishedAtMs !== undefined, room)
          : candidateReplicas(serving, target, needed, room),
      );
  }

  // 5. What is left of earlier revisions serves only while it is needed, and goes.
  const running = finishedAtMs === undefined;
  const serve = (serving?.ready ?? 0) + (candidate === undefined ? 0 : target.ready);
  let gap = suspended ? 0 : needed - serve - (room ? 1 : 0);
  for (const state of others) {
    if (state.asked === undefined) continue;
    const kept = Math.max(0, Math.min(state.ready, state.asked, gap));
    gap -= kept;
    const bakedAtMs = running ? nowMs : (finishedAtMs ?? nowMs) + input.bakeTimeMs;
    if (kept === 0 && state.asked === 0 && state.pods === 0 && nowMs >= bakedAtMs)
      remove.push(state.revision);
    else {
      replicas.set(state.revision, kept);
      if (kept === 0 && nowMs < bakedAtMs) wake(bakedAtMs);
    }
  }
  return {
    stable,
    candidate,
    record: { number, startedAtMs, finishedAtMs, failedRevision, makesRoomSinceMs },
    replicas,
    remove,
    turns,
    wakeAtMs,
  };
}

/**
 * Stable gives up a pod for each pod of the candidate that is ready, so ready pods never become fewer than needed: a
 * Deployment that shrinks ends its unready pods first. Where the candidate finds no room, it gives up one more: then one is
 * missing, and never more than one. A stable revision of which nothing serves protects nothing: it keeps one pod, and its
 * room goes to the candidate (a bad revision never blocks a good one).
 */
function stableReplicas(
  stable: RevisionState,
  target: RevisionState,
  input: RolloutInput,
  room: boolean,
): number {
  if (stable.revision === target.revision) return input.needed;
  if (isBroken(stable)) return Math.min(1, input.needed);
  // One pod stays until the candidate has proven itself.
  const least = isSettled(stable, target, input.nowMs) === 'no' ? Math.min(1, input.needed) : 0;
  return Math.max(least, input.needed - target.ready - (room ? 1 : 0));
}

/** Whether the target may replace what serves; `unneeded` where nothing is there to be protected. */
function isSettled(
  stable: RevisionState | undefined,
  target: RevisionState,
  nowMs: number,
): 'yes' | 'no' | 'unneeded' {
  if (stable === undefined || stable.revision === target.revision || stable.ready === 0) return 'unneeded';
  return target.readySinceMs !== undefined && nowMs - target.readySinceMs >= settleMs ? 'yes' : 'no';
}

/** Stable was stopped (spec.suspend) and nothing speaks against the candidate yet: it goes first and has the room. */
const isIdle = (stable: RevisionState, target: RevisionState) =>
  stable.asked === 0 && stable.pods === 0 && target.failing + target.unplaced === 0;

const isBroken = (state: RevisionState) => state.ready === 0 && state.failing + state.unplaced > 0;

/**
 * Replicas of a candidate that is being rolled out: all that are needed where nothing is to be protected; else its ready
 * pods and the surge, so that both revisions together stay within the surge; one at a time where there is no room.
 */
function candidateReplicas(
  stable: RevisionState | undefined,
  candidate: RevisionState,
  needed: number,
  room: boolean,
): number {
  if (stable === undefined || isBroken(stable)) return needed;
  return Math.min(needed, candidate.ready + (room ? 1 : surgeOf(needed)));
}

/**
 * | stable                   | the candidate failed | replicas of the candidate                           |
 * | none, broken             | any                  | all that are needed: nothing is to be protected     |
 * | serves, lacks room       | none was ready       | none: the one for diagnosis would hold stable's room |
 * | serves                   | none was ready       | one, for diagnosis                                  |
 * | serves                   | given up             | none, but ready pods go only as stable's come       |
 */
function failedReplicas(
  stable: RevisionState | undefined,
  candidate: RevisionState,
  needed: number,
  givenUp: boolean,
  room: boolean,
): number {
  if (stable === undefined || isBroken(stable)) return needed;
  if (givenUp) return Math.max(0, Math.min(candidate.ready, needed - stable.ready - (room ? 1 : 0)));
  return room || stable.unplaced > 0 ? 0 : Math.min(1, needed);
}
