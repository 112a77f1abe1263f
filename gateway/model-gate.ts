/** The queue in front of one model: late binding. A request gets a pod when one has a free slot, and not before. */
import type { GatewayModelLoad } from '../crds/gateway-load.ts';
import type { Deadlines } from '../queue/deadlines.ts';
import { FairQueue } from '../queue/fair-queue.ts';
import type { PodAddress } from './balance/address.ts';
import { alone, type Peers, RevisionPool } from './balance/revision.ts';
import { revisionByHeader, WeightedSplit } from './balance/split.ts';
import type { Call, Gate } from './call.ts';
import type { GateDependencies, GateRoute } from './gate-options.ts';
import { ModelRecorder } from './load/recorder.ts';
import { refusalOfWait } from './queue/admission.ts';
import type { ByteShare } from './queue/bytes.ts';
import { Refusal, type RefusalReason, timedOut } from './queue/refusal.ts';

export class ModelGate implements Gate {
  readonly model: string;
  readonly deadlines: Deadlines;
  readonly bytes: ByteShare;
  readonly unread: ByteShare;
  readonly unreadCalls = new Set<Call>();
  readonly recorder: ModelRecorder;
  readonly nowMs: () => number;
  readonly refusals = new Map<RefusalReason, number>();
  /** Requests that were sent again because they never reached a pod, or did no harm there. */
  repeats = 0;
  /** Answers over gRPC that are kept until they are whole. */
  keptAnswers = 0;
  /** Why the newest routes are not in effect. */
  routesRefused: string | undefined;
  readonly #dependencies: GateDependencies;
  readonly #split = new WeightedSplit();
  /** Requests for which no pod is ready, in order of arrival. */
  readonly #held = new FairQueue<Call>();
  #pools: RevisionPool<Call>[] = [];
  #route: GateRoute | undefined;
  #peers: Peers = alone;
  #isScheduled = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #retryAtMs = Number.POSITIVE_INFINITY;
  #isClosed = false;
  #open = 0;

  constructor(dependencies: GateDependencies) {
    this.#dependencies = dependencies;
    this.model = dependencies.model;
    this.deadlines = dependencies.deadlines;
    this.bytes = dependencies.bytes;
    this.unread = dependencies.unread;
    this.nowMs = dependencies.nowMs;
    this.recorder = new ModelRecorder(this.nowMs());
  }

  get route(): GateRoute | undefined {
    return this.#route;
  }

  get pools(): readonly RevisionPool<Call>[] {
    return this.#pools;
  }

