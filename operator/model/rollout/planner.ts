/** How a new revision replaces the old one: how many pods of each revision, this moment. Stateless but for `previous`. */

/** What is known of one revision that has, or is to have, a Deployment. */
export interface RevisionState {
  readonly revision: string;
  /** Replicas that its Deployment asks for; undefined: there is no Deployment. */
  readonly asked: number | undefined;
  /** Pods that exist, ending ones included. */
  readonly pods: number;
  readonly ready: number;
  /** Pods whose containers end again and again, or that cannot start. */
  readonly failing: number;
  /** A failure that trying again does not heal: the model cannot be had, or is another file. */
  readonly hopeless: boolean;
  /** When the pod that is ready longest became ready; undefined when none is. */
  readonly readySinceMs: number | undefined;
}

/** The rollout as status remembers it. */
export interface RolloutRecord {
  /** 0 before the first rollout. */
  readonly number: number;
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
  readonly failedRevision: string | undefined;
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
});

/** Plans one step. Calling it again with the same facts gives the same plan. */
export function planRollout(input: RolloutInput): RolloutPlan {
  const { nowMs, wanted, needed, suspended } = input;
  const of = (revision: string) =>
    input.revisions.find((state) => state.revision === revision) ?? absent(revision);
  const turns: RolloutTurn[] = [];
  let { number, startedAtMs, finishedAtMs, failedRevision } = input.previous;
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
    }
    failedRevision = undefined;
  } else if (input.candidate !== wanted || (failedRevision === wanted && input.specChanged)) {
    start(input.candidate === wanted ? undefined : input.candidate);
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
      const deadlineMs = (startedAtMs ?? nowMs) + input.progressDeadlineMs;
      if (nowMs >= deadlineMs || (target.hopeless && target.ready === 0)) {
        failedRevision = wanted;
        // With ready pods it was tried in earnest and is over; with none, one pod goes on trying.
        if (target.ready > 0) finishedAtMs = nowMs;
        turns.push({ kind: 'failed', revision: wanted });
      } else wake(deadlineMs);
      if (settled === 'no' && target.readySinceMs !== undefined) wake(target.readySinceMs + settleMs);
    }
  }

  // 3. How many pods of each?
  const replicas = new Map<string, number>();
  const remove: string[] = [];
  const candidate = stable === wanted ? undefined : wanted;
  const failed = failedRevision === wanted && candidate !== undefined;
  const serving = stable === undefined ? undefined : of(stable);
  if (suspended) {
    for (const revision of [stable, candidate]) if (revision !== undefined) replicas.set(revision, 0);
  } else {
    if (serving !== undefined) replicas.set(serving.revision, stableReplicas(serving, target, input));
    if (candidate !== undefined)
      replicas.set(candidate, candidateReplicas(serving, target, needed, failed, finishedAtMs !== undefined));
  }

  // 4. What is left of earlier revisions serves only while it is needed, and goes.
  const running = finishedAtMs === undefined;
  let gap = suspended ? 0 : needed - (serving?.ready ?? 0) - (candidate === undefined ? 0 : target.ready);
  for (const state of input.revisions) {
    if (state.revision === stable || state.revision === candidate || state.asked === undefined) continue;
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
    record: { number, startedAtMs, finishedAtMs, failedRevision },
    replicas,
    remove,
    turns,
    wakeAtMs,
  };
}

/**
 * Stable gives up a pod for each pod of the candidate that is ready, so ready pods never become fewer than needed: a
 * Deployment that shrinks ends its unready pods first. A stable revision of which nothing serves protects nothing: it
 * keeps one pod, and its room goes to the candidate (a bad revision never blocks a good one).
 */
function stableReplicas(stable: RevisionState, target: RevisionState, input: RolloutInput): number {
  if (stable.revision === target.revision) return input.needed;
  if (isBroken(stable)) return Math.min(1, input.needed);
  // One pod stays until the candidate has proven itself.
  const least = isSettled(stable, target, input.nowMs) === 'no' ? Math.min(1, input.needed) : 0;
  return Math.max(least, input.needed - target.ready);
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

const isBroken = (state: RevisionState) => state.ready === 0 && state.failing > 0;

/**
 * | stable        | candidate | replicas of the candidate                                            |
 * | none, broken  | any       | all that are needed: nothing is to be protected                      |
 * | serves        | rolling   | its ready pods and the surge, so both together stay within the surge |
 * | serves        | failed, none was ready | one, for diagnosis                                      |
 * | serves        | failed, given up | none, but ready pods go only as stable's come                 |
 */
function candidateReplicas(
  stable: RevisionState | undefined,
  candidate: RevisionState,
  needed: number,
  failed: boolean,
  givenUp: boolean,
): number {
  if (stable === undefined || isBroken(stable)) return needed;
  if (failed && givenUp) return Math.max(0, Math.min(candidate.ready, needed - stable.ready));
  if (failed) return Math.min(1, needed);
  return Math.min(needed, candidate.ready + surgeOf(needed));
}
