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

/** A shorter wait for a node is not worth an event: a spec that goes to and fro would bring two at each turn. */
const longWaitMs = 5_000;

export interface NodeWait {
  readonly events: readonly PlannedEvent[];
  /** Whether an event has told of the wait that lasts now; to be remembered. */
  readonly told: boolean;
  /** When the wait is to be told; undefined when none is. */
  readonly dueAtMs: number | undefined;
}

/**
 * Pods have waited for a node for a while, or all of them have one: one event each, the second only after the first.
 * After a restart of the operator a wait that was long already is taken to have been told.
 */
export function nodeWait(
  facts: StatusFacts,
  previous: ModelDeploymentStatus | undefined,
  next: ModelDeploymentStatus,
): NodeWait {
  const { nowMs, memory } = facts.snapshot;
  const beforeMs = timestampMs(unplacedSince(previous?.pending));
  const sinceMs = timestampMs(unplacedSince(next.pending));
  const told = memory.waitTold ?? (beforeMs !== undefined && nowMs >= beforeMs + longWaitMs);
  if (sinceMs === undefined) {
    if (!told || beforeMs === undefined) return { events: [], told: false, dueAtMs: undefined };
    const waited = formatDuration(Math.floor((nowMs - beforeMs) / 1_000) * 1_000);
    const ended = normal('WaitEnded', `no pod waits for a node any more, after ${waited}`);
    return { events: [ended], told: false, dueAtMs: undefined };
  }
  if (told) return { events: [], told, dueAtMs: undefined };
  const dueAtMs = sinceMs + longWaitMs;
  const text = unplacedText(facts);
  if (nowMs < dueAtMs || text === undefined) return { events: [], told, dueAtMs };
  // Normal: a node autoscaler brings a node within a minute or two. What lasts becomes Stalled, with a warning.
  return { events: [normal('WaitingForNode', text)], told: true, dueAtMs: undefined };
}

/** What is worth telling about the step from the last status to the next. */
export function plannedEvents(
  facts: StatusFacts,
  previous: ModelDeploymentStatus | undefined,
  next: ModelDeploymentStatus,
  applied: readonly ApplyAction[],
  wait: NodeWait,
): PlannedEvent[] {
  const { turns } = facts.rollout;
  // What begins and ends in one step is told by its end.
  const ended = new Set(turns.filter(({ kind }) => kind === 'finished').map(({ revision }) => revision));
  const events = turns
    .filter(({ kind, revision }) => kind !== 'started' || !ended.has(revision))
    .map((turn) => turnEvent(turn, facts));
  for (const { kind, object, edited, editors } of applied) {
    if (edited.length > 0)
      events.push(
        warning(
          'ChildRestored',
          `${object.kind ?? kind} ${object.metadata.name ?? ''} was changed by ${editors?.join(' and ') ?? 'somebody'} (${edited.slice(0, 5).join(', ')}) and is put back`,
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
  events.push(...wait.events);
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
