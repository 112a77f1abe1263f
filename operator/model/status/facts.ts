/** What the status is written from: gathered once by the plan, read by each condition. */
import type { TrafficChoice } from '../../../crds/status.ts';
import type { Problem } from '../check.ts';
import type { TrafficPath } from '../gateway/path.ts';
import type { Failure } from '../pods.ts';
import type { Revision } from '../revisions.ts';
import type { RolloutPlan } from '../rollout/planner.ts';
import type { ChildKey, Conflict, Contest, Refusal, Snapshot } from '../snapshot.ts';

export interface StatusFacts {
  readonly snapshot: Snapshot;
  readonly problems: readonly Problem[];
  readonly revisions: ReadonlyMap<string, Revision>;
  readonly rollout: RolloutPlan;
  /** Revision of the spec as written, or of the last good one where the spec is invalid. */
  readonly wanted: string;
  /** Replicas that the load needs. */
  readonly needed: number;
  readonly limits: { readonly minReplicas: number; readonly maxReplicas: number };
  /** The way that the callers' Service leads. */
  readonly traffic: TrafficPath;
  /** What `traffic.path: Auto` chose, to be remembered. */
  readonly choice: TrafficChoice | undefined;
  readonly conflicts: readonly Conflict[];
  readonly contests: ReadonlyMap<ChildKey, Contest>;
  readonly refusal: Refusal | undefined;
  /** Pods of the wanted revision that `restartedAt` has not replaced yet. */
  readonly outdatedPods: number;
  /** How long a revision may take, from the spec, or the default where the spec's own does not parse. */
  readonly progressDeadlineMs: number;
}

/** Ready pods of all revisions. */
export const readyPods = (facts: StatusFacts): number =>
  [...facts.revisions.values()].reduce((sum, revision) => sum + revision.state.ready, 0);

/** Failures of all pods, the newest revision first. */
export function allFailures(facts: StatusFacts): Failure[] {
  const number = (revision: string | undefined) =>
    facts.revisions.get(revision ?? '')?.stored?.revision ?? Number.MAX_SAFE_INTEGER;
  return [...facts.revisions.values()]
    .flatMap((revision) => revision.failures)
    .sort((a, b) => number(b.revision) - number(a.revision) || (a.pod < b.pod ? -1 : a.pod > b.pod ? 1 : 0));
}

/** Failures of one revision: what stands now, else what the last status said of it (its pods may be gone by now). */
export function failuresOf(facts: StatusFacts, revision: string): readonly Failure[] {
  const now = facts.revisions.get(revision)?.failures ?? [];
  if (now.length > 0) return now;
  const before = facts.snapshot.deployment.status?.failures ?? [];
  return before
    .filter((failure) => failure.revision === revision)
    .map((failure) => ({ ...failure, hopeless: false }) as Failure);
}

/** One failure in a sentence: pod, container, exit code, last words. */
export function failureText(failure: Failure): string {
  // What was refused has no pod: the ReplicaSet that could not make it is named.
  const refused = failure.reason === 'QuotaExceeded' || failure.reason === 'Forbidden';
  const place = [
    `${refused ? 'ReplicaSet' : 'pod'} ${failure.pod}`,
    failure.container === undefined ? undefined : `container ${failure.container}`,
    failure.exitCode === undefined ? undefined : `exit code ${failure.exitCode}`,
  ].filter((part) => part !== undefined);
  return `${place.join(', ')}: ${failure.message}`;
}
