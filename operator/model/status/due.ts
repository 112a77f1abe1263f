/** When a status is worth a write: a transition at once, figures that merely moved now and then. */
import type { Reason } from '../../../crds/reasons.ts';
import type { ModelDeploymentStatus } from '../../../crds/status.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import { canonicalJson } from '../canonical-json.ts';
import { timestampMs } from './rounding.ts';

/** Least time between two writes that bring nothing but figures, milliseconds. */
const leastFiguresMs = 30_000;
/** In a fleet of this many whoever watches is a person with one model before them: figures come sooner. */
const smallFleet = 20;
const smallFleetFiguresMs = 10_000;
/** Ten such writes a second are enough for the API server, however large the fleet is. */
const figuresMsPerObject = 100;

/** Time between two writes of figures for one object among `fleetSize`. */
export const figuresEveryMs = (fleetSize: number): number =>
  fleetSize <= smallFleet ? smallFleetFiguresMs : Math.max(leastFiguresMs, fleetSize * figuresMsPerObject);

/** The status without what merely moves: measured figures, messages, counts of restarts. */
function skeleton(status: ModelDeploymentStatus): unknown {
  const {
    summary,
    sla: _,
    cost: _cost,
    failures,
    conditions,
    stable,
    candidate,
    scaling,
    pending,
    ...rest
  } = status;
  const weightless = (revision: ModelDeploymentStatus['stable']) =>
    revision === undefined ? undefined : { ...revision, observedWeight: undefined };
  return {
    ...rest,
    phase: summary?.phase,
    ready: summary?.ready,
    sla: summary?.sla,
    conditions: conditions?.map(({ message, ...condition }) => condition),
    failures: failures?.map(({ pod, container, reason }) => [pod, container, reason]),
    // The scheduler's words change with each node that comes or goes; what the pods wait for does not.
    pending: pending?.causes.map(({ reason, short, pods }) => [reason, short, pods]),
    stable: weightless(stable),
    candidate: weightless(candidate),
    // What is decided at present moves with the load; a count that changed is a transition, its history comes with it.
    scaling: {
      ...scaling,
      learned: undefined,
      current: scaling?.current?.limitedBy,
      headroom: [scaling?.headroom?.replicas, scaling?.headroom?.form, scaling?.headroom?.inPlace],
      lastDecision: scaling?.lastDecision?.replicas,
      recentDecisions: undefined,
    },
  };
}

export type Due =
  | { readonly write: true }
  | { readonly write: false; readonly againAtMs: number | undefined };

/** The status without what is kept for an operator that begins anew: it rides on other writes, and causes none. */
const withoutLearned = (status: ModelDeploymentStatus): ModelDeploymentStatus =>
  status.scaling?.learned === undefined
    ? status
    : { ...status, scaling: { ...status.scaling, learned: undefined } };

/** Whether to write `next` over `previous` now, and if not, when to look again. */
export function statusDue(
  previous: ModelDeploymentStatus | undefined,
  next: ModelDeploymentStatus,
  writtenAtMs: number | undefined,
  nowMs: number,
  everyMs: number,
): Due {
  if (previous === undefined) return { write: true };
  if (canonicalJson(withoutLearned(previous)) === canonicalJson(withoutLearned(next)))
    return { write: false, againAtMs: undefined };
  if (canonicalJson(skeleton(previous)) !== canonicalJson(skeleton(next))) return { write: true };
  const dueAtMs = (writtenAtMs ?? Number.NEGATIVE_INFINITY) + everyMs;
  return nowMs >= dueAtMs ? { write: true } : { write: false, againAtMs: dueAtMs };
}

/** While more ModelDeployments than this wait for their turn, words that a better one follows soon can wait too; */
const longBacklog = 32;
/** but not for longer than this. */
const longestSilenceMs = 60_000;
const lookAgainMs = 10_000;

/**
 * Whether the first status, which says that a rollout begins and nothing else, is left unsaid for now, and until when.
 * Where a fleet comes at once, the children of those that wait are worth more than these words: mostly the next status
 * says Ready. Whatever a person should act on is never held back.
 */
export function firstWordsDueAtMs(
  deployment: ModelDeployment,
  next: ModelDeploymentStatus,
  backlog: number,
  nowMs: number,
): number | undefined {
  const createdAtMs = timestampMs(deployment.metadata.creationTimestamp);
  if ((deployment.status?.observedGeneration ?? 0) > 0 || createdAtMs === undefined) return undefined;
  const untilMs = createdAtMs + longestSilenceMs;
  if (backlog <= longBacklog || nowMs >= untilMs) return undefined;
  const ready = next.conditions?.find(({ type }) => type === 'Ready');
  const isPlain =
    ready?.reason === ('RollingOut' satisfies Reason) &&
    next.conditions?.every(({ type, status }) => type !== 'Stalled' || status === 'False') === true &&
    (next.failures ?? []).length === 0;
  return isPlain ? Math.min(untilMs, nowMs + lookAgainMs) : undefined;
}
