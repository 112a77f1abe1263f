/** What happens next: a binary heap of times with a whole number each, in typed arrays. */
export class EventHeap {
  #times = new Float64Array(1_024);
  #codes = new Int32Array(1_024);
  #size = 0;

  /** Time of the next event, seconds; Infinity when there is none. */
  get nextTime(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] as number);
  }

  push(time: number, code: number): void {
    if (this.#size === this.#times.length) this.#grow();
    const times = this.#times;
    const codes = this.#codes;
    let at = this.#size;
    this.#size += 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = times[parent] as number;
      if (above <= time) break;
      times[at] = above;
      codes[at] = codes[parent] as number;
      at = parent;
    }
    times[at] = time;
    codes[at] = code;
  }

  /** Takes the next event out and returns its code. */
  pop(): number {
    const times = this.#times;
    const codes = this.#codes;
    const code = codes[0] as number;
    this.#size -= 1;
    const size = this.#size;
    const time = times[size] as number;
    const last = codes[size] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && (times[child + 1] as number) < (times[child] as number)) child += 1;
      if ((times[child] as number) >= time) break;
      times[at] = times[child] as number;
      codes[at] = codes[child] as number;
      at = child;
    }
    times[at] = time;
    codes[at] = last;
    return code;
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    const codes = new Int32Array(this.#codes.length * 2);
    times.set(this.#times);
    codes.set(this.#codes);
    this.#times = times;
    this.#codes = codes;
  }
}
