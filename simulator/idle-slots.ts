/** Slots that wait for a request: the one that has been idle longest is taken first. */
import type { SimulatedPod } from './pod.ts';

export class IdleSlots {
  #pods: SimulatedPod[] = [];
  #head = 0;

  add(pod: SimulatedPod): void {
    this.#pods.push(pod);
  }

  /** The pod of the slot that has been idle longest, those that are ready no more left out. */
  take(): SimulatedPod | undefined {
    while (this.#head < this.#pods.length) {
      const pod = this.#pods[this.#head] as SimulatedPod;
      this.#head += 1;
      if (this.#head > 4_096) {
        this.#pods = this.#pods.slice(this.#head);
        this.#head = 0;
      }
      if (pod.state === 'ready') return pod;
    }
    return undefined;
  }
}
