/** Deadlines of all requests on one timer: a timer of its own per request would cost more than the rest of its bookkeeping. */

export interface Expiring {
  /** Monotonic milliseconds; must not change while it is on the wheel. */
  readonly expiresMs: number;
  /** Where it is: the wheel's own note. */
  spoke: Spoke | undefined;
  /** Called once, after it was taken off the wheel. */
  expire(): void;
}

/** An entry between its neighbours. */
export interface Spoke {
  entry: Expiring | undefined;
  previous: Spoke;
  next: Spoke;
}

const slotMs = 4;
const slots = 512;

const emptyRing = (): Spoke => {
  const ring = { entry: undefined } as unknown as Spoke;
  ring.previous = ring;
  ring.next = ring;
  return ring;
};

/** A wheel of 512 slots of 4 ms; what lies further ahead than one turn is passed over until its turn. */
export class Deadlines {
  readonly #rings: readonly Spoke[] = Array.from({ length: slots }, emptyRing);
  readonly #nowMs: () => number;
  /** Everything up to the end of the slot before this one has expired. */
  #slot: number;
  #size = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#slot = Math.floor(nowMs() / slotMs);
  }

  get size(): number {
    return this.#size;
  }

  add(entry: Expiring): void {
    if (this.#size === 0) this.#slot = Math.floor(this.#nowMs() / slotMs);
    // What is due already goes into the slot that is looked at next.
    const ring = this.#rings[Math.max(Math.floor(entry.expiresMs / slotMs), this.#slot) % slots];
    if (ring === undefined) return;
    const spoke: Spoke = { entry, previous: ring.previous, next: ring };
    ring.previous.next = spoke;
    ring.previous = spoke;
    entry.spoke = spoke;
    this.#size += 1;
    if (this.#timer === undefined) this.#arm();
  }

  /** Takes an entry off; one that is not on the wheel is left alone. */
  remove(entry: Expiring): void {
    const { spoke } = entry;
    if (spoke === undefined) return;
    spoke.previous.next = spoke.next;
    spoke.next.previous = spoke.previous;
    spoke.previous = spoke;
    spoke.next = spoke;
    spoke.entry = undefined;
    entry.spoke = undefined;
    this.#size -= 1;
  }

  /** Expires what is due. Called by the timer; a test calls it with a clock of its own. */
  advance(): void {
    const nowMs = this.#nowMs();
    const until = Math.floor(nowMs / slotMs);
    // After a stall of more than a turn every slot is looked at once.
    const from = Math.max(this.#slot, until - slots + 1);
    for (let at = from; at <= until && this.#size > 0; at += 1) {
      const ring = this.#rings[at % slots];
      if (ring === undefined || ring.next === ring) continue;
      const due: Expiring[] = [];
      for (let spoke = ring.next; spoke !== ring; spoke = spoke.next)
        if (spoke.entry !== undefined && spoke.entry.expiresMs <= nowMs) due.push(spoke.entry);
      for (const entry of due) {
        // One that expires may take another off.
        if (entry.spoke === undefined) continue;
        this.remove(entry);
        entry.expire();
      }
    }
    this.#slot = until;
  }

  #arm() {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.advance();
      if (this.#size > 0) this.#arm();
    }, slotMs).unref();
  }
}
