/**
 * HorizontalPodAutoscaler v2 after kubernetes/kubernetes pkg/controller/podautoscaler: the replica calculator's rules for
 * pods that are not ready or have no sample, then stabilisation and rate policies of `behavior` with its defaults.
 */
import { chance } from '../chance.ts';
import type { Deployment } from '../deployment.ts';
import type { Limits, Policy } from './policy.ts';
import { meanOf, within } from './policy.ts';

/** `--horizontal-pod-autoscaler-*`: sync period, tolerance, CPU initialization period, seconds. */
const syncSeconds = 15;
const tolerance = 0.1;
const cpuInitialization = 300;
/** metrics-server: usage over a window of 15 s. */
const metricsWindow = 15;

/**
 * How old a sample is when it is looked at, whole seconds from 1 to 15: both sides have a period of 15 s, so the distance between
 * them is drawn once and stays. (On a real cluster 1.8 to 3.1 s in one run, 7.7 to 7.9 s in another: simulator/policies/recorded/hpa-cluster.jsonl.)
 */
export const lagOf = (seed: number): number => 1 + Math.floor(15 * chance(seed, 6).next());

/** One pod as the replica calculator groups it. */
export interface PodMetric {
  /** None of its containers runs yet. */
  readonly pending?: boolean;
  readonly ready: boolean;
  /** It was ready once and is so no more. */
  readonly wasReady?: boolean;
  /** Seconds since its start. */
  readonly age: number;
  /** Usage over request; undefined without a sample. */
  readonly value: number | undefined;
  /** The sample's window began before the pod was ready. */
  readonly sampleBeforeReady: boolean;
}

/** A ratio within the tolerance changes nothing. Compared as the controller does: 1.1 is inside, though 1.1 - 1 > 0.1. */
const tolerated = (ratio: number) => 1 - tolerance <= ratio && ratio <= 1 + tolerance;

/** Usage over target. CPU is a whole percentage, cut off, before it is compared; a sum of decimals may be a hair too small. */
const ratioOf = (mean: number, target: number, cpu: boolean) =>
  cpu ? Math.floor(100 * mean + 1e-6) / Math.round(100 * target) : mean / target;

/** What a pod without a sample is taken to use on the way down, over its request: whole milli-cores, cut off. */
const assumedUsage = (target: number, requestMilli: number) =>
  Math.floor((requestMilli * Math.max(100, Math.round(100 * target))) / 100) / requestMilli;

/**
 * GetResourceReplicas (and GetMetricReplicas with `cpu` false): proposed replicas for a mean `target` per pod; undefined
 * where no sample counts, which ends the look. Pods that do not run yet, and for CPU those that are not ready in their
 * initialization or never were, are ignored: 0 on the way up. Pods without a sample: 0 on the way up, the target (of its
 * request: 1 for CPU) on the way down. A second look that turns the direction keeps the count.
 * `requestMilli`: what each pod requests of a CPU, milli-cores.
 */
export function replicasByPods(
  pods: readonly PodMetric[],
  target: number,
  replicas: number,
  cpu: boolean,
  requestMilli = 1_000,
): number | undefined {
  let sum = 0;
  let counted = 0;
  let missing = 0;
  let ignored = 0;
  for (const pod of pods) {
    const starts = pod.age < cpuInitialization;
    const never = !pod.ready && pod.wasReady !== true;
    if (pod.pending === true) ignored += 1;
    else if (pod.value === undefined) missing += 1;
    else if (cpu && (starts ? !pod.ready || pod.sampleBeforeReady : never)) ignored += 1;
    else {
      sum += pod.value;
      counted += 1;
    }
  }
  if (counted === 0) return undefined;
  const ratio = ratioOf(sum / counted, target, cpu);
  const up = ratio > 1;
  if (missing === 0 && !(up && ignored > 0)) {
    if (tolerated(ratio)) return replicas;
    return Math.ceil(ratio * counted);
  }
  let filled = sum;
  let count = counted;
  if (missing > 0 && ratio !== 1) {
    count += missing;
    if (ratio < 1) filled += missing * (cpu ? assumedUsage(target, requestMilli) : target);
  }
  if (up) count += ignored;
  const again = ratioOf(filled / count, target, cpu);
  if (tolerated(again) || (ratio < 1 && again > 1) || (ratio > 1 && again < 1)) return replicas;
  const proposed = Math.ceil(again * count);
  if ((again < 1 && proposed > replicas) || (again > 1 && proposed < replicas)) return replicas;
  return proposed;
}

/** External metric with an AverageValue: ⌈total / target⌉ unless that is within the tolerance of what runs. */
export function replicasByTotal(total: number, target: number, replicas: number): number {
  if (replicas > 0 && tolerated(total / (target * replicas))) return replicas;
  return Math.ceil(total / target);
}

interface Change {
  readonly at: number;
  readonly change: number;
}

/**
 * `behavior` with its defaults: up at once by 100 % or 4 pods in 15 s, whichever is more; down after 300 s, 100 % in 15 s.
 * An autoscaler that was made without any `behavior` follows `older` rules: to twice the count or 4 at one look, and also up
 * to the largest recommendation of 300 s.
 */
