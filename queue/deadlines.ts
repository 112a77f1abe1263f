/** Deadlines of all calls on one timer: a timer of its own per call would cost more than the rest of its bookkeeping. Pod and gateway use it. */

export interface Expiring {
  /** Monotonic milliseconds; must not change while it is on the wheel. */
  readonly expiresMs: number;
  /** Where it is: the wheel's own note. */
  spoke: Spoke | undefined;
  /** Called once, after it was taken off the wheel. */
  expire(): void;
}

/**
 * An entry between its neighbours. Links and not a Set: the tables that a Set outgrows hold what was in them, and one that
 * the garbage collector has called old keeps every request that came after it until the next full collection (measured: a
 * tenth of all requests, a fifth of the CPU).
 */
export interface Spoke {
  entry: Expiring | undefined;
  previous: Spoke;
  next: Spoke;
}

const slotMs = 4;
const slots = 512;
/** What `setTimeout` can wait; it takes more for 1 ms. */
const longestTimerMs = 2 ** 31 - 1;

/** The fixed end of a ring of entries. */
const emptyRing = (): Spoke => {
  const ring = { entry: undefined } as unknown as Spoke;
  ring.previous = ring;
  ring.next = ring;
  return ring;
};

/**
 * A wheel of slots; what lies further ahead than one turn is passed over until its turn. The timer sleeps until the first
 * deadline: on one core each time that the main thread wakes for nothing takes the core from the model (with a tick of 4 ms
 * four times per batch of 16 ms).
 */
export class Deadlines {
  readonly #slots: readonly Spoke[] = Array.from({ length: slots }, emptyRing);
  readonly #nowMs: () => number;
  /** Everything up to the end of the slot before this one has expired. */
  #slot: number;
  #size = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer looks. */
  #lookAtMs = Number.POSITIVE_INFINITY;

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
    const ring = this.#slots[Math.max(Math.floor(entry.expiresMs / slotMs), this.#slot) % slots];
    if (ring === undefined) return;
    const spoke: Spoke = { entry, previous: ring.previous, next: ring };
    ring.previous.next = spoke;
    ring.previous = spoke;
    entry.spoke = spoke;
    this.#size += 1;
    if (entry.expiresMs < this.#lookAtMs) this.#arm(entry.expiresMs);
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
      const ring = this.#slots[at % slots];
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

  /** The first deadline on the wheel; infinite when it is empty. */
  #firstMs(): number {
    let firstMs = Number.POSITIVE_INFINITY;
    for (let at = this.#slot; at < this.#slot + slots && this.#size > 0; at += 1) {
      const ring = this.#slots[at % slots];
      if (ring === undefined) continue;
      for (let spoke = ring.next; spoke !== ring; spoke = spoke.next)
        firstMs = Math.min(firstMs, spoke.entry?.expiresMs ?? Number.POSITIVE_INFINITY);
      // What the slots behind hold of this turn is later.
      if (firstMs < (at + 1) * slotMs) break;
    }
    return firstMs;
  }

  #arm(atMs: number) {
    clearTimeout(this.#timer);
    this.#lookAtMs = atMs;
    // Never more often than a slot is long: several deadlines in it are one look.
    const inMs = Math.min(longestTimerMs, Math.max(slotMs, Math.ceil(atMs - this.#nowMs())));
    this.#timer = setTimeout(() => {
      this.#lookAtMs = Number.POSITIVE_INFINITY;
      this.advance();
      const firstMs = this.#firstMs();
      if (firstMs < this.#lookAtMs) this.#arm(firstMs);
    }, inMs).unref();
  }
}
