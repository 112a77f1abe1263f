/** Every child that is to exist, in the order in which they depend on each other. */
import type { KubeObject } from '../../../kube/objects.ts';
import { concerns, type Problem } from '../check.ts';
import { routesEndMs, type TrafficPath } from '../gateway/path.ts';
import { desiredRoutes, routesName, routesOf } from '../gateway/routes.ts';
import { recordedDigest } from '../pods.ts';
import { dataOf, type Revision } from '../revisions.ts';
import type { RolloutPlan } from '../rollout/planner.ts';
import type { ChildKind, Snapshot } from '../snapshot.ts';
import { desiredConfigMap, liveConfig } from './config-map.ts';
import { desiredControllerRevision } from './controller-revision.ts';
import { desiredDeployment } from './deployment.ts';
import { desiredHeadlessService } from './headless-service.ts';
import { desiredNetworkPolicy } from './network-policy.ts';
import { desiredPodDisruptionBudget } from './pod-disruption-budget.ts';
import { desiredService } from './service.ts';
import { desiredServiceAccount } from './service-account.ts';

export interface DesiredChild {
  readonly kind: ChildKind;
  readonly object: KubeObject;
}

export interface DesiredChildren {
  readonly children: readonly DesiredChild[];
  /** Names of children that are to stay as they are: history, and what an invalid spec says nothing about. */
  readonly keep: ReadonlySet<string>;
}

const defaultHistoryLimit = 10;

/**
 * Whether a revision's ControllerRevision tells the digest that its pods must serve. While it is the wanted one, status
 * and the ConfigMap do, and a write is saved; it must be there before the revision is history.
 */
const keepsDigest = (known: Revision | undefined, wanted: string): boolean =>
  known !== undefined && (known.revision !== wanted || recordedDigest(known.stored) !== undefined);

/** Renders all children for this moment of the rollout. */
export function desiredChildren(
  snapshot: Snapshot,
  problems: readonly Problem[],
  wanted: string,
  revisions: ReadonlyMap<string, Revision>,
  rollout: RolloutPlan,
  traffic: TrafficPath,
): DesiredChildren {
  const { deployment } = snapshot;
  const { spec } = deployment;
  const children: DesiredChild[] = [];
  const keep = new Set<string>();
  const add = (kind: ChildKind, object: KubeObject) => void children.push({ kind, object });
  const live = [...rollout.replicas.keys()];
  const data = new Map(
    live.map((revision) => [revision, dataOf(snapshot, revision, revisions.get(revision))]),
  );

  const isRemote = [...data.values()].some((content) => content.spec.model.uri.startsWith('https://'));
  add('serviceAccounts', desiredServiceAccount(deployment));

  if (concerns(problems, 'sla', 'traffic')) keep.add(`configMaps/${deployment.metadata.name}-config`);
  else {
    const digests: Record<string, string> = {};
    for (const revision of live) {
      const sha256 = data.get(revision)?.spec.model.sha256 ?? revisions.get(revision)?.sha256;
      if (sha256 !== undefined) digests[revision] = sha256;
    }
    const fetch = isRemote ? snapshot.defaults.fetch : undefined;
    add('configMaps', desiredConfigMap(deployment, liveConfig(spec, digests, fetch), fetch?.caBundle));
  }

  // The history, newest first; the wanted revision is its newest even when it was there before.
  const numbers = [...revisions.values()].map((revision) => revision.stored?.revision ?? 0);
  const newest = Math.max(0, ...numbers);
  for (const revision of live) {
    const known = revisions.get(revision);
    const stored = known?.stored?.revision;
    const number = revision === wanted && stored !== newest ? newest + 1 : (stored ?? newest + 1);
    const content = data.get(revision);
    if (content !== undefined)
      add(
        'controllerRevisions',
        desiredControllerRevision(deployment, revision, {
          data: content,
          number,
          sha256: content.spec.model.sha256 ?? (keepsDigest(known, wanted) ? known?.sha256 : undefined),
        }),
      );
  }
  const limit = spec.rollout?.revisionHistoryLimit ?? defaultHistoryLimit;
  const history = [...revisions.values()]
    .filter(({ revision, stored }) => stored !== undefined && !rollout.replicas.has(revision))
    .sort((a, b) => (b.stored?.revision ?? 0) - (a.stored?.revision ?? 0));
  for (const { stored } of history.slice(0, limit))
    keep.add(`controllerRevisions/${stored?.metadata.name ?? ''}`);

  for (const revision of live) add('services', desiredHeadlessService(deployment, revision));
  const { name } = deployment.metadata;
  const port = snapshot.gateway?.port;
  // Before the Service leads there; and while it may still lead there, and for some time after, they stay.
  if (port === undefined || concerns(problems, 'sla', 'traffic')) {
    if (
      concerns(problems, 'sla', 'traffic') ||
      snapshot.nowMs < routesEndMs(deployment, traffic, snapshot.nowMs)
    )
      keep.add(`configMaps/${routesName(name)}`);
  } else {
    // The one that serves first: it is woken, where none runs.
    const ordered = [...live].sort((a, b) => Number(b === rollout.stable) - Number(a === rollout.stable));
    const routed = ordered.map((revision) => ({
      revision,
      readyReplicas: revisions.get(revision)?.state.ready ?? 0,
      replicas: rollout.replicas.get(revision) ?? 0,
    }));
    if (routed.length > 0) add('configMaps', desiredRoutes(deployment, routesOf(deployment, routed, port)));
  }
  add('services', desiredService(deployment, traffic.path === 'Gateway' ? port : undefined));

  // Before the pods, so that none runs without it.
  if ((spec.access?.networkPolicy ?? snapshot.defaults.networkPolicy) === 'Restricted')
    add(
      'networkPolicies',
      desiredNetworkPolicy(deployment, isRemote ? (snapshot.defaults.fetch ?? {}) : undefined),
    );

  // What shrinks comes before what grows: pods go only for pods that are ready already, and so the pods of all
  // revisions stay within the surge between two writes too.
  const givesWay = rollout.record.makesRoomSinceMs !== undefined && rollout.stable === wanted;
  const growth = (revision: string) =>
    (rollout.replicas.get(revision) ?? 0) - (revisions.get(revision)?.state.asked ?? 0);
  for (const revision of [...live].sort((a, b) => growth(a) - growth(b))) {
    const content = data.get(revision);
    if (content !== undefined)
      add(
        'deployments',
        desiredDeployment(
          deployment,
          revision,
          content.template,
          rollout.replicas.get(revision) ?? 0,
          givesWay && revision === wanted,
        ),
      );
  }
  add('podDisruptionBudgets', desiredPodDisruptionBudget(deployment, rollout.stable ?? wanted));
  return { children, keep };
}