export class Behavior {
  readonly downWindow: number;
  readonly upWindow: number;
  readonly #older: boolean;
  #recommendations: { readonly at: number; readonly replicas: number }[] = [];
  #changes: Change[] = [];
  #found = false;

  constructor(downWindow = 300, upWindow = 0, older = false) {
    this.downWindow = downWindow;
    this.upWindow = upWindow;
    this.#older = older;
  }

  /** The count that the first look finds is the first recommendation, whatever that look comes to. */
  finds(now: number, current: number): void {
    if (!this.#found) this.#recommendations.push({ at: now, replicas: current });
    this.#found = true;
  }

  /** What is asked for when `desired` was computed at `now` with `current` replicas. */
  shape(now: number, current: number, desired: number, limits: Limits): number {
    this.finds(now, current);
    const longest = Math.max(this.downWindow, this.upWindow);
    this.#recommendations = this.#recommendations.filter(({ at }) => at >= now - longest);
    let up = desired;
    let down = desired;
    for (const { at, replicas } of this.#recommendations) {
      if (at > now - this.upWindow) up = Math.min(up, replicas);
      if (at > now - this.downWindow || (this.#older && at === now - this.downWindow))
        down = Math.max(down, replicas);
    }
    this.#recommendations.push({ at: now, replicas: desired });
    // The older rules go up to what was recommended lately and not yet granted.
    let stable = this.#older ? down : current;
    if (stable < up) stable = up;
    if (stable > down) stable = down;
    const replicas = within(this.#limitRate(now, current, within(stable, limits)), limits);
    if (replicas !== current) this.#changes.push({ at: now, change: replicas - current });
    return replicas;
  }

  #limitRate(now: number, current: number, wanted: number): number {
    if (this.#older) return Math.min(wanted, Math.max(4, 2 * current));
    const period = 15;
    this.#changes = this.#changes.filter(({ at }) => at > now - period);
    let added = 0;
    let deleted = 0;
    for (const { change } of this.#changes) {
      if (change > 0) added += change;
      else deleted -= change;
    }
    if (wanted > current) {
      const start = current - added + deleted;
      return Math.min(wanted, Math.max(start + 4, Math.ceil(start * 2), current));
    }
    // 100 % in 15 s downwards: no limit but the window.
    return wanted;
  }
}

/** The pods of a deployment as metrics-server shows them: CPU used over CPU requested (one core for each slot). */
function cpuMetrics(deployment: Deployment): PodMetric[] {
  const { now, pods, config } = deployment;
  const end = now - lagOf(config.seed);
  const cores = config.coresPerBusySlot ?? 1;
  return pods
    .filter(({ state }) => state !== 'draining')
    .map((pod) => {
      const started = pod.state === 'pending' ? now : pod.createdAt;
      const sampled = started + metricsWindow <= end;
      return {
        // Most of a start is before its containers run: room, image, model.
        pending: pod.state !== 'ready' && !sampled,
        ready: pod.state === 'ready',
        age: now - started,
        value: sampled
          ? (cores * pod.busyBetween(end - metricsWindow, end)) / (metricsWindow * pod.slots)
          : undefined,
        sampleBeforeReady: end < pod.readyAt + metricsWindow,
      };
    });
}

/** HPA on CPU utilisation (0 to 1). */
export class HpaCpu implements Policy {
  readonly name: string;
  readonly #target: number;
  readonly #limits: Limits;
  readonly #behavior = new Behavior();

  constructor(target: number, limits: Limits) {
    this.name = `hpa-cpu${Math.round(100 * target)}`;
    this.#target = target;
    this.#limits = limits;
  }

  tick(deployment: Deployment): number | undefined {
    if (Math.round(deployment.now) % syncSeconds !== 0) return undefined;
    const { replicas, now } = deployment;
    this.#behavior.finds(now, replicas);
    const proposed = replicasByPods(cpuMetrics(deployment), this.#target, replicas, true);
    if (proposed === undefined) return undefined;
    return this.#behavior.shape(now, replicas, proposed, this.#limits);
  }
}

/**
 * HPA on requests per second for each pod (an AverageValue): the offered rate of the last minute, as a Prometheus
 * `rate(…[1m])` that was scraped 1 to 15 s ago gives it. Offered, not served: kinder to it than what pods count.
 */
export class HpaRps implements Policy {
  readonly name: string;
  readonly #perPod: number;
  readonly #limits: Limits;
  readonly #behavior = new Behavior();

  constructor(share: number, perPod: number, limits: Limits, name = `hpa-rps${Math.round(100 * share)}`) {
    this.name = name;
    this.#perPod = share * perPod;
    this.#limits = limits;
  }

  tick(deployment: Deployment): number | undefined {
    if (Math.round(deployment.now) % syncSeconds !== 0) return undefined;
    const { replicas, now } = deployment;
    const end = now - lagOf(deployment.config.seed);
    const rate = meanOf(deployment, 'arrivals', end - 60, end);
    const proposed = rate === undefined ? replicas : replicasByTotal(rate, this.#perPod, replicas);
    return this.#behavior.shape(now, replicas, proposed, this.#limits);
  }
}
