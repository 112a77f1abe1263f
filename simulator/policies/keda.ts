/** KEDA: a generated HPA between 1 and the maximum; its own loop takes the count to 0 and back (polling 30 s, cooldown 300 s). */
import type { Deployment } from '../deployment.ts';
import { HpaRps } from './hpa.ts';
import type { Limits, Policy } from './policy.ts';
import { meanOf } from './policy.ts';

export const pollingSeconds = 30;
export const cooldownSeconds = 300;

export class Keda implements Policy {
  readonly name: string;
  readonly #hpa: HpaRps;
  readonly #limits: Limits;
  #lastActive = 0;

  constructor(share: number, perPod: number, limits: Limits) {
    this.name = `keda${Math.round(100 * share)}`;
    this.#limits = limits;
    this.#hpa = new HpaRps(share, perPod, { ...limits, minReplicas: Math.max(1, limits.minReplicas) });
  }

  tick(deployment: Deployment): number | undefined {
    const { now, replicas } = deployment;
    const polls = Math.round(now) % pollingSeconds === 0;
    const active = (meanOf(deployment, 'arrivals', now - 60, now) ?? 0) > 0;
    if (polls && active) this.#lastActive = now;
    if (replicas === 0) return polls && active ? Math.max(1, this.#limits.minReplicas) : undefined;
    if (polls && !active && this.#limits.minReplicas === 0 && now - this.#lastActive > cooldownSeconds)
      return 0;
    return this.#hpa.tick(deployment);
  }
}
