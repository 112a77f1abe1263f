/**
 * A small controller for the fault tests: a ConfigMap with label `role=parent` wants `data.children` ConfigMaps with
 * label `role=child` that carry its `data.version`. Names of children are deterministic, or random on purpose, so that
 * a decision on a stale cache would show as a duplicate.
 */

import type { KubeApi } from '../../kube/api.ts';
import type { Clock } from '../../kube/clock.ts';
import { ConsistencyTracker } from '../../kube/consistency.ts';
import { Controller } from '../../kube/controller.ts';
import { isConflict, isNotFound } from '../../kube/errors.ts';
import type { MetricsRegistry } from '../../kube/metrics.ts';
import type { ConfigMap, KubeObject } from '../../kube/objects.ts';
import { Reflector } from '../../kube/reflector.ts';
import { resources } from '../../kube/resource.ts';
import { byOwnerUid, keyOf } from '../../kube/store.ts';
import { differences } from '../../operator/model/difference.ts';
import type { World } from './world.ts';

export interface FamilyOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: MetricsRegistry;
  /** Children get random names, which only a true cache keeps from being made twice. */
  readonly randomNames?: boolean;
  /** Read-your-own-writes; without it the stale-cache fault must bite. Default true. */
  readonly consistency?: boolean;
  readonly workers?: number;
  readonly watchSeconds?: readonly [number, number];
  /** After the parent is ready, look again after this long and count it in `data.visits`. */
  readonly revisitMs?: number;
}

const types = resources.configMaps;

export class Family {
  readonly parents: Reflector<ConfigMap>;
  readonly children: Reflector<ConfigMap>;
  readonly controller: Controller;
  /** Monotonic times of reconciles per key. */
  readonly visits: { atMs: number; key: string }[] = [];
  readonly #options: FamilyOptions;
  readonly #tracker: ConsistencyTracker | undefined;

  constructor(options: FamilyOptions) {
    this.#options = options;
    const { api, clock, random, metrics } = options;
    const shared = {
      api,
      type: types,
      namespace: 'default',
      clock,
      random,
      observer: metrics,
      ...(options.watchSeconds === undefined ? {} : { watchSeconds: options.watchSeconds }),
    };
    this.parents = new Reflector<ConfigMap>({ ...shared, labelSelector: 'role=parent' });
    this.children = new Reflector<ConfigMap>({
      ...shared,
      labelSelector: 'role=child',
      indexers: { owner: byOwnerUid },
    });
    if (options.consistency !== false) {
      this.#tracker = new ConsistencyTracker({ clock, observer: metrics });
      const isParent = (object: KubeObject) => object.metadata.labels?.role === 'parent';
      this.#tracker.track(types, this.parents.store, isParent);
      this.#tracker.track(types, this.children.store, (object) => !isParent(object));
    }
    this.controller = new Controller({
      name: 'family',
      clock,
      random,
      observer: metrics,
      workers: options.workers ?? 4,
      ...(this.#tracker === undefined ? {} : { consistency: this.#tracker }),
      reconcile: (key, { signal }) => this.#reconcile(key, signal),
    })
      .watchPrimary(this.parents)
      .watchOwned(this.children, 'ConfigMap');
  }

  async start(): Promise<void> {
    this.parents.start();
    this.children.start();
    await this.controller.start();
  }

  async stop(drainMs = 0): Promise<void> {
    await this.controller.stop(drainMs);
    await Promise.all([this.parents.stop(), this.children.stop()]);
  }

  async #reconcile(key: string, signal: AbortSignal) {
    const { api, clock } = this.#options;
    this.visits.push({ atMs: clock.monotonicMs(), key });
    const parent = this.parents.store.get(key);
    if (parent === undefined || parent.metadata.deletionTimestamp !== undefined) return undefined;
    const wanted = Number(parent.data?.children ?? 0);
    const known = this.children.store
      .byIndex('owner', parent.metadata.uid ?? '')
      .sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
    const names = this.#namesFor(parent, known, wanted);
    // The set of children is to change: or somebody who knows a newer parent has changed it. Only the server can tell.
    const isThere = (name: string) => known.some((child) => child.metadata.name === name);
    const changesSet = names.length !== known.length || !names.every(isThere);
    if (changesSet && !(await this.#isCurrent(parent, signal))) return { requeueAfterMs: 100 };
    for (const name of names) {
      const live = known.find((child) => child.metadata.name === name);
      const wantedChild = childOf(parent, name);
      // As the operator decides it: what the live object says already is not sent again.
      if (live !== undefined && differences(wantedChild, live).length === 0) continue;
      const { uid } = live?.metadata ?? {};
      const request = {
        ...wantedChild,
        metadata: { ...wantedChild.metadata, ...(uid === undefined ? {} : { uid }) },
      };
      const written = await api.apply(types, request, { fieldManager: 'family', force: true, signal });
      this.#tracker?.wrote(key, types, written);
    }
    for (const child of known.filter(({ metadata }) => !names.includes(metadata.name ?? ''))) {
      await this.#delete(key, child, signal);
    }
    const ready = String(
      names.length === wanted &&
        known.length === wanted &&
        known.every((child) => child.data?.version === parent.data?.version),
    );
    if (parent.data?.ready !== ready) {
      const patch = { metadata: { resourceVersion: parent.metadata.resourceVersion }, data: { ready } };
      const ref = { namespace: 'default', name: parent.metadata.name ?? '' };
      const written = await api.patch<ConfigMap>(types, ref, patch, {
        patchType: 'application/merge-patch+json',
        fieldManager: 'family-status',
        signal,
      });
      this.#tracker?.wrote(key, types, written);
    }
    return this.#options.revisitMs === undefined ? undefined : { requeueAfterMs: this.#options.revisitMs };
  }

  #namesFor(parent: ConfigMap, known: readonly ConfigMap[], wanted: number): string[] {
    const name = parent.metadata.name ?? '';
    if (!this.#options.randomNames) return Array.from({ length: wanted }, (_, index) => `${name}-${index}`);
    const names = known.slice(0, wanted).map((child) => child.metadata.name ?? '');
    while (names.length < wanted)
      names.push(`${name}-${Math.floor(this.#options.random() * 1e9).toString(36)}`);
    return names;
  }

  async #isCurrent(parent: ConfigMap, signal: AbortSignal): Promise<boolean> {
    const ref = { namespace: 'default', name: parent.metadata.name ?? '' };
    const now = await this.#options.api.get<ConfigMap>(types, ref, { signal });
    return now.metadata.resourceVersion === parent.metadata.resourceVersion;
  }

  async #delete(key: string, child: ConfigMap, signal: AbortSignal): Promise<void> {
    const { uid, resourceVersion, name = '' } = child.metadata;
    try {
      await this.#options.api.delete(
        types,
        { namespace: 'default', name },
        {
          propagationPolicy: 'Background',
          signal,
          ...(uid === undefined ? {} : { uid }),
          ...(resourceVersion === undefined ? {} : { resourceVersion }),
        },
      );
      this.#tracker?.deleted(key, types, child);
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

function childOf(parent: ConfigMap, name: string): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace: 'default',
      name,
      labels: { role: 'child' },
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          name: parent.metadata.name ?? '',
          uid: parent.metadata.uid ?? '',
          controller: true,
        },
      ],
    },
    data: { version: parent.data?.version ?? '' },
  };
}

