/** A simulated inference pod: slots, the seconds that it counts, and the report that a real one gives at `/load`. */
import type { BatchCosts, LoadReport, LoadSecond } from '../crds/wire.ts';
import { RequestQueue } from './request-queue.ts';

/** As many seconds as a real pod keeps. */
const keptSeconds = 120;

export class SimulatedPod {
  readonly index: number;
  readonly name: string;
  /** When it was placed on a node: its process starts. */
  createdAt: number;
  readyAt: number;
  /** From its place on a node to ready, on a machine with time for it. */
  readonly startupSeconds: number;
  readonly slots: number;
  state: 'pending' | 'starting' | 'ready' | 'draining' = 'starting';
  goneAt = Number.POSITIVE_INFINITY;
  /** Requests in service, and those that wait in this pod (direct balancing only). */
  inFlight = 0;
  readonly queue = new RequestQueue();
  /** Slots that run something: one batch is one slot. */
  busySlots = 0;
  /** Its first requests are behind it. */
  warm = false;
  readonly counts: number[];
  readonly seconds: LoadSecond[] = [];
  arrivals = 0;
  succeeded = 0;
  rejected = 0;
  serviceSum = 0;
  serviceSquares = 0;
  busySeconds = 0;
  #busyAt = 0;
  #before = { arrivals: 0, completions: 0, busy: 0, sum: 0, squares: 0 };

  /** What the pod tells of its batches, where it runs any. */
  batch: BatchCosts | undefined;

  constructor(index: number, createdAt: number, startupSeconds: number, slots: number, buckets: number) {
    this.index = index;
    this.name = `pod-${index}`;
    this.createdAt = createdAt;
    this.readyAt = createdAt + startupSeconds;
    this.startupSeconds = startupSeconds;
    this.slots = slots;
    this.counts = new Array<number>(buckets).fill(0);
    this.#busyAt = createdAt;
  }

  /** A node has room: it starts. */
  place(now: number): void {
    this.state = 'starting';
    this.createdAt = now;
    this.readyAt = now + this.startupSeconds;
    this.#busyAt = now;
  }

  /** How many times as long the request that begins now takes; 1 once the pod is warm. */
  slowness(firstRequests: readonly number[] | undefined): number {
    if (firstRequests === undefined || this.warm) return 1;
    const factor = firstRequests[this.succeeded + this.inFlight];
    this.warm = factor === undefined;
    return factor ?? 1;
  }

  /** Brings the integral of busy slots up to a time. */
  accrue(now: number): void {
    this.busySeconds += this.busySlots * (now - this.#busyAt);
    this.#busyAt = now;
  }

  /** Counts a request that was served. */
  served(serviceSeconds: number): void {
    this.succeeded += 1;
    this.serviceSum += serviceSeconds;
    this.serviceSquares += serviceSeconds * serviceSeconds;
  }

  /** Closes the second that ends now. */
  closeSecond(now: number): void {
    this.accrue(now);
    const before = this.#before;
    const completions = this.succeeded - before.completions;
    this.seconds.push({
      endMs: Math.round((now - this.createdAt) * 1_000),
      arrivals: this.arrivals - before.arrivals,
      completions,
      busySeconds: this.busySeconds - before.busy,
      serviceCount: completions,
      serviceSumSeconds: this.serviceSum - before.sum,
      serviceSumSquares: Math.max(0, this.serviceSquares - before.squares),
    });
    if (this.seconds.length > 2 * keptSeconds) this.seconds.splice(0, this.seconds.length - keptSeconds);
    before.arrivals = this.arrivals;
    before.completions = this.succeeded;
    before.busy = this.busySeconds;
    before.sum = this.serviceSum;
    before.squares = this.serviceSquares;
  }

  /** Slot-seconds that were busy from one second of the world to another; only finished seconds count. */
  busyBetween(from: number, to: number): number {
    let sum = 0;
    for (let index = this.seconds.length - 1; index >= 0; index -= 1) {
      const second = this.seconds[index] as LoadSecond;
      const end = this.createdAt + second.endMs / 1_000;
      if (end <= from) break;
      if (end <= to) sum += second.busySeconds;
    }
    return sum;
  }

  /** What the pod answers now. */
  report(now: number, boundsMs: readonly number[]): LoadReport {
    const { arrivals, succeeded, rejected, busySeconds, serviceSum, serviceSquares } = this;
    const oldest = this.queue.oldest;
    return {
      version: 1,
      instance: this.name,
      startedAtMs: 0,
      uptimeMs: (now - this.createdAt) * 1_000,
      ready: this.state === 'ready',
      draining: this.state === 'draining',
      revision: 'r1',
      modelSha256: '',
      parallelism: this.slots,
      batch: this.batch,
      counters: {
        arrivals,
        succeeded,
        clientErrors: 0,
        rejected,
        failed: 0,
        busySeconds,
        serviceCount: succeeded,
        serviceSumSeconds: serviceSum,
        serviceSumSquares: serviceSquares,
      },
      queueLength: this.queue.length,
      inFlight: this.inFlight,
      oldestWaitMs: oldest === Number.POSITIVE_INFINITY ? 0 : (now - oldest) * 1_000,
      latency: { boundsMs, counts: this.counts.slice() },
      seconds: this.seconds.slice(-keptSeconds),
    };
  }
}
