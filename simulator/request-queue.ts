/** Requests that wait, first come first served: when each arrived and how long its service will take, in a ring that grows. */
export class RequestQueue {
  #arrivals = new Float64Array(64);
  #services = new Float64Array(64);
  #head = 0;
  length = 0;

  push(arrival: number, service: number): void {
    if (this.length === this.#arrivals.length) this.#grow();
    const at = (this.#head + this.length) & (this.#arrivals.length - 1);
    this.#arrivals[at] = arrival;
    this.#services[at] = service;
    this.length += 1;
  }

  /** Arrival of the one that has waited longest, seconds; Infinity when nothing waits. */
  get oldest(): number {
    return this.length === 0 ? Number.POSITIVE_INFINITY : (this.#arrivals[this.#head] as number);
  }

  get oldestService(): number {
    return this.#services[this.#head] as number;
  }

  drop(): void {
    this.#head = (this.#head + 1) & (this.#arrivals.length - 1);
    this.length -= 1;
  }

  #grow(): void {
    const size = this.#arrivals.length;
    const arrivals = new Float64Array(size * 2);
    const services = new Float64Array(size * 2);
    for (let index = 0; index < this.length; index += 1) {
      const from = (this.#head + index) & (size - 1);
      arrivals[index] = this.#arrivals[from] as number;
      services[index] = this.#services[from] as number;
    }
    this.#arrivals = arrivals;
    this.#services = services;
    this.#head = 0;
  }
}
