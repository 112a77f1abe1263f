/** Ray Serve's request-based autoscaling, after python/ray/serve/autoscaling_policy.py: a look-back mean and delay counters. */
import type { Deployment } from '../deployment.ts';
import type { Limits, Policy } from './policy.ts';
import { meanOf, within } from './policy.ts';

export interface RaySettings {
  readonly targetOngoing: number;
  readonly lookBackSeconds: number;
  readonly metricsSeconds: number;
  readonly upscaleDelay: number;
  readonly downscaleDelay: number;
}

/** The defaults of `autoscaling_config`. */
export const rayDefaults: RaySettings = {
  targetOngoing: 2,
  lookBackSeconds: 30,
  metricsSeconds: 10,
  upscaleDelay: 30,
  downscaleDelay: 600,
};

/** The policy's own arithmetic: only what has been wanted without a break for the delay is done. */
export class RayScaler {
  readonly #settings: RaySettings;
  readonly #limits: Limits;
  #counter = 0;

  constructor(settings: RaySettings, limits: Limits) {
    this.#settings = settings;
    this.#limits = limits;
  }

  /** Called each second with the mean number of ongoing requests and the replicas that run now. */
  scale(ongoing: number, current: number): number {
    const { targetOngoing, upscaleDelay, downscaleDelay } = this.#settings;
    if (current === 0) return ongoing > 0 ? within(Math.ceil(ongoing / targetOngoing), this.#limits) : 0;
    const ratio = ongoing / current / targetOngoing;
    const desired = within(Math.ceil(current + (current * ratio - current)), this.#limits);
    if (desired > current) {
      this.#counter = Math.max(0, this.#counter) + 1;
      if (this.#counter <= upscaleDelay) return current;
    } else if (desired < current) {
      this.#counter = Math.min(0, this.#counter) - 1;
      if (-this.#counter <= downscaleDelay) return current;
    }
    this.#counter = 0;
    return desired;
  }
}

export class Ray implements Policy {
  readonly name: string;
  readonly #settings: RaySettings;
  readonly #scaler: RayScaler;
  #ongoing: number | undefined;

  constructor(settings: RaySettings, limits: Limits, name = 'ray') {
    this.name = name;
    this.#settings = settings;
    this.#scaler = new RayScaler(settings, limits);
  }

  tick(deployment: Deployment): number | undefined {
    const { now, replicas } = deployment;
    const { metricsSeconds, lookBackSeconds } = this.#settings;
    if (Math.round(now) % metricsSeconds === 0)
      this.#ongoing = meanOf(deployment, 'concurrency', now - lookBackSeconds, now);
    return this.#ongoing === undefined ? undefined : this.#scaler.scale(this.#ongoing, replicas);
  }
}
