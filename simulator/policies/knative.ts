/** Knative's KPA on concurrency, after knative/serving pkg/autoscaler/scaling: windows of 60 and 6 s, panic mode, rates up and down. */
import type { Deployment } from '../deployment.ts';
import type { Limits, Policy } from './policy.ts';
import { meanOf, within } from './policy.ts';

const tickSeconds = 2;
const stableWindow = 60;
const panicWindow = 6;
const panicThreshold = 2;
const maxUpRate = 1_000;
const maxDownRate = 2;

/** The autoscaler's own arithmetic, with its memory of panic. */
export class KpaScaler {
  readonly #target: number;
  #panicAt: number | undefined;
  #maxPanicPods = 0;

  /** `target`: concurrency that each pod is to have. A scaler that starts with more than one pod starts in panic. */
  constructor(target: number, readyAtStart: number) {
    this.#target = Math.max(0.01, target);
    if (readyAtStart > 1) {
      this.#panicAt = 0;
      this.#maxPanicPods = readyAtStart;
    }
  }

  get panics(): boolean {
    return this.#panicAt !== undefined;
  }

  /** Pods to ask for at `now` seconds by mean concurrency of the stable and the panic window. */
  scale(now: number, ready: number, stable: number, panic: number): number {
    const pods = Math.max(1, ready);
    const most = Math.ceil(maxUpRate * pods);
    const least = Math.floor(pods / maxDownRate);
    const bound = (count: number) => Math.min(most, Math.max(least, count));
    const wantedStable = Math.ceil(stable / this.#target);
    const wantedPanic = Math.ceil(panic / this.#target);
    const desiredStable = bound(wantedStable);
    const desiredPanic = bound(wantedPanic);
    const over = wantedPanic / pods >= panicThreshold;
    if (this.#panicAt === undefined && over) this.#panicAt = now;
    else if (over) this.#panicAt = now;
    else if (this.#panicAt !== undefined && now - this.#panicAt > stableWindow) {
      this.#panicAt = undefined;
      this.#maxPanicPods = 0;
    }
    if (this.#panicAt === undefined) return desiredStable;
    this.#maxPanicPods = Math.max(this.#maxPanicPods, desiredPanic);
    return this.#maxPanicPods;
  }
}

export class Knative implements Policy {
  readonly name: string;
  readonly #limits: Limits;
  readonly #target: number;
  #scaler: KpaScaler | undefined;

  /** `utilisation` of a container concurrency of `slots`. */
  constructor(utilisation: number, slots: number, limits: Limits) {
    this.name = `kpa${Math.round(100 * utilisation)}`;
    this.#limits = limits;
    this.#target = utilisation * slots;
  }

  tick(deployment: Deployment): number | undefined {
    const { now, ready } = deployment;
    if (Math.round(now) % tickSeconds !== 0) return undefined;
    this.#scaler ??= new KpaScaler(this.#target, ready);
    const stable = meanOf(deployment, 'concurrency', now - stableWindow, now);
    const panic = meanOf(deployment, 'concurrency', now - panicWindow, now);
    if (stable === undefined || panic === undefined) return undefined;
    return within(this.#scaler.scale(now, ready, stable, panic), this.#limits);
  }
}
