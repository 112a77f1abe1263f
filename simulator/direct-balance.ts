/** Which pod a request is sent to where none waits in a gateway. */
import type { Chance } from './chance.ts';
import type { Balancing } from './deployment-config.ts';
import type { SimulatedPod } from './pod.ts';

export class DirectBalance {
  readonly #balancing: Balancing;
  readonly #chance: Chance;
  #turn = 0;

  constructor(balancing: Balancing, chance: Chance) {
    this.#balancing = balancing;
    this.#chance = chance;
  }

  /** One of the ready pods; undefined when there is none. */
  choose(pods: readonly SimulatedPod[]): SimulatedPod | undefined {
    if (pods.length === 0) return undefined;
    if (this.#balancing === 'round-robin') {
      this.#turn = (this.#turn + 1) % pods.length;
      return pods[this.#turn];
    }
    const random = () => pods[Math.floor(this.#chance.next() * pods.length)] as SimulatedPod;
    const pod = random();
    if (this.#balancing !== 'p2c') return pod;
    const other = random();
    return other.inFlight + other.queue.length < pod.inFlight + pod.queue.length ? other : pod;
  }
}
