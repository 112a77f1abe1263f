/**
 * A tiny cluster around the real plan: an API server that keeps what is applied, a Deployment controller, a kubelet and
 * a clock, each moved one step at a time in any order. The rollout tests assert invariants after each step.
 */
import { labels } from '../../../crds/constants.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { Deployment, KubeObject, Pod } from '../../../kube/objects.ts';
import { settle } from '../../../kube/settle.ts';
import { restartedAtAnnotation } from '../desired/deployment.ts';
import { revisionHash } from '../hash.ts';
import { plan } from '../plan.ts';
import { isLiving, isReady } from '../pods.ts';
import { settleMs, surgeOf } from '../rollout/planner.ts';
import { type ChildKind, type Children, emptyMemory, type Memory, type Snapshot } from '../snapshot.ts';
import { makeDeployment, makePod, type SpecPart, startMs, testDefaults } from './builders.ts';
import { isPlaced, place, placeOf } from './places.ts';

/** How the pods of a revision turn out. */
export type Behaviour = 'good' | 'crashes' | 'never-ready' | 'model-missing';

const kinds: ChildKind[] = [
  'serviceAccounts',
  'configMaps',
  'controllerRevisions',
  'services',
  'networkPolicies',
  'deployments',
  'podDisruptionBudgets',
];

export class World {
  nowMs = startMs;
  deployment: ModelDeployment;
  memory: Memory = emptyMemory;
  pods: Pod[] = [];
  /** Pods that the nodes have room for; undefined: nobody counts. */
  room: number | undefined;
  /** Writes of the operator so far. */
  writes = 0;
  /** Replicas that the load needs. */
  needed: number;
  /** Ready pods when the operator last decided, those left out that it had told to go before: what it could count on. */
  decidedReady = 0;
  /** Ready pods that died since then. */
  deaths = 0;
  readonly narrative: string[] = [];
  readonly events: string[] = [];
  readonly #objects = new Map<string, KubeObject>();
  readonly #behaviour = new Map<string, Behaviour>();
  readonly #names = new Map<string, string>();
  #serial = 0;

  constructor(needed: number, spec: SpecPart = {}) {
    this.needed = needed;
    this.deployment = makeDeployment({
      ...spec,
      scaling: { mode: 'Fixed', replicas: needed, ...spec.scaling },
    });
    this.behave('good');
  }

  /** Writes the spec anew, as a user does; `uri` makes the revision. */
  write(spec: SpecPart, behaviour: Behaviour = 'good'): string {
    this.deployment = {
      ...this.deployment,
      metadata: { ...this.deployment.metadata, generation: this.deployment.metadata.generation + 1 },
      spec: {
        ...this.deployment.spec,
        ...spec,
        scaling: { ...this.deployment.spec.scaling, ...spec.scaling },
      },
    };
    if (spec.scaling?.replicas !== undefined) this.needed = spec.scaling.replicas;
    return this.behave(behaviour);
  }

