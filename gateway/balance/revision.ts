/** The pods of one revision and the requests that wait for them. */
import type { GatewayOutcomes, GatewayRevisionLoad } from '../../crds/gateway-load.ts';
import { FairQueue, type Waiting } from '../../queue/fair-queue.ts';
import type { PodAddress } from './address.ts';
import { Pod, type PodTransports } from './pod.ts';
import { ServiceTime } from './service-time.ts';

/** The place of this gateway among those that serve the same pods. */
export interface Peers {
  readonly rank: number;
  readonly count: number;
}

export const alone: Peers = Object.freeze({ rank: 0, count: 1 });

/** With fewer pods at home than this, the next of them is not free much sooner than any pod (simulated with 1 to 16). */
const leastHome = 4;

export class RevisionPool<T extends Waiting> {
  readonly revision: string;
  weight = 0;
  readonly queue = new FairQueue<T>();
  readonly service = new ServiceTime();
  readonly #atHome = new ServiceTime();
  readonly #away = new ServiceTime();
  readonly outcomes: { -readonly [K in keyof GatewayOutcomes]: number } = {
    succeeded: 0,
    clientErrors: 0,
    rejected: 0,
    failed: 0,
  };
  /** Requests that were bound to a pod of this revision. */
  bound = 0;
  inFlight = 0;
  readonly #transports: PodTransports;
  readonly #pods = new Map<string, Pod>();
  #ready: readonly Pod[] = [];
  #turn = 0;
  #homePods = 0;

  constructor(revision: string, transports: PodTransports) {
    this.revision = revision;
    this.#transports = transports;
  }

  /** Pods that may get requests, those that are left aside among them. */
  get ready(): readonly Pod[] {
    return this.#ready;
  }

  /** Takes over what the EndpointSlices say. A pod that is gone finishes what it has in hand. */
  setPods(addresses: readonly PodAddress[], peers: Peers): void {
    const named = new Set(addresses.map(({ key }) => key));
    for (const [key, pod] of this.#pods) {
      if (named.has(key)) continue;
      this.#pods.delete(key);
      pod.close();
    }
    for (const address of addresses) {
      const known = this.#pods.get(address.key);
      // A pod of another name at the same address is a new one, whatever the old one did.
      if (known !== undefined && known.address.name === address.name) {
        known.address = address;
        continue;
      }
      known?.close();
      this.#pods.set(address.key, new Pod(address, this.#transports));
    }
    this.#ready = [...this.#pods.values()].filter(({ address }) => address.ready);
    this.setPeers(peers);
  }

  /** Shares the pods out: each is at home with one gateway, in an order that all gateways agree on. */
  setPeers({ rank, count }: Peers): void {
    const keys = this.#ready.map(({ address }) => address.key).sort();
    const place = new Map(keys.map((key, index) => [key, index]));
    for (const pod of this.#ready) pod.isHome = (place.get(pod.address.key) ?? 0) % count === rank % count;
    this.#homePods = this.#ready.reduce((sum, { isHome }) => sum + (isHome ? 1 : 0), 0);
  }

  /** A pod had a request in hand for so long. */
  observe(pod: Pod, ms: number): void {
    this.service.observe(ms);
    (pod.isHome ? this.#atHome : this.#away).observe(ms);
  }

  /**
   * How long a request waits for a pod at home while only others are free: as long as those take more than the ones at home.
   * What they take more is the wait behind requests of other gateways, which this one does not see. 0 where they do not.
   */
  get patienceMs(): number {
    const home = this.#atHome.meanMs;
    const away = this.#away.meanMs;
    if (this.#homePods < leastHome || home === undefined || away === undefined) return 0;
    return Math.min(home, Math.max(0, away - home));
  }

  /**
   * The pod with the fewest requests in hand among those with a free slot; between equals one that is at home here, since
   * the other gateways take that one last; between those each in turn. A request that has waited for less than `patienceMs`
   * takes no pod with one slot that is at home elsewhere.
   */
  pick(nowMs: number, waitedMs = 0): Pod | undefined {
    const ready = this.#ready;
    const { length } = ready;
    let best: Pod | undefined;
    let bestScore = Number.POSITIVE_INFINITY;
    this.#turn = (this.#turn + 1) % Math.max(1, length);
    for (let step = 0; step < length; step += 1) {
      const pod = ready[(this.#turn + step) % length] as Pod;
      if (pod.outstanding >= pod.openSlots || nowMs < pod.asideUntilMs) continue;
      const score = pod.outstanding + (pod.isHome ? 0 : 0.5);
      if (score < bestScore) {
        bestScore = score;
        best = pod;
        if (score === 0) break;
      }
    }
    if (best !== undefined && !best.isHome && best.slots === 1 && waitedMs < this.patienceMs)
      return undefined;
    return best;
  }

  /** The pod with the fewest requests in hand, for what costs no run: slots do not count. */
  pickAny(nowMs: number): Pod | undefined {
    let best: Pod | undefined;
    for (const pod of this.#ready)
      if (!pod.isAside(nowMs) && (best === undefined || pod.outstanding < best.outstanding)) best = pod;
    return best ?? this.#ready[0];
  }

  /** Slots of the pods that may get requests now. */
  slots(nowMs: number): number {
    let sum = 0;
    for (const pod of this.#ready) if (nowMs >= pod.asideUntilMs) sum += pod.openSlots;
    return sum;
  }

  /** When the first pod that is left aside may be tried again; undefined when none is. */
  nextTryMs(nowMs: number): number | undefined {
    let next: number | undefined;
    for (const pod of this.#ready)
      if (pod.isAside(nowMs) && (next === undefined || pod.asideUntilMs < next)) next = pod.asideUntilMs;
    return next;
  }

  load(nowMs: number): GatewayRevisionLoad {
    return {
      ...this.outcomes,
      serviceCount: this.service.count,
      serviceSumSeconds: this.service.sumSeconds,
      serviceSumSquares: this.service.sumSquares,
      revision: this.revision,
      weight: this.weight,
      bound: this.bound,
      inFlight: this.inFlight,
      readyPods: this.#ready.length,
      asidePods: this.#ready.filter((pod) => pod.isAside(nowMs)).length,
      slots: this.slots(nowMs),
      slotsPerPod: this.#ready.reduce((most, pod) => Math.max(most, pod.slots), 0),
    };
  }

  close(): void {
    for (const pod of this.#pods.values()) pod.close();
    this.#pods.clear();
    this.#ready = [];
  }
}
