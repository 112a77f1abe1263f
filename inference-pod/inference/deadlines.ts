/** Deadlines of all calls on one timer: a timer of its own per call would cost more than the rest of its bookkeeping. */

export interface Expiring {
  /** Monotonic milliseconds; must not change while it is on the wheel. */
  readonly deadlineMs: number;
  /** Called once, after it was taken off the wheel. */
  expire(): void;
}

const slotMs = 4;
const slots = 512;

/** A wheel of slots; what lies further ahead than one turn is passed over until its turn. */
export class Deadlines {
  readonly #slots: (Set<Expiring> | undefined)[] = new Array<Set<Expiring> | undefined>(slots).fill(
    undefined,
  );
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
    const index = Math.max(Math.floor(entry.deadlineMs / slotMs), this.#slot) % slots;
    let slot = this.#slots[index];
    if (slot === undefined) {
      slot = new Set();
      this.#slots[index] = slot;
    }
    slot.add(entry);
    this.#size += 1;
    if (this.#timer === undefined) this.#arm();
  }

  remove(entry: Expiring): void {
    if (
      this.#slots[Math.floor(entry.deadlineMs / slotMs) % slots]?.delete(entry) ||
      this.#slots[this.#slot % slots]?.delete(entry)
    )
      this.#size -= 1;
  }

  /** Expires what is due. Called by the timer; a test calls it with a clock of its own. */
  advance(): void {
    const nowMs = this.#nowMs();
    const until = Math.floor(nowMs / slotMs);
    // After a stall of more than a turn every slot is looked at once.
    const from = Math.max(this.#slot, until - slots + 1);
    for (let at = from; at <= until && this.#size > 0; at += 1) {
      const slot = this.#slots[at % slots];
      if (slot === undefined) continue;
      for (const entry of slot) {
        if (entry.deadlineMs > nowMs) continue;
        slot.delete(entry);
        this.#size -= 1;
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
