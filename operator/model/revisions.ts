/** The revisions of one ModelDeployment as its children and pods show them. */
import { podFiles } from '../../crds/constants.ts';
import type { ControllerRevision, Deployment, Pod } from '../../kube/objects.ts';
import { configuredDigests } from './desired/config-map.ts';
import { newRevisionData, type RevisionData, revisionData } from './desired/controller-revision.ts';
import { restartedAtAnnotation } from './desired/deployment.ts';
import { renderPodTemplate } from './desired/pod-template.ts';
import { revisionOf } from './labels.ts';
import { configMapName } from './names.ts';
import { type PendingPod, pendingOf, placementOf } from './pending.ts';
import {
  type Failure,
  fetchedDigest,
  isLiving,
  isReady,
  podFailures,
  podRevision,
  readySinceMs,
  recordedDigest,
  replicaSetFailures,
} from './pods.ts';
import type { RevisionState } from './rollout/revision-state.ts';
import type { Snapshot } from './snapshot.ts';

/** One revision: its stored form, its Deployment, its pods. */
export interface Revision {
  readonly revision: string;
  readonly stored: ControllerRevision | undefined;
  readonly deployment: Deployment | undefined;
  readonly pods: readonly Pod[];
  readonly failures: readonly Failure[];
  /** Pods that have not begun to run and did not fail. */
  readonly pending: readonly PendingPod[];
  /** Digest that its pods must serve: pinned, recorded, or what its first pod just reported. */
  readonly sha256: string | undefined;
  readonly state: RevisionState;
}

/** Every revision that has a ControllerRevision, a Deployment or pods. */
export function revisionsOf(snapshot: Snapshot): Map<string, Revision> {
  const { children } = snapshot;
  const stored = byRevision(children.controllerRevisions);
  const deployments = byRevision(children.deployments);
  const pods = Map.groupBy(snapshot.pods, podRevision);
  const names = new Set(
    [...stored.keys(), ...deployments.keys(), ...pods.keys()].filter((name) => name !== ''),
  );
  const revisions = new Map<string, Revision>();
  for (const revision of names)
    revisions.set(
      revision,
      describe(snapshot, revision, stored.get(revision), deployments.get(revision), pods.get(revision) ?? []),
    );
  return revisions;
}

function byRevision<T extends { metadata: { labels?: Record<string, string> } }>(
  objects: readonly T[],
): Map<string, T> {
  return new Map(
    objects.flatMap((object) => {
      const revision = revisionOf(object);
      return revision === undefined ? [] : [[revision, object] as const];
    }),
  );
}

function describe(
  snapshot: Snapshot,
  revision: string,
  stored: ControllerRevision | undefined,
  deployment: Deployment | undefined,
  pods: readonly Pod[],
): Revision {
  const pinned = revisionData(stored)?.spec.model.sha256;
  const sha256 = pinned ?? recordedDigest(stored) ?? writtenDigest(snapshot, revision) ?? firstDigest(pods);
  const digests = sha256 === undefined ? {} : { [revision]: sha256 };
  const refused = snapshot.replicaSets
    .filter((set) => revisionOf(set) === revision)
    .flatMap(replicaSetFailures);
  const failures = [...pods.flatMap((pod) => podFailures(pod, digests)), ...refused];
  const since = pods.map(readySinceMs).filter((ms) => ms !== undefined);
  const failed = new Set(failures.map((failure) => failure.pod));
  const pending = pods
    .map(pendingOf)
    .filter((wait) => wait !== undefined && !failed.has(wait.pod)) as PendingPod[];
  return {
    revision,
    stored,
    deployment,
    pods,
    failures,
    pending,
    sha256,
    state: {
      revision,
      asked: deployment === undefined ? undefined : (deployment.spec.replicas ?? 1),
      pods: pods.length,
      ready: pods.filter(isReady).length,
      failing: failed.size,
      ...placesOf(pods, pending),
      hopeless: failures.some((failure) => failure.hopeless),
      readySinceMs: since.length === 0 ? undefined : Math.min(...since),
    },
  };
}

/** A pod that got its node sooner than this did not wait for one: the scheduler has its own turns. */
const waitedMs = 5_000;

/** What the rollout must know about nodes: pods without one, pods with one that are not ready yet, and the last wait's end. */
function placesOf(
  pods: readonly Pod[],
  pending: readonly PendingPod[],
): Pick<RevisionState, 'unplaced' | 'unplacedSinceMs' | 'starting' | 'placedAtMs'> {
  const unplaced = pending.filter(({ reason }) => reason === 'Unschedulable');
  const ends = pods
    .filter(isLiving)
    .map(placementOf)
    .flatMap((placement) =>
      placement !== undefined && placement.waitedMs >= waitedMs ? [placement.atMs] : [],
    );
  const unready = pods.filter((pod) => isLiving(pod) && !isReady(pod)).length;
  return {
    unplaced: unplaced.length,
    unplacedSinceMs: unplaced.length === 0 ? undefined : Math.min(...unplaced.map(({ sinceMs }) => sinceMs)),
    starting: unready - unplaced.length,
    placedAtMs: ends.length === 0 ? undefined : Math.max(...ends),
  };
}

/** Digest of a revision in the last status or, where that got lost, in the ConfigMap that its pods read. */
function writtenDigest({ deployment, children }: Snapshot, revision: string): string | undefined {
  const { stable, candidate } = deployment.status ?? {};
  const told = [stable, candidate].find((one) => one?.revision === revision)?.sha256;
  if (told !== undefined) return told;
  const name = configMapName(deployment.metadata.name);
  const text = children.configMaps.find(({ metadata }) => metadata.name === name)?.data?.[podFiles.config];
  return text === undefined ? undefined : configuredDigests(text)[revision];
}

/** Digest of the pod that was made first: the one that every later pod must match. */
function firstDigest(pods: readonly Pod[]): string | undefined {
  const age = (pod: Pod) => `${pod.metadata.creationTimestamp ?? ''}/${pod.metadata.name ?? ''}`;
  return [...pods]
    .sort((a, b) => (age(a) < age(b) ? -1 : 1))
    .map(fetchedDigest)
    .find((digest) => digest !== undefined);
}

/**
 * What a revision is made of: its stored form; else what its Deployment still holds (somebody deleted the
 * ControllerRevision: its pods must not restart for that); else, for the wanted one, rendered now.
 */
export function dataOf(snapshot: Snapshot, revision: string, known: Revision | undefined): RevisionData {
  const stored = revisionData(known?.stored);
  if (stored !== undefined) return stored;
  const template = known?.deployment?.spec.template;
  if (template === undefined)
    return newRevisionData(
      snapshot.deployment,
      renderPodTemplate(snapshot.deployment, revision, snapshot.defaults),
    );
  const { [restartedAtAnnotation]: _, ...annotations } = template.metadata?.annotations ?? {};
  const uri = template.spec.initContainers?.[0]?.env?.find(
    (item) => item.name === 'BALLAST_MODEL_URI',
  )?.value;
  return {
    format: 1,
    spec: { model: { uri: uri ?? snapshot.deployment.spec.model.uri } },
    template: { ...template, metadata: { ...template.metadata, annotations } },
  };
}
