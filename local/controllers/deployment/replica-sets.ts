/** The ReplicaSets of one Deployment as they are written: adopted, created, numbered, sized, trimmed. */
import type { Deployment, ReplicaSet } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resource.ts';
import { failureReason, failureText, keyOf, refOf, timestamp } from '../access.ts';
import { conditionOf } from '../conditions.ts';
import type { DeploymentCondition, DeploymentStatus } from '../kinds.ts';
import type { ControllerParts } from '../parts.ts';
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
import { isScalingEvent, newReplicaSetSize, type Resize, wantedBy } from './scaling.ts';
import { setCondition } from './status.ts';
import { sameTemplate } from './template-hash.ts';

const source = { component: 'deployment-controller' };

/** Writes ReplicaSets on behalf of the deployment controller. */
export class ReplicaSetKeeper {
  readonly #parts: ControllerParts;
  constructor(parts: ControllerParts) {
    this.#parts = parts;
  }

  /** ReplicaSets of this Deployment; matching ones without an owner are adopted. */
  async claim(deployment: Deployment): Promise<ReplicaSet[]> {
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
  async syncNewest(
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
      // By /status, as the real controller: a write of the object's annotations would raise its generation.
      await cache.patch(
        resources.deployments,
        refOf(deployment),
        { metadata: { annotations: { [revisionAnnotation]: revision } } },
        { subresource: 'status' },
      );
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

  async resizeAll(deployment: Deployment, wishes: readonly Resize[]): Promise<Map<string, ReplicaSet>> {
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
      const resized = await this.resize(deployment, { replicaSet: set, to: wish?.to ?? wantedBy(set) });
      if (wish !== undefined) done.set(uid, resized);
    }
    return done;
  }

  async resize(deployment: Deployment, { replicaSet, to }: Resize): Promise<ReplicaSet> {
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

  async trimHistory(deployment: Deployment, old: readonly ReplicaSet[]): Promise<void> {
    for (const set of surplusHistory(deployment, old))
      await this.#parts.cache.delete(resources.replicaSets, refOf(set), {
        uid: set.metadata.uid,
        propagationPolicy: 'Background',
      });
  }
}
