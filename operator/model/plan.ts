/** The decision about one ModelDeployment: from what is, to what is to be written. Pure. */
import type { ModelDeploymentStatus } from '../../crds/status.ts';
import { durationMs } from '../../crds/values.ts';
import type { ApplyAction, DeleteAction } from './actions.ts';
import { check, concerns, type Problem } from './check.ts';
import { type ChildPlan, planChildren } from './child-plan.ts';
import { desiredChildren } from './desired/children.ts';
import { restartedAtAnnotation } from './desired/deployment.ts';
import { nodeWait, type PlannedEvent, plannedEvents } from './events.ts';
import { autoWay } from './gateway/auto.ts';
import { routesEndMs, trafficPathOf } from './gateway/path.ts';
import { routesName } from './gateway/routes.ts';
import { revisionHash } from './hash.ts';
import { ownChildren, ownPods, ownReplicaSets } from './ownership.ts';
import { neededReplicas } from './replicas.ts';
import { type Revision, revisionsOf } from './revisions.ts';
import { planRollout, type RolloutPlan } from './rollout/planner.ts';
import { rolloutRecord, stableOf } from './rollout/record.ts';
import type { Snapshot } from './snapshot.ts';
import { buildStatus } from './status/build.ts';
import { costDueAtMs } from './status/cost.ts';
import { figuresEveryMs, firstWordsDueAtMs, statusDue } from './status/due.ts';
import type { StatusFacts } from './status/facts.ts';
import { pendingDueAtMs } from './status/pending.ts';
import { stallsAtMs } from './status/stall.ts';

export interface Plan {
  /** In the order of dependence. */
  readonly apply: readonly ApplyAction[];
  readonly delete: readonly DeleteAction[];
  /** Status to write; undefined when the one in the cluster is good enough. */
  readonly status: ModelDeploymentStatus | undefined;
  readonly events: readonly PlannedEvent[];
  /** Whether these events or earlier ones tell of a wait for a node that lasts. */
  readonly waitTold: boolean;
  readonly requeueAfterMs: number | undefined;
}

/** Default of `rollout.progressDeadline`. */
const defaultProgressDeadline = '10m';

const noRollout = (snapshot: Snapshot): RolloutPlan => ({
  stable: undefined,
  candidate: undefined,
  record: rolloutRecord(snapshot.deployment.status),
  replicas: new Map(),
  remove: [],
  turns: [],
  wakeAtMs: undefined,
});

/** Whether the spec as written names no revision. A problem of the spec as a whole may belong to the revision. */
const namesNoRevision = (problems: readonly Problem[]): boolean =>
  concerns(problems, 'model', 'runtime') || problems.some(({ field }) => field === 'spec');

/** Revision to aim at: of the spec as written, or, where model or runtime are invalid, the one that was aimed at before. */
function wantedRevision(snapshot: Snapshot, problems: readonly Problem[]): string | undefined {
  const { spec, status } = snapshot.deployment;
  if (!namesNoRevision(problems)) return revisionHash(spec);
  return status?.candidate?.revision ?? status?.stable?.revision;
}

function outdatedPods(snapshot: Snapshot, revision: Revision | undefined): number {
  const restartedAt = snapshot.deployment.spec.rollout?.restartedAt;
  if (restartedAt === undefined) return 0;
  return (revision?.pods ?? []).filter(
    (pod) => pod.metadata.annotations?.[restartedAtAnnotation] !== restartedAt,
  ).length;
}

const earliest = (times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
};