/** What is wrong with the world, measured against what the parents want; empty when it is as it should be. */
export function unmet(world: World): string[] {
  const problems: string[] = [];
  const children = world.configMaps('child');
  const parents = world.configMaps('parent');
  for (const parent of parents) {
    const mine = children.filter(
      ({ metadata }) => metadata.ownerReferences?.[0]?.uid === parent.metadata.uid,
    );
    const name = parent.metadata.name;
    if (mine.length !== Number(parent.data?.children))
      problems.push(`${name}: ${mine.length} children of ${parent.data?.children}`);
    if (mine.some(({ data }) => data?.version !== parent.data?.version))
      problems.push(`${name}: child of another version`);
    if (parent.data?.ready !== 'true') problems.push(`${name}: ready=${parent.data?.ready}`);
  }
  const uids = new Set(parents.map(({ metadata }) => metadata.uid));
  for (const { metadata } of children)
    if (!uids.has(metadata.ownerReferences?.[0]?.uid ?? '')) problems.push(`${metadata.name}: orphan`);
  return problems;
}

/** ESR: the world is as wanted within `limitMs`, stays so, and nothing is written for the next 10 minutes. Returns how long it took. */
export async function expectStable(
  world: World,
  limitMs: number,
  what: string,
  lastWritesMs = 2000,
): Promise<number> {
  let tookMs: number;
  try {
    tookMs = await world.until(() => unmet(world).length === 0, what, limitMs);
  } catch (error) {
    throw new Error(`${what}: ${unmet(world).join('; ')}`, { cause: error });
  }
  // What is on its way when the world first looks right (the last status write) may still land.
  await world.run(lastWritesMs);
  const { storage } = world.server.registry.core;
  const writesOf = () =>
    world
      .configMaps('parent')
      .concat(world.configMaps('child'))
      .map((object) => `${keyOf(object)} ${object.metadata.resourceVersion}`)
      .join();
  const before = writesOf();
  const revision = storage.revision;
  await world.run(600_000);
  if (writesOf() !== before)
    throw new Error(`${what}: not quiet: revision ${revision} became ${storage.revision}`);
  if (unmet(world).length > 0) throw new Error(`${what}: did not last: ${unmet(world).join('; ')}`);
  return tookMs;
}
