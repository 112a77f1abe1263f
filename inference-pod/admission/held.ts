/** Counts the requests that were let in and are not answered yet, and the bytes of their bodies. */
export class HeldRequests {
  requests = 0;
  bytes = 0;
  #onEmpty: (() => void) | undefined;

  /** Adds to both counts; leaving is the same with minus. */
  add(requests: number, bytes: number): void {
    this.requests += requests;
    this.bytes += bytes;
    if (this.requests === 0) this.#onEmpty?.();
  }

  /** True once nothing is held, false when that takes longer than the limit. */
  whenEmpty(limitMs: number): Promise<boolean> {
    if (this.requests === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), limitMs);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}
