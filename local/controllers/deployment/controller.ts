/** Deployments: keeps their ReplicaSets, one step per look, as upstream's controller does. */
import type { Deployment, Pod, ReplicaSet } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resource.ts';
import { keyOf, refOf, timestamp } from '../access.ts';
import { conditionOf } from '../conditions.ts';
import { ControlLoop } from '../control-loop.ts';
import type { DeploymentCondition, DeploymentStatus } from '../kinds.ts';
import type { ControllerParts } from '../parts.ts';
import { isFinished } from '../pod-state.ts';
import { selects } from '../selector.ts';
import { ReplicaSetKeeper } from './replica-sets.ts';
import { newestOf } from './revisions.ts';
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
  readonly #sets: ReplicaSetKeeper;
  constructor(parts: ControllerParts) {
    this.#parts = parts;
    this.#sets = new ReplicaSetKeeper(parts);
  }

  async reconcile(key: string): Promise<number | undefined> {
    const { cache, clock } = this.#parts;
    const deployment = cache.get<Deployment>(resources.deployments, key);
    if (deployment === undefined) return undefined;
    const sets = await this.#sets.claim(deployment);
    if (deployment.metadata.deletionTimestamp !== undefined) {
      await this.#writeStatus(
        deployment,
        countStatus(deployment, newestOf(deployment, sets), sets, clock.now()),
      );
      return undefined;
    }
    const ready = await this.#notePause(deployment);
    const newest = await this.#sets.syncNewest(ready, sets, false);
    const old = sets.filter((set) => set.metadata.uid !== newest?.metadata.uid);
    if (ready.spec.paused === true || isScalingEvent(ready, sets)) {
      const resized = await this.#sets.resizeAll(ready, proportionalSizes(ready, newest, old));
      if (ready.spec.paused === true) await this.#sets.trimHistory(ready, old);
      const all = sets.map((set) => resized.get(set.metadata.uid ?? '') ?? set);
      const latest = newest === undefined ? undefined : (resized.get(newest.metadata.uid ?? '') ?? newest);
      await this.#writeStatus(ready, countStatus(ready, latest, all, clock.now()));
      return undefined;
    }
    return isRolling(ready) ? this.#roll(ready, sets, old) : this.#recreate(ready, sets, old);
  }

  async #roll(deployment: Deployment, sets: ReplicaSet[], old: ReplicaSet[]): Promise<number | undefined> {
    const newest = await this.#sets.syncNewest(deployment, sets, true);
    if (newest === undefined) return this.#report(deployment, undefined, sets);
    const all = [...old, newest];
    const size = newReplicaSetSize(deployment, newest, all);
    const moved =
      size === wantedBy(newest)
        ? undefined
        : await this.#sets.resize(deployment, { replicaSet: newest, to: size });
    if (moved !== undefined) return this.#report(deployment, moved, [...old, moved]);
    const shrunk = await this.#sets.resizeAll(deployment, shrinkOld(deployment, newest, old));
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
      const shrunk = await this.#sets.resizeAll(deployment, down);
      const all = sets.map((set) => shrunk.get(set.metadata.uid ?? '') ?? set);
      return this.#report(deployment, newestOf(deployment, all), all);
    }
    const running = old.some((set) =>
      this.#parts.cache.ownedBy<Pod>(resources.pods, set.metadata.uid ?? '').some((pod) => !isFinished(pod)),
    );
    if (running) return this.#report(deployment, newestOf(deployment, sets), sets);
    const newest = await this.#sets.syncNewest(deployment, sets, true);
    if (newest === undefined) return this.#report(deployment, undefined, sets);
    const size = replicasOf(deployment);
    const moved =
      size === wantedBy(newest)
        ? newest
        : await this.#sets.resize(deployment, { replicaSet: newest, to: size });
    return this.#finish(deployment, moved, old);
  }

  async #finish(deployment: Deployment, newest: ReplicaSet, old: ReplicaSet[]): Promise<number | undefined> {
    const all = [...old, newest];
    if (isComplete(deployment, rolloutStatus(deployment, newest, all, this.#parts.clock.now())))
      await this.#sets.trimHistory(deployment, old);
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

  async #writeStatus(deployment: Deployment, status: DeploymentStatus): Promise<void> {
    const { cache } = this.#parts;
    const latest = cache.get<Deployment>(resources.deployments, keyOf(deployment));
    if (latest === undefined || latest.metadata.uid !== deployment.metadata.uid) return;
    if (JSON.stringify(sorted(latest.status)) === JSON.stringify(sorted(status))) return;
    // Upstream leaves counts of zero out, but for this one: null takes away what an earlier write left.
    const written = Object.fromEntries(
      Object.entries(status).map(([field, value]) => [
        field,
        value === 0 && field !== 'terminatingReplicas' ? null : value,
      ]),
    );
    await cache.patch(
      resources.deployments,
      refOf(deployment),
      { status: written },
      { subresource: 'status' },
    );
  }
}

/** Fields in one order; zero counts and absent ones are the same. */
function sorted(status: DeploymentStatus | Deployment['status']): unknown {
  return Object.entries(status ?? {})
    .filter(([, value]) => value !== undefined && value !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
