/** When a status is worth a write: a transition at once, figures that merely moved now and then. */
import type { ModelDeploymentStatus } from '../../../crds/status.ts';
import { canonicalJson } from '../canonical-json.ts';

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
    scaling: {
      ...scaling,
      lastDecision: scaling?.lastDecision?.replicas,
    },
  };
}

export type Due =
  | { readonly write: true }
  | { readonly write: false; readonly againAtMs: number | undefined };

/** Whether to write `next` over `previous` now, and if not, when to look again. */
export function statusDue(
  previous: ModelDeploymentStatus | undefined,
  next: ModelDeploymentStatus,
  writtenAtMs: number | undefined,
  nowMs: number,
  everyMs: number,
): Due {
  if (previous === undefined) return { write: true };
  if (canonicalJson(previous) === canonicalJson(next)) return { write: false, againAtMs: undefined };
  if (canonicalJson(skeleton(previous)) !== canonicalJson(skeleton(next))) return { write: true };
  const dueAtMs = (writtenAtMs ?? Number.NEGATIVE_INFINITY) + everyMs;
  return nowMs >= dueAtMs ? { write: true } : { write: false, againAtMs: dueAtMs };
}