/** Plans everything for one ModelDeployment. The same snapshot gives the same plan; a settled one gives an empty plan. */
export function plan(given: Snapshot): Plan {
  const { deployment, nowMs, memory } = given;
  const own = ownChildren(given.children, deployment);
  const snapshot: Snapshot = {
    ...given,
    children: own,
    replicaSets: ownReplicaSets(given.replicaSets, own.deployments),
    pods: ownPods(given.pods, given.replicaSets, own.deployments, deployment),
  };
  const problems = check(deployment, snapshot.defaults);
  const wanted = wantedRevision(snapshot, problems);
  const revisions = revisionsOf(snapshot);
  const { replicas: needed, limits } = neededReplicas(snapshot, problems);
  const deadline = concerns(problems, 'rollout') ? undefined : deployment.spec.rollout?.progressDeadline;
  const progressDeadlineMs = durationMs(deadline ?? defaultProgressDeadline);
  const outdated = outdatedPods(snapshot, revisions.get(wanted ?? ''));
  const deleting = deployment.metadata.deletionTimestamp !== undefined;
  const rollout =
    wanted === undefined || deleting
      ? noRollout(snapshot)
      : planRollout({
          nowMs,
          wanted,
          stable: stableOf(deployment.status, revisions),
          candidate: deployment.status?.candidate?.revision,
          needed,
          suspended: deployment.spec.suspend === true,
          outdatedPods: outdated,
          // A spec that names no revision asks for nothing anew: the one that failed before is not tried again for it.
          specChanged:
            !namesNoRevision(problems) &&
            deployment.status?.observedGeneration !== deployment.metadata.generation,
          revisions: [...revisions.values()].map((revision) => revision.state),
          previous: rolloutRecord(deployment.status),
          progressDeadlineMs,
          bakeTimeMs: snapshot.defaults.bakeTimeMs,
        });
  const routes = own.configMaps.find(
    ({ metadata }) => metadata.name === routesName(deployment.metadata.name),
  );
  const auto = autoWay(snapshot, {
    isValid: !concerns(problems, 'sla', 'scaling', 'runtime', 'traffic', 'spec'),
    stable: rollout.stable,
    isRollingOut: rollout.candidate !== undefined,
    rollouts: rollout.record.number,
    finishedAtMs: rollout.record.finishedAtMs,
  });
  const traffic = trafficPathOf(deployment, auto, snapshot.gateway, routes, nowMs);
  const routesEnd = routes === undefined ? undefined : routesEndMs(deployment, traffic, nowMs);
  const children: ChildPlan =
    wanted === undefined || deleting
      ? { apply: [], delete: [], conflicts: [], contests: new Map(), againAtMs: undefined }
      : planChildren(
          snapshot,
          given.children,
          desiredChildren(snapshot, problems, wanted, revisions, rollout, traffic),
        );
  const facts: StatusFacts = {
    snapshot,
    problems,
    revisions,
    rollout,
    wanted: wanted ?? '',
    needed,
    limits,
    traffic,
    choice: auto.choice,
    conflicts: children.conflicts,
    contests: children.contests,
    refusal: memory.refusal,
    outdatedPods: outdated,
    progressDeadlineMs,
  };
  const status = buildStatus(facts);
  const due = statusDue(
    deployment.status,
    status,
    memory.statusWrittenAtMs,
    nowMs,
    figuresEveryMs(snapshot.fleetSize),
  );
  const silentUntilMs = firstWordsDueAtMs(deployment, status, snapshot.backlog ?? 0, nowMs);
  const write = due.write && silentUntilMs === undefined;
  const stallsAt = stallsAtMs(facts);
  const wait = nodeWait(facts, deployment.status, status);
  const againAtMs = earliest([
    rollout.wakeAtMs,
    children.againAtMs,
    due.write ? undefined : due.againAtMs,
    silentUntilMs,
    stallsAt !== undefined && stallsAt > nowMs ? stallsAt : undefined,
    pendingDueAtMs(facts),
    wait.dueAtMs,
    costDueAtMs(facts),
    traffic.againAtMs,
    routesEnd !== undefined && routesEnd > nowMs && routesEnd < Number.POSITIVE_INFINITY
      ? routesEnd
      : undefined,
  ]);
  return {
    apply: children.apply,
    delete: children.delete,
    status: write ? status : undefined,
    // A turn is told with the status that records it: until then the next plan finds it again.
    events: plannedEvents(
      silentUntilMs === undefined ? facts : { ...facts, rollout: { ...rollout, turns: [] } },
      deployment.status,
      status,
      children.apply,
      wait,
    ),
    waitTold: wait.told,
    requeueAfterMs: againAtMs === undefined ? undefined : Math.max(1, againAtMs - nowMs),
  };
}
