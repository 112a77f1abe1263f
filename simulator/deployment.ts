/** One simulated ModelDeployment: arrivals, the gateway's queue or direct balancing, pods, what became of each request. */
import { bucketOf, geometricBounds, withExactBounds } from '../stats/histogram.ts';
import { admits, timeoutSeconds } from './admission.ts';
import type { Chance } from './chance.ts';
import { chance } from './chance.ts';
import type { DeploymentConfig, SecondOfAll } from './deployment-config.ts';
import { batchCostsOf } from './deployment-config.ts';
import { DirectBalance } from './direct-balance.ts';
import { EventHeap } from './event-heap.ts';
import { IdleSlots } from './idle-slots.ts';
import { Machine } from './machine.ts';
import { SimulatedPod } from './pod.ts';
import { RequestQueue } from './request-queue.ts';
import { Tally } from './tally.ts';
import { Arrivals } from './traffic/arrivals.ts';

const readyEvent = -1;

export class Deployment {
  readonly config: DeploymentConfig;
  readonly tally: Tally;
  readonly boundsMs: readonly number[];
  readonly counts: number[];
  /** Pods that exist, oldest first; pending ones have no room yet. */
  pods: SimulatedPod[] = [];
  readonly seconds: SecondOfAll[] = [];
  readonly queue = new RequestQueue();
  now = 0;
  replicas = 0;
  replicaSeconds = 0;
  ready = 0;
  arrivals = 0;
  inFlight = 0;
  completions = 0;
  rejected = 0;
  serviceSum = 0;
  serviceSquares = 0;
  mostWaiting = 0;
  readonly #events = new EventHeap();
  readonly #all: SimulatedPod[] = [];
  readonly #arrivals: Arrivals;
  readonly #services: Chance;
  readonly #startups: Chance;
  readonly #balance: DirectBalance;
  readonly #timeout: number;
  readonly #sloBucket: number;
  #nextArrival: number;
  readonly #idle = new IdleSlots();
  /** Undefined where each pod has cores of its own: then work takes its time. */
  readonly #machine: Machine | undefined;
  #busySlots = 0;
  #waitingInPods = 0;
  #readyPods: SimulatedPod[] = [];
  #concurrency = 0;
  #concurrencyAt = 0;
  #before = { arrivals: 0, completions: 0, rejected: 0, sum: 0, squares: 0 };
  /** Batches in service: their arrivals and services. */
  readonly #jobs: { pod: SimulatedPod; arrivals: number[]; services: number[]; began: number }[] = [];
  readonly #freeJobs: number[] = [];

  constructor(config: DeploymentConfig) {
    const { trace, seed, sloMs } = config;
    this.config = config;
    this.tally = new Tally(sloMs / 1_000);
    this.boundsMs = withExactBounds(geometricBounds(0.5, 60_000, 10 ** 0.1), [sloMs]);
    this.counts = new Array<number>(this.boundsMs.length + 1).fill(0);
    this.#sloBucket = this.boundsMs.length;
    this.#timeout = timeoutSeconds(config);
    this.#arrivals = new Arrivals(trace, chance(seed, 1));
    this.#services = chance(seed, 2);
    this.#startups = chance(seed, 3);
    this.#balance = new DirectBalance(config.balancing, chance(seed, 4));
    this.#nextArrival = this.#arrivals.next();
    if (config.machine !== undefined) this.#machine = new Machine(config.machine, seed);
    this.scaleTo(config.initialReplicas, true);
  }

  /** Requests that wait, in the gateway or in pods. */
  get waiting(): number {
    return this.queue.length + this.#waitingInPods;
  }

  get starting(): number {
    return this.pods.filter(({ state }) => state === 'starting').length;
  }

  get pending(): number {
    return this.pods.filter(({ state }) => state === 'pending').length;
  }