  /** What becomes of the pods of the spec's present revision. */
  behave(behaviour: Behaviour): string {
    const revision = revisionHash(this.deployment.spec);
    this.#behaviour.set(revision, behaviour);
    if (!this.#names.has(revision)) this.#names.set(revision, `v${this.#names.size + 1}`);
    return revision;
  }

  /** `v1` for the first revision, and so on: hashes make no story. */
  nameOf = (revision: string) => this.#names.get(revision) ?? revision;

  children(): Children {
    return Object.fromEntries(kinds.map((kind) => [kind, this.#ofKind(kind)])) as unknown as Children;
  }

  deployments(): Deployment[] {
    return this.#ofKind('deployments') as Deployment[];
  }

  snapshot(): Snapshot {
    return {
      nowMs: this.nowMs,
      defaults: testDefaults,
      fleetSize: 1,
      deployment: this.deployment,
      children: this.children(),
      replicaSets: [],
      pods: this.pods,
      scaling: 'unknown',
      measured: 'unknown',
      memory: this.memory,
    };
  }

  get ready(): number {
    return this.pods.filter(isReady).length;
  }

  readyOf(revision: string): number {
    return this.pods.filter((pod) => isReady(pod) && pod.metadata.labels?.[labels.revision] === revision)
      .length;
  }

  /** One reconcile. Returns how many writes it made. */
  operator(): number {
    const decided = plan(this.snapshot());
    this.decidedReady = this.#countable();
    this.deaths = 0;
    for (const { kind, object } of decided.apply) {
      const key = `${kind}/${object.metadata.name}`;
      const known = this.#objects.get(key);
      const uid = known?.metadata.uid ?? `uid-${key}`;
      const version = String(++this.#serial);
      const made = structuredClone(object);
      // Frozen as the operator's own caches are: what does not change is hashed once and not at every step.
      this.#objects.set(
        key,
        settle<KubeObject>({ ...made, metadata: { ...made.metadata, uid, resourceVersion: version } }, known),
      );
      if (kind === 'deployments') this.#tellReplicas(known as Deployment | undefined, object as Deployment);
    }
    for (const { kind, name } of decided.delete) {
      this.#objects.delete(`${kind}/${name}`);
      if (kind === 'deployments') this.tell(`deleted Deployment of ${this.#revisionOfName(name)}`);
    }
    if (decided.status !== undefined) {
      this.deployment = { ...this.deployment, status: decided.status };
      this.memory = { ...this.memory, statusWrittenAtMs: this.nowMs };
    }
    this.memory = { ...this.memory, waitTold: decided.waitTold };
    for (const { reason, message } of decided.events) {
      this.events.push(reason);
      this.tell(`event ${reason}: ${this.#withNames(message)}`);
    }
    const writes = decided.apply.length + decided.delete.length + (decided.status === undefined ? 0 : 1);
    this.writes += writes;
    return writes;
  }

  /** A ready pod is gone, by nobody's decision. */
  die(): void {
    const victim = this.pods.find(isReady);
    if (victim === undefined) return;
    this.pods = this.pods.filter((pod) => pod !== victim);
    this.deaths += 1;
  }

  /** Ready pods that the Deployment controller's next step must leave, if the last decision was right. */
  get mustStay(): number {
    return Math.min(this.ready, this.decidedReady, this.needed) - this.deaths;
  }

  /** One step of the Deployment controller for every Deployment: pods are made, or ended, the unready ones first. */
  deploymentController(): void {
    const known = new Set<string>();
    for (const { metadata, spec } of this.deployments()) {
      const revision = metadata.labels?.[labels.revision] ?? '';
      known.add(revision);
      const restartedAt = spec.template.metadata?.annotations?.[restartedAtAnnotation];
      const current = (pod: Pod) => pod.metadata.annotations?.[restartedAtAnnotation] === restartedAt;
      const wanted = spec.replicas ?? 1;
      const own = () => this.pods.filter((pod) => pod.metadata.labels?.[labels.revision] === revision);
      const outdated = own().filter((pod) => !current(pod)).length;
      const surge = outdated > 0 ? surgeOf(wanted) : 0;
      while (own().filter(current).length < wanted && own().length < wanted + surge)
        this.#makePod(revision, restartedAt);
      const gives = outdated > 0 ? Number(spec.strategy?.rollingUpdate?.maxUnavailable ?? 0) : 0;
      const spare = own().filter(isReady).length - wanted + gives;
      const victims = own()
        .sort(
          (a, b) =>
            Number(current(a)) - Number(current(b)) ||
            Number(isReady(a)) - Number(isReady(b)) ||
            Number(isPlaced(a)) - Number(isPlaced(b)),
        )
        .slice(0, Math.max(0, own().length - wanted + gives));
      let left = spare;
      for (const victim of victims) {
        // Within a restart an old ready pod goes only when a new one is ready; a smaller count takes whoever is left.
        if (outdated > 0 && isReady(victim)) {
          if (left <= 0) continue;
          left -= 1;
        }
        this.pods = this.pods.filter((pod) => pod !== victim);
      }
    }
    this.pods = this.pods.filter((pod) => known.has(pod.metadata.labels?.[labels.revision] ?? ''));
  }

  /** The scheduler gives a node to whom it can. */
  scheduler(): void {
    if (this.room !== undefined) this.pods = place(this.pods, this.room, this.nowMs);
  }

  /** The kubelet moves one pod on; returns false when none moves. */
  kubelet(choose: (pods: Pod[]) => Pod | undefined): boolean {
    const waiting = this.pods.filter((pod) => !isReady(pod) && isPlaced(pod) && this.#moves(pod));
    const pod = choose(waiting);
    if (pod === undefined) return false;
    const revision = pod.metadata.labels?.[labels.revision] ?? '';
    const next = makePod(revision, {
      name: pod.metadata.name ?? '',
      readyAtMs: this.nowMs,
      conditions: placeOf(pod),
      createdAtMs: Date.parse(pod.metadata.creationTimestamp ?? ''),
      ...(pod.metadata.annotations === undefined ? {} : { annotations: pod.metadata.annotations }),
      ...this.#outcome(revision),
    });
    this.pods = this.pods.map((other) => (other === pod ? next : other));
    return true;
  }

  /** A copy that goes its own way. */
  fork(): World {
    const copy = new World(this.needed);
    copy.nowMs = this.nowMs;
    copy.deployment = this.deployment;
    copy.memory = this.memory;
    copy.decidedReady = this.decidedReady;
    copy.deaths = this.deaths;
    copy.pods = this.pods;
    copy.room = this.room;
    copy.#serial = this.#serial;
    for (const [key, object] of this.#objects) copy.#objects.set(key, object);
    for (const [revision, behaviour] of this.#behaviour) copy.#behaviour.set(revision, behaviour);
    for (const [revision, name] of this.#names) copy.#names.set(revision, name);
    return copy;
  }

  /** What the next steps depend on, as a text: counters and names of pods left out. */
  fingerprint(): string {
    const revisionOf = (object: KubeObject) => object.metadata.labels?.[labels.revision];
    return JSON.stringify([
      this.deployment.spec,
      this.deployment.status?.stable?.revision,
      this.deployment.status?.candidate?.revision,
      this.deployment.status?.rollout?.finishedAt === undefined,
      this.deployment.status?.observedGeneration === this.deployment.metadata.generation,
      this.deployments().map((child) => [revisionOf(child), child.spec.replicas]),
      this.children().controllerRevisions.map(revisionOf),
      this.pods.map((pod) => [revisionOf(pod), isReady(pod)]),
      this.mustStay,
    ]);
  }

  /** Everybody moves in turn until nothing does, for longer than a rollout waits for; throws when that does not come about. */
  settle(maxRounds = 200): void {
    let quietMs = 0;
    for (let round = 0; round < maxRounds; round++) {
      const wrote = this.operator();
      this.deploymentController();
      this.scheduler();
      const moved = this.kubelet((pods) => pods[0]);
      quietMs = wrote === 0 && !moved ? quietMs + 1_000 : 0;
      if (quietMs > settleMs + 1_000) return;
      this.nowMs += 1_000;
    }
    throw new Error(`not settled after ${maxRounds} rounds`);
  }

  tell(line: string): void {
    this.narrative.push(`${String(Math.round((this.nowMs - startMs) / 1_000)).padStart(5)}s ${line}`);
  }

  #countable(): number {
    return this.deployments().reduce((sum, { metadata, spec }) => {
      const revision = metadata.labels?.[labels.revision] ?? '';
      return sum + Math.min(this.readyOf(revision), spec.replicas ?? 1);
    }, 0);
  }

  #moves(pod: Pod): boolean {
    const behaviour = this.#behaviour.get(pod.metadata.labels?.[labels.revision] ?? '') ?? 'good';
    if (behaviour === 'good') return true;
    if (behaviour === 'never-ready') return false;
    return [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].every(
      (status) => status.restartCount === 0,
    );
  }

  #outcome(revision: string): Parameters<typeof makePod>[1] {
    const waiting = { waiting: { reason: 'CrashLoopBackOff' } };
    switch (this.#behaviour.get(revision) ?? 'good') {
      case 'good':
        return { ready: true };
      case 'never-ready':
        return {};
      case 'crashes':
        return {
          containers: [
            {
              name: 'serve',
              restartCount: 1,
              state: waiting,
              lastState: { terminated: { exitCode: 1, message: 'TypeError: boom' } },
            },
          ],
        };
      case 'model-missing':
        return {
          initContainers: [
            {
              name: 'fetch',
              restartCount: 1,
              state: waiting,
              lastState: {
                terminated: {
                  exitCode: 3,
                  message: '{"reason":"ModelNotFound","message":"404 Not Found"}',
                },
              },
            },
          ],
        };
    }
  }

  #makePod(revision: string, restartedAt: string | undefined): void {
    this.pods = [
      ...this.pods,
      makePod(revision, {
        name: `wine-${this.nameOf(revision)}-${++this.#serial}`,
        createdAtMs: this.nowMs,
        ...(restartedAt === undefined ? {} : { annotations: { [restartedAtAnnotation]: restartedAt } }),
      }),
    ];
  }

  #ofKind(kind: ChildKind): KubeObject[] {
    return [...this.#objects].filter(([key]) => key.startsWith(`${kind}/`)).map(([, object]) => object);
  }

  #tellReplicas(known: Deployment | undefined, next: Deployment): void {
    const revision = next.metadata.labels?.[labels.revision] ?? '';
    const [from, to] = [known?.spec.replicas, next.spec.replicas];
    if (from !== to)
      this.tell(
        `${this.nameOf(revision)}: ${from === undefined ? 'made with' : `from ${from} to`} ${to} replicas, ${this.readyOf(revision)} ready, ${this.ready} of ${this.needed} ready in all`,
      );
  }

  #revisionOfName(name: string): string {
    return this.nameOf(name.slice(name.lastIndexOf('-') + 1));
  }

  #withNames(text: string): string {
    let named = text;
    for (const [revision, name] of this.#names) named = named.replaceAll(revision, name);
    return named;
  }

  livingPods(): Pod[] {
    return this.pods.filter(isLiving);
  }
}
