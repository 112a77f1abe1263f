/** The rollout as status remembers it, and what can be told without it. */
import type { ModelDeploymentStatus } from '../../../crds/status.ts';
import { revisionData } from '../desired/controller-revision.ts';
import type { Revision } from '../revisions.ts';
import { timestampMs } from '../status/rounding.ts';
import type { RolloutRecord } from './planner.ts';

/** The record in a status; a new one where there is none. */
export function rolloutRecord(status: ModelDeploymentStatus | undefined): RolloutRecord {
  const rollout = status?.rollout;
  return {
    number: rollout?.number ?? 0,
    startedAtMs: timestampMs(rollout?.startedAt),
    finishedAtMs: timestampMs(rollout?.finishedAt),
    failedRevision: rollout?.failedRevision,
    makesRoomSinceMs: timestampMs(rollout?.makesRoomSince),
  };
}

const isKnown = (revision: Revision | undefined): revision is Revision =>
  revision !== undefined &&
  (revision.deployment !== undefined || revisionData(revision.stored) !== undefined);

/**
 * The revision that serves: as status says, if it still exists. Where status was lost (a restore without it), the one
 * with most ready pods, and of equals the older: it has served longest.
 */
export function stableOf(
  status: ModelDeploymentStatus | undefined,
  revisions: ReadonlyMap<string, Revision>,
): string | undefined {
  const named = status?.stable?.revision;
  if (named !== undefined && isKnown(revisions.get(named))) return named;
  const [best] = [...revisions.values()]
    .filter((revision) => isKnown(revision) && revision.state.ready > 0)
    .sort((a, b) => b.state.ready - a.state.ready || (a.stored?.revision ?? 0) - (b.stored?.revision ?? 0));
  return best?.revision;
}