  /** Runs everything that happens up to a time, seconds. */
  advanceTo(time: number): void {
    const events = this.#events;
    const machine = this.#machine;
    for (;;) {
      const next = machine === undefined ? events.nextTime : machine.timeOf(events.nextTime);
      if (machine !== undefined && machine.nextChange < Math.min(next, this.#nextArrival)) {
        if (machine.nextChange > time) break;
        this.#move(machine.nextChange);
      } else if (this.#nextArrival <= next) {
        if (this.#nextArrival > time) break;
        this.#move(this.#nextArrival);
        this.#arrive();
        this.#nextArrival = this.#arrivals.next();
      } else {
        if (next > time) break;
        this.#move(next);
        const code = events.pop();
        if (code <= readyEvent) this.#becomeReady(this.#all[-code - 1] as SimulatedPod);
        else this.#complete(code);
      }
    }
    this.#move(time);
  }

  /** Closes the second that ends now: what pods and gateway report, what policies read. */
  closeSecond(): void {
    const before = this.#before;
    let busy = 0;
    for (const pod of this.pods) {
      if (pod.state === 'pending') continue;
      pod.closeSecond(this.now);
      busy += pod.seconds.at(-1)?.busySeconds ?? 0;
    }
    this.#expireOldest();
    this.#accrue();
    this.seconds.push({
      arrivals: this.arrivals - before.arrivals,
      completions: this.completions - before.completions,
      rejected: this.rejected - before.rejected,
      concurrency: this.#concurrency,
      busySeconds: busy,
      serviceSum: this.serviceSum - before.sum,
      serviceSquares: Math.max(0, this.serviceSquares - before.squares),
      mostWaiting: this.mostWaiting,
      ready: this.ready,
      replicas: this.replicas,
    });
    this.#concurrency = 0;
    this.mostWaiting = this.queue.length;
    this.#before = {
      arrivals: this.arrivals,
      completions: this.completions,
      rejected: this.rejected,
      sum: this.serviceSum,
      squares: this.serviceSquares,
    };
    // A pod holds its place from its creation until it is gone, whatever the count that was asked for.
    for (const pod of this.pods)
      if (pod.state !== 'pending') this.replicaSeconds += Math.max(0, Math.min(1, pod.goneAt - this.now + 1));
    this.pods = this.pods.filter((pod) => pod.goneAt > this.now);
    this.#place();
  }

  /** Asks for a number of replicas: new pods start, surplus ones go (those not ready first, then the youngest). */
  scaleTo(replicas: number, atOnce = false): void {
    this.replicas = replicas;
    const living = this.pods.filter(({ state }) => state !== 'draining');
    for (let count = living.length; count < replicas; count += 1) this.#create(atOnce);
    if (living.length > replicas) {
      const order = { pending: 0, starting: 1, ready: 2, draining: 3 };
      const doomed = living
        .toSorted((one, other) => order[one.state] - order[other.state] || other.index - one.index)
        .slice(0, living.length - replicas);
      for (const pod of doomed) this.#remove(pod);
    }
    this.#place();
  }

  #create(atOnce: boolean): void {
    const { startup, slots } = this.config;
    const took = atOnce ? 0 : startup.sample(this.#startups);
    const pod = new SimulatedPod(this.#all.length, this.now, took, slots, this.boundsMs.length + 1);
    pod.state = 'pending';
    pod.batch = batchCostsOf(this.config);
    this.#all.push(pod);
    this.pods.push(pod);
    if (atOnce) {
      pod.warm = true;
      pod.state = 'starting';
      this.#becomeReady(pod);
    }
  }

  /** Starts pending pods while the cluster has room. */
  #place(): void {
    let placed = 0;
    for (const pod of this.pods) if (pod.state !== 'pending') placed += 1;
    for (const pod of this.pods) {
      if (pod.state !== 'pending') continue;
      if (placed >= this.config.clusterPods) break;
      placed += 1;
      pod.place(this.now);
      this.#events.push(this.#after(pod.startupSeconds), -pod.index - 1);
    }
    this.#ask();
  }

  #becomeReady(pod: SimulatedPod): void {
    if (pod.state !== 'starting') return;
    pod.state = 'ready';
    pod.readyAt = this.now;
    this.ready += 1;
    this.#ask();
    this.#readyPods.push(pod);
    if (this.config.balancing === 'gateway')
      for (let permit = 0; permit < (this.config.outstandingPerPod ?? pod.slots); permit += 1)
        this.#give(pod);
  }

