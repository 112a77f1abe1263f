/** Deployments: keeps their ReplicaSets, one step per look, as upstream's controller does. */
import type { Clock } from '../../../kube/clock.ts';
import type { Deployment, Pod, ReplicaSet } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resource.ts';
import { failureReason, failureText, keyOf, refOf, timestamp } from '../access.ts';
import type { ClusterCache } from '../cache.ts';
import { conditionOf } from '../conditions.ts';
import { ControlLoop } from '../control-loop.ts';
import type { EventLog } from '../events.ts';
import type { DeploymentCondition, DeploymentStatus } from '../kinds.ts';
import { isFinished } from '../pod-state.ts';
import { selects } from '../selector.ts';
import {
  annotationsFor,
  newestOf,
  newReplicaSet,
  revisionAnnotation,
  revisionOf,
  sizesFor,
  surplusHistory,
} from './revisions.ts';
import type { Resize } from './scaling.ts';
import {
  isRolling,
  isScalingEvent,
  newReplicaSetSize,
  proportionalSizes,
  replicasOf,
  shrinkOld,
  wantedBy,
} from './scaling.ts';
import { countStatus, isComplete, rolloutStatus, setCondition, untilDeadlineMs } from './status.ts';
import { sameTemplate } from './template-hash.ts';

const source = { component: 'deployment-controller' };

export interface ControllerParts {
  readonly cache: ClusterCache;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** Starts the controller; the returned loop is stopped by the caller. */
export function startDeploymentController(parts: ControllerParts): ControlLoop {
  const controller = new DeploymentController(parts);
  const loop = new ControlLoop({
    name: 'deployment',
    clock: parts.clock,
    log: parts.log,
    reconcile: (key) => controller.reconcile(key),
  });
  parts.cache.onChange<Deployment>(resources.deployments, ({ key }) => loop.enqueue(key));
  parts.cache.onChange<ReplicaSet>(resources.replicaSets, ({ object }) => {
    const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
    if (owner?.kind === 'Deployment') loop.enqueue(`${object.metadata.namespace}/${owner.name}`);
    else if (owner === undefined)
      for (const deployment of parts.cache.list<Deployment>(resources.deployments, object.metadata.namespace))
        if (selects(deployment.spec.selector, object.metadata.labels)) loop.enqueue(keyOf(deployment));
  });
  // Recreate waits until the last old pod is gone, which changes no ReplicaSet.
  parts.cache.onChange<Pod>(resources.pods, ({ object, deleted }) => {
    if (!deleted) return;
    const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
    const set = parts.cache.get<ReplicaSet>(
      resources.replicaSets,
      `${object.metadata.namespace}/${owner?.name}`,
    );
    const above = set?.metadata.ownerReferences?.find((reference) => reference.controller === true);
    if (above?.kind === 'Deployment') loop.enqueue(`${object.metadata.namespace}/${above.name}`);
  });
  return loop;
}

class DeploymentController {
  readonly #parts: ControllerParts;
  constructor(parts: ControllerParts) {
    this.#parts = parts;
  }

  async reconcile(key: string): Promise<number | undefined> {
    const { cache, clock } = this.#parts;
    const deployment = cache.get<Deployment>(resources.deployments, key);
    if (deployment === undefined) return undefined;
    const sets = await this.#claim(deployment);
    if (deployment.metadata.deletionTimestamp !== undefined) {
      await this.#writeStatus(
        deployment,
        countStatus(deployment, newestOf(deployment, sets), sets, clock.now()),
      );
      return undefined;
    }
    const ready = await this.#notePause(deployment);
    const newest = await this.#syncNewest(ready, sets, false);
    const old = sets.filter((set) => set.metadata.uid !== newest?.metadata.uid);
    if (ready.spec.paused === true || isScalingEvent(ready, sets)) {
      const resized = await this.#resizeAll(ready, proportionalSizes(ready, newest, old));
      if (ready.spec.paused === true) await this.#trimHistory(ready, old);
      const all = sets.map((set) => resized.get(set.metadata.uid ?? '') ?? set);
      const latest = newest === undefined ? undefined : (resized.get(newest.metadata.uid ?? '') ?? newest);
      await this.#writeStatus(ready, countStatus(ready, latest, all, clock.now()));
      return undefined;
    }
    return isRolling(ready) ? this.#roll(ready, sets, old) : this.#recreate(ready, sets, old);
  }

