/** Events: one for each turn of things, none while nothing turns. */
import type { ModelDeploymentStatus, PendingStatus } from '../../crds/status.ts';
import { formatDuration } from '../../crds/values.ts';
import type { ApplyAction } from './actions.ts';
import type { RolloutTurn } from './rollout/planner.ts';
import { conditionOf } from './status/conditions.ts';
import { failuresOf, failureText, type StatusFacts } from './status/facts.ts';
import { unplacedText } from './status/pending.ts';
import { timestampMs } from './status/rounding.ts';

export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

const normal = (reason: string, message: string): PlannedEvent => ({ type: 'Normal', reason, message });
const warning = (reason: string, message: string): PlannedEvent => ({ type: 'Warning', reason, message });

function turnEvent(turn: RolloutTurn, facts: StatusFacts): PlannedEvent {
  const number = facts.rollout.record.number;
  switch (turn.kind) {
    case 'started':
      return normal(
        'RolloutStarted',
        `rollout ${number}: revision ${turn.revision}${turn.superseded === undefined ? '' : ` supersedes ${turn.superseded}`}`,
      );
    case 'finished':
      return normal('RolloutFinished', `rollout ${number}: revision ${turn.revision} serves`);
    case 'failed': {
      const first = failuresOf(facts, turn.revision)[0];
      return warning(
        'RolloutFailed',
        `rollout ${number}: revision ${turn.revision} ${first === undefined ? 'missed its progress deadline' : `failed: ${failureText(first)}`}`,
      );
    }
    case 'makesRoom': {
      const waited = formatDuration(Math.floor(turn.waitedMs / 1_000) * 1_000);
      return warning(
        'RolloutMakesRoom',
        `rollout ${number}: no node had room for a pod of revision ${turn.revision} for ${waited}: one pod of the revision that serves gives way at a time, ${facts.needed - 1} of ${facts.needed} serve at least`,
      );
    }
    case 'resumed':
      return normal('RolloutResumed', `rollout ${number}: revision ${turn.revision} became ready after all`);
    case 'returned':
      return normal(
        'RolledBack',
        `rollout ${number}: the spec went back to revision ${turn.revision}; ${turn.from} is given up`,
      );
  }
}

/** Why the count changed: the decision that made it, or the limits of the spec, which bound every decision. */
function scalingCause({ needed, limits }: StatusFacts, { scaling }: ModelDeploymentStatus): string {
  const decision = scaling?.lastDecision;
  return decision?.replicas === needed
    ? decision.message
    : `the spec says ${limits.minReplicas === limits.maxReplicas ? limits.minReplicas : `${limits.minReplicas} to ${limits.maxReplicas}`}`;
}

const unplacedSince = (pending: PendingStatus | undefined): string | undefined =>
  pending?.causes
    .filter(({ reason }) => reason === 'Unschedulable')
    .map(({ since }) => since)
    .sort()[0];

/** Pods begin to wait for a node, or all of them have one: one event each. */
function nodeEvents(
  facts: StatusFacts,
  previous: ModelDeploymentStatus | undefined,
  next: ModelDeploymentStatus,
): PlannedEvent[] {
  const [before, now] = [unplacedSince(previous?.pending), unplacedSince(next.pending)];
  const text = unplacedText(facts);
  // Normal: a node autoscaler brings a node within a minute or two. What lasts becomes Stalled, with a warning.
  if (before === undefined && now !== undefined && text !== undefined)
    return [normal('WaitingForNode', text)];
  const sinceMs = timestampMs(before);
  if (now !== undefined || sinceMs === undefined) return [];
  const waited = formatDuration(Math.floor((facts.snapshot.nowMs - sinceMs) / 1_000) * 1_000);
  return [normal('WaitEnded', `no pod waits for a node any more, after ${waited}`)];
}

/** What is worth telling about the step from the last status to the next. */
export function plannedEvents(
  facts: StatusFacts,
  previous: ModelDeploymentStatus | undefined,
  next: ModelDeploymentStatus,
  applied: readonly ApplyAction[],
): PlannedEvent[] {
  const events = facts.rollout.turns.map((turn) => turnEvent(turn, facts));
  for (const { kind, object, edited } of applied) {
    if (edited.length > 0)
      events.push(
        warning(
          'ChildRestored',
          `${object.kind ?? kind} ${object.metadata.name ?? ''} was changed by somebody (${edited.slice(0, 5).join(', ')}) and is put back`,
        ),
      );
  }
  const before = previous?.scaling?.desiredReplicas;
  if (before !== undefined && before !== facts.needed)
    events.push(
      normal(
        facts.needed > before ? 'ScaledUp' : 'ScaledDown',
        `from ${before} to ${facts.needed} replicas: ${scalingCause(facts, next)}`,
      ),
    );
  events.push(...nodeEvents(facts, previous, next));
  const changed = (type: 'Stalled' | 'SLAMet') => {
    const now = conditionOf(next.conditions, type);
    const then = conditionOf(previous?.conditions, type);
    return now !== undefined && (now.status !== then?.status || now.reason !== then.reason) ? now : undefined;
  };
  const stalled = changed('Stalled');
  if (stalled?.status === 'True' && facts.rollout.turns.every((turn) => turn.kind !== 'failed'))
    events.push(warning(stalled.reason, stalled.message));
  const promise = changed('SLAMet');
  if (promise?.status === 'False') events.push(warning('SLAViolated', promise.message));
  if (promise?.status === 'True' && conditionOf(previous?.conditions, 'SLAMet')?.status === 'False')
    events.push(normal('SLAMet', promise.message));
  return events;
}