  #remove(pod: SimulatedPod): void {
    const wasReady = pod.state === 'ready';
    pod.state = 'draining';
    if (wasReady) {
      this.ready -= 1;
      this.#readyPods = this.#readyPods.filter((other) => other !== pod);
    }
    if (!wasReady) pod.goneAt = this.now;
    else if (pod.inFlight + pod.queue.length === 0) pod.goneAt = this.now + this.config.drainSeconds;
  }

  #move(time: number): void {
    this.now = time;
    this.#machine?.advance(time);
  }

  /** Tells the machine what pods ask of it now. */
  #ask(): void {
    this.#machine?.ask(this.#busySlots, this.starting);
  }

  /** By the clock of the events: work where a machine is shared, else time. */
  #after(seconds: number): number {
    return (this.#machine?.work ?? this.now) + seconds;
  }

  #accrue(): void {
    this.#concurrency += (this.inFlight + this.waiting) * (this.now - this.#concurrencyAt);
    this.#concurrencyAt = this.now;
  }

  #refuse(arrival: number): void {
    this.rejected += 1;
    this.tally.refuse(arrival);
    this.counts[this.#sloBucket] = (this.counts[this.#sloBucket] as number) + 1;
  }

  #arrive(): void {
    const service = this.config.service.sample(this.#services);
    this.#accrue();
    this.arrivals += 1;
    this.tally.offered(this.now);
    if (this.config.balancing !== 'gateway') {
      this.#arriveDirect(service);
      return;
    }
    const pod = this.#idle.take();
    if (pod !== undefined) {
      pod.arrivals += 1;
      if (pod.busySlots < pod.slots) this.#start(pod, [this.now], [service]);
      else {
        pod.queue.push(this.now, service);
        this.#waitingInPods += 1;
      }
      return;
    }
    if (this.replicas === 0 && this.config.wakes === true) this.scaleTo(1);
    this.#expireOldest();
    if (!admits(this.queue.length, this.ready * this.config.slots, this.config)) {
      this.#refuse(this.now);
      return;
    }
    this.queue.push(this.now, service);
    this.mostWaiting = Math.max(this.mostWaiting, this.queue.length);
  }

  /** A pod may take another request: what waits, else it stands in line for the next. */
  #give(pod: SimulatedPod): void {
    if (pod.busySlots < pod.slots) {
      if (!this.#begin(pod, this.queue)) this.#idle.add(pod);
      return;
    }
    this.#expireOldest();
    if (this.queue.length === 0) {
      this.#idle.add(pod);
      return;
    }
    pod.arrivals += 1;
    pod.queue.push(this.queue.oldest, this.queue.oldestService);
    this.#waitingInPods += 1;
    this.queue.drop();
  }

  #arriveDirect(service: number): void {
    const pod = this.#balance.choose(this.#readyPods);
    if (pod === undefined) {
      this.#refuse(this.now);
      return;
    }
    pod.arrivals += 1;
    if (pod.busySlots < pod.slots) this.#start(pod, [this.now], [service]);
    else if (admits(pod.queue.length, pod.slots, this.config)) {
      pod.queue.push(this.now, service);
      this.#waitingInPods += 1;
    } else {
      pod.rejected += 1;
      this.#refuse(this.now);
    }
  }

  #expireOldest(queue: RequestQueue = this.queue): void {
    while (this.now - queue.oldest > this.#timeout) {
      this.rejected += 1;
      this.tally.expire(queue.oldest);
      this.counts[this.#sloBucket] = (this.counts[this.#sloBucket] as number) + 1;
      this.#drop(queue);
    }
  }

  #drop(queue: RequestQueue): void {
    queue.drop();
    if (queue !== this.queue) this.#waitingInPods -= 1;
  }

  /** Takes what waits, up to a batch, into a slot of a pod; false when nothing waits. */
  #begin(pod: SimulatedPod, queue: RequestQueue): boolean {
    this.#expireOldest(queue);
    const most = this.config.batch?.maxSize ?? 1;
    if (queue.length === 0) return false;
    const arrivals: number[] = [];
    const services: number[] = [];
    while (queue.length > 0 && arrivals.length < most) {
      arrivals.push(queue.oldest);
      services.push(queue.oldestService);
      this.#drop(queue);
    }
    if (queue === this.queue) pod.arrivals += arrivals.length;
    this.#start(pod, arrivals, services);
    return true;
  }

  #start(pod: SimulatedPod, arrivals: number[], services: number[]): void {
    const { batch } = this.config;
    const first = services[0] as number;
    const took =
      pod.slowness(this.config.firstRequests) *
      (batch === undefined ? first : first * (1 - batch.share + batch.share * services.length));
    pod.accrue(this.now);
    pod.busySlots += 1;
    pod.inFlight += arrivals.length;
    this.inFlight += arrivals.length;
    const job = { pod, arrivals, services, began: this.now };
    const free = this.#freeJobs.pop();
    const index = free ?? this.#jobs.length;
    this.#jobs[index] = job;
    this.#busySlots += 1;
    this.#events.push(this.#after(took), index);
    this.#ask();
  }

  #complete(index: number): void {
    const { pod, arrivals, began } = this.#jobs[index] as {
      pod: SimulatedPod;
      arrivals: number[];
      began: number;
    };
    this.#freeJobs.push(index);
    this.#accrue();
    pod.accrue(this.now);
    pod.busySlots -= 1;
    this.#busySlots -= 1;
    pod.inFlight -= arrivals.length;
    this.inFlight -= arrivals.length;
    const took = this.now - began;
    for (const arrival of arrivals) {
      const latency = this.now - arrival;
      // Real pods share a batch's time out between its requests; the gateway sees the whole of it.
      pod.served(took / arrivals.length);
      this.completions += 1;
      this.serviceSum += took;
      this.serviceSquares += took * took;
      this.tally.answered(arrival, latency);
      const bucket = bucketOf(this.boundsMs, latency * 1_000);
      this.counts[bucket] = (this.counts[bucket] as number) + 1;
      pod.counts[bucket] = (pod.counts[bucket] as number) + 1;
    }
    this.#ask();
    if (pod.state === 'draining') {
      if (pod.queue.length > 0) this.#begin(pod, pod.queue);
      else if (pod.inFlight === 0) pod.goneAt = this.now + this.config.drainSeconds;
    } else {
      if (pod.queue.length > 0) this.#begin(pod, pod.queue);
      if (this.config.balancing === 'gateway') this.#give(pod);
    }
  }
}