  async #roll(deployment: Deployment, sets: ReplicaSet[], old: ReplicaSet[]): Promise<number | undefined> {
    const newest = await this.#syncNewest(deployment, sets, true);
    if (newest === undefined) return this.#report(deployment, undefined, sets);
    const all = [...old, newest];
    const size = newReplicaSetSize(deployment, newest, all);
    const moved =
      size === wantedBy(newest)
        ? undefined
        : await this.#resize(deployment, { replicaSet: newest, to: size });
    if (moved !== undefined) return this.#report(deployment, moved, [...old, moved]);
    const shrunk = await this.#resizeAll(deployment, shrinkOld(deployment, newest, old));
    if (shrunk.size > 0)
      return this.#report(
        deployment,
        newest,
        all.map((set) => shrunk.get(set.metadata.uid ?? '') ?? set),
      );
    return this.#finish(deployment, newest, old);
  }

  async #recreate(
    deployment: Deployment,
    sets: ReplicaSet[],
    old: ReplicaSet[],
  ): Promise<number | undefined> {
    const down = old.filter((set) => wantedBy(set) > 0).map((replicaSet) => ({ replicaSet, to: 0 }));
    if (down.length > 0) {
      const shrunk = await this.#resizeAll(deployment, down);
      const all = sets.map((set) => shrunk.get(set.metadata.uid ?? '') ?? set);
      return this.#report(deployment, newestOf(deployment, all), all);
    }
    const running = old.some((set) =>
      this.#parts.cache
        .ownedBy<Pod>(resources.pods, set.metadata.uid ?? '')
        .some((pod) => !isFinished(pod) || pod.metadata.deletionTimestamp !== undefined),
    );
    if (running) return this.#report(deployment, newestOf(deployment, sets), sets);
    const newest = await this.#syncNewest(deployment, sets, true);
    if (newest === undefined) return this.#report(deployment, undefined, sets);
    const size = replicasOf(deployment);
    const moved =
      size === wantedBy(newest) ? newest : await this.#resize(deployment, { replicaSet: newest, to: size });
    return this.#finish(deployment, moved, old);
  }

  async #finish(deployment: Deployment, newest: ReplicaSet, old: ReplicaSet[]): Promise<number | undefined> {
    const all = [...old, newest];
    if (isComplete(deployment, rolloutStatus(deployment, newest, all, this.#parts.clock.now())))
      await this.#trimHistory(deployment, old);
    return this.#report(deployment, newest, all);
  }

  /** Writes the status and says when the progress deadline wants another look. */
  async #report(
    deployment: Deployment,
    newest: ReplicaSet | undefined,
    all: readonly ReplicaSet[],
  ): Promise<number | undefined> {
    const { clock, cache } = this.#parts;
    const latest = cache.get<Deployment>(resources.deployments, keyOf(deployment)) ?? deployment;
    const status = rolloutStatus(
      { ...deployment, ...(latest.status === undefined ? {} : { status: latest.status }) },
      newest,
      all,
      clock.now(),
    );
    await this.#writeStatus(deployment, status);
    const untilMs = untilDeadlineMs(deployment, status, clock.now());
    return untilMs === undefined ? undefined : Math.max(0, untilMs) + 1000;
  }

  /** ReplicaSets of this Deployment; matching ones without an owner are adopted. */
  async #claim(deployment: Deployment): Promise<ReplicaSet[]> {
    const { cache } = this.#parts;
    const owned = cache.ownedBy<ReplicaSet>(resources.replicaSets, deployment.metadata.uid ?? '');
    if (deployment.metadata.deletionTimestamp !== undefined) return owned;
    for (const set of cache.list<ReplicaSet>(resources.replicaSets, deployment.metadata.namespace)) {
      const owners = set.metadata.ownerReferences ?? [];
      if (set.metadata.deletionTimestamp !== undefined || owners.some((owner) => owner.controller === true))
        continue;
      if (!selects(deployment.spec.selector, set.metadata.labels)) continue;
      const [reference] = newReplicaSet(deployment, 0, 0, 0).metadata.ownerReferences ?? [];
      owned.push(
        await cache.patch<ReplicaSet>(resources.replicaSets, refOf(set), {
          metadata: { ownerReferences: [...owners, reference] },
        }),
      );
    }
    return owned;
  }

  /** Brings number and annotations of the newest ReplicaSet up to date, and makes it when it is missing and wanted. */
  async #syncNewest(
    deployment: Deployment,
    sets: readonly ReplicaSet[],
    create: boolean,
  ): Promise<ReplicaSet | undefined> {
    const { cache } = this.#parts;
    const existing = newestOf(deployment, sets);
    const others = sets.filter((set) => set !== existing);
    const revision = Math.max(0, ...others.map(revisionOf)) + 1;
    let newest = existing;
    if (existing !== undefined) {
      const annotations = annotationsFor(deployment, existing.metadata.annotations, revision);
      // Sizes are written together with the size itself, else a change of spec.replicas would go unnoticed.
      for (const name of Object.keys(sizesFor(deployment))) {
        const value = existing.metadata.annotations?.[name];
        if (value !== undefined) annotations[name] = value;
      }
      const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
      const changed =
        (existing.spec.minReadySeconds ?? 0) !== minReadySeconds ||
        Object.entries(annotations).some(([key, value]) => existing.metadata.annotations?.[key] !== value);
      if (changed)
        newest = await cache.patch<ReplicaSet>(resources.replicaSets, refOf(existing), {
          metadata: { annotations },
          spec: { minReadySeconds },
        });
      await this.#noteRevision(deployment, newest, 'FoundNewReplicaSet');
    } else if (create) {
      newest = await this.#create(deployment, sets, revision);
      await this.#noteRevision(deployment, newest, 'NewReplicaSetCreated');
    }
    return newest;
  }

  async #create(
    deployment: Deployment,
    sets: readonly ReplicaSet[],
    revision: number,
  ): Promise<ReplicaSet | undefined> {
    const { cache, events, clock } = this.#parts;
    const collisions = (deployment.status as DeploymentStatus | undefined)?.collisionCount ?? 0;
    const wanted = newReplicaSet(
      deployment,
      revision,
      newReplicaSetSize(deployment, undefined, sets),
      collisions,
    );
    try {
      const created = await cache.create(resources.replicaSets, wanted);
      const size = wantedBy(created);
      if (size > 0)
        events.say(
          deployment,
          'Normal',
          'ScalingReplicaSet',
          `Scaled up replica set ${created.metadata.name} from 0 to ${size}`,
          source,
        );
      return created;
    } catch (error) {
      if (failureReason(error) === 'AlreadyExists') {
        const taken = cache.get<ReplicaSet>(resources.replicaSets, keyOf(wanted));
        const mine = taken?.metadata.ownerReferences?.some((owner) => owner.uid === deployment.metadata.uid);
        if (
          mine === true &&
          taken?.spec.template !== undefined &&
          sameTemplate(taken.spec.template, deployment.spec.template)
        )
          return taken;
        await cache.patch(
          resources.deployments,
          refOf(deployment),
          { status: { collisionCount: collisions + 1 } },
          { subresource: 'status' },
        );
        throw error;
      }
      const message = `Failed to create new replica set "${wanted.metadata.name}": ${failureText(error)}`;
      const conditions = setCondition(
        (deployment.status as DeploymentStatus | undefined)?.conditions,
        { type: 'Progressing', status: 'False', reason: 'ReplicaSetCreateError', message },
        timestamp(clock.now()),
      );
      await cache.patch(
        resources.deployments,
        refOf(deployment),
        { status: { conditions } },
        { subresource: 'status' },
      );
      events.say(deployment, 'Warning', 'ReplicaSetCreateError', message, source);
      throw error;
    }
  }

  /** Puts the newest revision's number on the Deployment and says that its ReplicaSet is there. */
  async #noteRevision(deployment: Deployment, newest: ReplicaSet | undefined, reason: string): Promise<void> {
    if (newest === undefined) return;
    const { cache, clock } = this.#parts;
    const revision = newest.metadata.annotations?.[revisionAnnotation];
    if (deployment.metadata.annotations?.[revisionAnnotation] !== revision)
      await cache.patch(resources.deployments, refOf(deployment), {
        metadata: { annotations: { [revisionAnnotation]: revision } },
      });
    const status = deployment.status as DeploymentStatus | undefined;
    const seen = conditionOf<DeploymentCondition>(status?.conditions, 'Progressing');
    if (deployment.spec.progressDeadlineSeconds === undefined) return;
    // A deadline runs anew for a new ReplicaSet; one that was found counts only when nothing was said yet.
    if (reason === 'FoundNewReplicaSet' && seen !== undefined) return;
    const conditions = setCondition(
      status?.conditions,
      {
        type: 'Progressing',
        status: 'True',
        reason,
        message:
          reason === 'FoundNewReplicaSet'
            ? `Found new replica set "${newest.metadata.name}"`
            : `Created new replica set "${newest.metadata.name}"`,
      },
      timestamp(clock.now()),
    );
    await cache.patch(
      resources.deployments,
      refOf(deployment),
      { status: { conditions } },
      { subresource: 'status' },
    );
  }

  async #notePause(deployment: Deployment): Promise<Deployment> {
    if (deployment.spec.progressDeadlineSeconds === undefined) return deployment;
    const { cache, clock } = this.#parts;
    const status = deployment.status as DeploymentStatus | undefined;
    const current = conditionOf<DeploymentCondition>(status?.conditions, 'Progressing');
    if (current?.reason === 'ProgressDeadlineExceeded') return deployment;
    const paused = deployment.spec.paused === true;
    if (paused === (current?.reason === 'DeploymentPaused')) return deployment;
    const conditions = setCondition(
      status?.conditions,
      {
        type: 'Progressing',
        // Upstream says Unknown here; kubectl rollout status reads the reason.
        status: 'True',
        reason: paused ? 'DeploymentPaused' : 'DeploymentResumed',
        message: paused ? 'Deployment is paused' : 'Deployment is resumed',
      },
      timestamp(clock.now()),
    ).map((condition) =>
      condition.type === 'Progressing' ? { ...condition, status: 'Unknown' as const } : condition,
    );
    return cache.patch<Deployment>(
      resources.deployments,
      refOf(deployment),
      { status: { conditions } },
      { subresource: 'status' },
    );
  }

  async #resizeAll(deployment: Deployment, wishes: readonly Resize[]): Promise<Map<string, ReplicaSet>> {
    const done = new Map<string, ReplicaSet>();
    // A change of spec.replicas also renews the sizes that untouched ReplicaSets remember.
    const touched = new Map(wishes.map((wish) => [wish.replicaSet.metadata.uid ?? '', wish]));
    for (const set of this.#parts.cache.ownedBy<ReplicaSet>(
      resources.replicaSets,
      deployment.metadata.uid ?? '',
    )) {
      const uid = set.metadata.uid ?? '';
      const wish = touched.get(uid);
      const stale = wantedBy(set) > 0 && isScalingEvent(deployment, [set]);
      if (wish === undefined && !stale) continue;
      const resized = await this.#resize(deployment, { replicaSet: set, to: wish?.to ?? wantedBy(set) });
      if (wish !== undefined) done.set(uid, resized);
    }
    return done;
  }

  async #resize(deployment: Deployment, { replicaSet, to }: Resize): Promise<ReplicaSet> {
    const { cache, events } = this.#parts;
    const from = wantedBy(replicaSet);
    const resized = await cache.patch<ReplicaSet>(resources.replicaSets, refOf(replicaSet), {
      metadata: { annotations: sizesFor(deployment) },
      spec: { replicas: to },
    });
    if (from !== to)
      events.say(
        deployment,
        'Normal',
        'ScalingReplicaSet',
        `Scaled ${to > from ? 'up' : 'down'} replica set ${replicaSet.metadata.name} from ${from} to ${to}`,
        source,
      );
    return resized;
  }

  async #trimHistory(deployment: Deployment, old: readonly ReplicaSet[]): Promise<void> {
    for (const set of surplusHistory(deployment, old))
      await this.#parts.cache.delete(resources.replicaSets, refOf(set), {
        uid: set.metadata.uid,
        propagationPolicy: 'Background',
      });
  }

  async #writeStatus(deployment: Deployment, status: DeploymentStatus): Promise<void> {
    const { cache } = this.#parts;
    const latest = cache.get<Deployment>(resources.deployments, keyOf(deployment));
    if (latest === undefined || latest.metadata.uid !== deployment.metadata.uid) return;
    if (JSON.stringify(sorted(latest.status)) === JSON.stringify(sorted(status))) return;
    await cache.patch(resources.deployments, refOf(deployment), { status }, { subresource: 'status' });
  }
}

/** Fields in one order; zero counts and absent ones are the same. */
function sorted(status: DeploymentStatus | Deployment['status']): unknown {
  return Object.entries(status ?? {})
    .filter(([, value]) => value !== undefined && value !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