  /** Requests that wait, for a slot or for a first pod. */
  get waiting(): number {
    let sum = this.#held.length;
    for (const { queue } of this.#pools) sum += queue.length;
    return sum;
  }

  get held(): number {
    return this.#held.length;
  }

  /** Requests that are not answered yet, whatever they ask. */
  get open(): number {
    return this.#open;
  }

  /** A revision with a weight has a ready pod. */
  get hasReadyPod(): boolean {
    return this.#pools.some(({ weight, ready }) => weight > 0 && ready.length > 0);
  }

  setRoute(route: GateRoute): void {
    this.#route = route;
    this.recorder.setTargets(route.targetsMs);
    const known = new Map(this.#pools.map((pool) => [pool.revision, pool]));
    this.#pools = route.backends.map(({ revision, weight }) => {
      const pool = known.get(revision) ?? new RevisionPool<Call>(revision, this.#dependencies.transports);
      pool.weight = weight;
      known.delete(revision);
      return pool;
    });
    this.#split.set(route.backends);
    for (const pool of known.values()) {
      this.#moveToHeld(pool);
      pool.close();
    }
    this.dispatch();
  }

  setPods(revision: string, addresses: readonly PodAddress[]): void {
    this.#pools.find((pool) => pool.revision === revision)?.setPods(addresses, this.#peers);
    this.dispatch();
  }

  setPeers(peers: Peers): void {
    this.#peers = peers;
    for (const pool of this.#pools) pool.setPeers(peers);
  }

  /** The revision that a header asks for, when the route has such a rule and the revision is there. */
  pinnedBy(headers: Readonly<Record<string, string | string[] | undefined>>): string | undefined {
    const rules = this.#route?.headers;
    return rules === undefined || rules.length === 0 ? undefined : revisionByHeader(rules, headers);
  }

  /** The refusal of a request whose headers just came, by what waits now; its body need not be read then. */
  refusalAtArrival(leftMs: number): Refusal | undefined {
    const waiting = this.waiting;
    return waiting === 0 || !this.hasReadyPod
      ? undefined
      : this.#refusal(waiting, this.#slots(), this.#meanServiceMs(), leftMs);
  }

  /** Sends a request at once, lets it wait, or refuses it. */
  submit(call: Call): void {
    const nowMs = this.nowMs();
    const pool = this.#held.length > 0 ? undefined : this.#poolFor(call);
    if (pool === undefined || pool.ready.length === 0) {
      this.#hold(call, nowMs);
      return;
    }
    const pod = call.isInference
      ? pool.queue.length === 0
        ? pool.pick(nowMs)
        : undefined
      : pool.pickAny(nowMs);
    if (pod !== undefined) {
      call.bind(pod, pool, nowMs);
      return;
    }
    const refusal = this.#refusal(
      pool.queue.length,
      pool.slots(nowMs),
      pool.service.meanMs,
      call.deadlineMs - nowMs,
    );
    if (refusal !== undefined) {
      call.refuse(refusal);
      return;
    }
    call.state = 'waiting';
    call.pool = pool;
    call.enqueuedMs = nowMs;
    pool.queue.add(call);
    this.recorder.waiting(nowMs, this.waiting);
    this.#retryLater(pool, nowMs);
  }

  /** A request comes back that never reached a pod: it is the next one. */
  again(call: Call): void {
    this.repeats += 1;
    const nowMs = this.nowMs();
    const pool = this.#held.length > 0 ? undefined : this.#poolFor(call);
    call.enqueuedMs = nowMs;
    if (pool === undefined || pool.ready.length === 0) {
      call.state = 'held';
      call.pool = undefined;
      this.#held.addFirst(call);
      this.#dependencies.wanted();
      return;
    }
    call.state = 'waiting';
    call.pool = pool;
    pool.queue.addFirst(call);
    this.slotFreed();
  }

  /** Takes a request out of wherever it waits. */
  withdraw(call: Call): void {
    if (call.place === undefined) return;
    if (!this.#held.remove(call)) call.pool?.queue.remove(call);
  }

  /** A slot is free, or will be when what runs now has ended. */
  slotFreed(): void {
    if (this.#isScheduled) return;
    if (this.#held.length === 0 && this.#pools.every(({ queue }) => queue.length === 0)) return;
    this.#isScheduled = true;
    // After the answer that is being read: its connection is idle again by then.
    process.nextTick(() => {
      this.#isScheduled = false;
      this.dispatch();
    });
  }

  /** Gives pods to those that wait, as far as there are free slots. */
  dispatch(): void {
    const nowMs = this.nowMs();
    this.#dispatchHeld(nowMs);
    for (const pool of this.#pools) {
      if (pool.queue.length === 0) continue;
      if (pool.ready.length === 0) this.#moveToHeld(pool);
      else this.#dispatchPool(pool, nowMs);
    }
    if (this.#held.length > 0 && !this.hasReadyPod) this.#dependencies.wanted();
  }

  /** A request was answered. */
  finished(call: Call, status: number): void {
    this.#open -= 1;
    if (!call.isInference) return;
    const nowMs = this.nowMs();
    const outcome = this.recorder.answered(nowMs, status, nowMs - call.arrivedMs);
    // What the gateway refused while it waited belongs to no pod.
    if (call.pool !== undefined && call.wasBound) call.pool.outcomes[outcome] += 1;
  }

  opened(): void {
    this.#open += 1;
  }

  refused(call: Call, { reason }: Refusal): void {
    if (call.isInference) this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
  }

  load(nowMs: number, sinceMs = 0): GatewayModelLoad {
    const oldest = [this.#held, ...this.#pools.map(({ queue }) => queue)].flatMap(
      ({ oldestMs }) => oldestMs ?? [],
    );
    return {
      model: this.model,
      port: this.#route?.port ?? 0,
      ...this.recorder.read(nowMs, sinceMs),
      queueLength: this.waiting,
      held: this.#held.length,
      inFlight: this.recorder.inFlight,
      oldestWaitMs: oldest.length === 0 ? 0 : Math.max(0, nowMs - Math.min(...oldest)),
      revisions: this.#pools.map((pool) => pool.load(nowMs)),
      ...(this.routesRefused === undefined ? {} : { routesRefused: this.routesRefused.slice(0, 1024) }),
    };
  }

  /** Refuses what waits and lets go of all pods. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    for (const pool of this.#pools) this.#moveToHeld(pool);
    for (let call = this.#held.first; call !== undefined; call = this.#held.first)
      call.refuse(new Refusal(503, `model '${this.model}' is served here no more`, 'Stopping', 1));
    for (const pool of this.#pools) pool.close();
  }

  #hold(call: Call, nowMs: number): void {
    const wake = this.#route?.wake;
    const most = wake === undefined || this.hasReadyPod ? this.#dependencies.limits.maxWaiting : wake.maxHeld;
    if (this.#held.length >= most) {
      const what = this.hasReadyPod ? 'requests wait' : 'requests wait for the first pod';
      call.refuse(
        new Refusal(429, `Exceeds maximum queue size: ${this.#held.length} ${what}`, 'HeldFull', 1),
      );
      return;
    }
    call.state = 'held';
    call.pool = undefined;
    call.enqueuedMs = nowMs;
    // The timeout of the deployment is meant for pods that run: it begins when one is there.
    if (wake !== undefined) call.heldFor(this.#dependencies.limits.maxHoldMs);
    this.#held.add(call);
    this.recorder.waiting(nowMs, this.waiting);
    if (!this.hasReadyPod) this.#dependencies.wanted();
  }

  #dispatchHeld(nowMs: number): void {
    for (let call = this.#held.first; call !== undefined; call = this.#held.first) {
      // The order of arrival: whoever holds a place at the front of the held keeps it until there is a slot.
      const pool = call.pool !== undefined && call.pool.ready.length > 0 ? call.pool : this.#poolFor(call);
      if (pool === undefined || pool.ready.length === 0) return;
      call.pool = pool;
      const pod = call.isInference ? pool.pick(nowMs, nowMs - call.enqueuedMs) : pool.pickAny(nowMs);
      if (pod === undefined) {
        this.#retryLater(pool, nowMs);
        return;
      }
      this.#held.remove(call);
      if (this.#route?.wake !== undefined) call.heldNoMore(nowMs);
      call.bind(pod, pool, nowMs);
    }
  }

  #dispatchPool(pool: RevisionPool<Call>, nowMs: number): void {
    const serviceMs = pool.service.meanMs ?? 0;
    const next = () => pool.pick(nowMs, nowMs - (pool.queue.first?.enqueuedMs ?? nowMs));
    for (let pod = next(); pod !== undefined; pod = next()) {
      const call = pool.queue.take();
      if (call === undefined) return;
      // It would be late, and others would not. With nothing else to do it is tried all the same: the reckoning may be wrong.
      if (pool.queue.length > 0 && nowMs + serviceMs > call.deadlineMs) {
        call.refuse(timedOut(nowMs - call.arrivedMs));
        continue;
      }
      call.bind(pod, pool, nowMs);
    }
    if (pool.queue.length > 0) this.#retryLater(pool, nowMs);
  }

  /** Wakes up when a pod that is left aside may be tried again, or one at home elsewhere may be taken: nothing else might. */
  #retryLater(pool: RevisionPool<Call>, nowMs: number): void {
    let nextMs = pool.nextTryMs(nowMs);
    const patienceMs = pool.patienceMs;
    if (patienceMs > 0) {
      const patientMs = (pool.queue.first?.enqueuedMs ?? nowMs) + patienceMs;
      if (patientMs > nowMs && (nextMs === undefined || patientMs < nextMs)) nextMs = patientMs;
    }
    if (nextMs === undefined || nextMs >= this.#retryAtMs || this.#isClosed) return;
    clearTimeout(this.#retryTimer);
    this.#retryAtMs = nextMs;
    this.#retryTimer = setTimeout(
      () => {
        this.#retryAtMs = Number.POSITIVE_INFINITY;
        this.dispatch();
      },
      Math.max(1, Math.ceil(nextMs - nowMs)),
    ).unref();
  }

  /** The revision of a request: a pinned one, else the next by weight among those that have ready pods. */
  #poolFor(call: Call): RevisionPool<Call> | undefined {
    const pools = this.#pools;
    const [only] = pools;
    const revision =
      pools.length === 1 && only !== undefined && only.weight > 0 && call.pinned === undefined
        ? only.revision
        : (this.#pinnedRevision(call) ??
          this.#split.next((name) => (pools.find((pool) => pool.revision === name)?.ready.length ?? 0) > 0));
    return pools.find((pool) => pool.revision === revision);
  }

  #pinnedRevision({ pinned }: Call): string | undefined {
    return this.#pools.some(({ revision, ready }) => revision === pinned && ready.length > 0)
      ? pinned
      : undefined;
  }

  #moveToHeld(pool: RevisionPool<Call>): void {
    for (let call = pool.queue.take(); call !== undefined; call = pool.queue.take()) {
      call.state = 'held';
      call.pool = undefined;
      this.#held.add(call);
    }
  }

  #slots(): number {
    const nowMs = this.nowMs();
    return this.#pools.reduce((sum, pool) => sum + pool.slots(nowMs), 0);
  }

  #meanServiceMs(): number | undefined {
    let sum = 0;
    let weights = 0;
    for (const { weight, service } of this.#pools)
      if (service.meanMs !== undefined && weight > 0) {
        sum += weight * service.meanMs;
        weights += weight;
      }
    return weights === 0 ? undefined : sum / weights;
  }

  #refusal(
    waiting: number,
    slots: number,
    serviceMs: number | undefined,
    leftMs: number,
  ): Refusal | undefined {
    const route = this.#route;
    if (route === undefined) return undefined;
    return refusalOfWait(
      { waiting, slots, serviceMs, leftMs },
      {
        timeoutMs: route.timeoutMs,
        shedMs: route.shedMs,
        maxWaiting: this.#dependencies.limits.maxWaiting,
      },
    );
  }
}
