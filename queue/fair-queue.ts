/** What waits for a pod's slot or its runner: connections take turns, each first in, first out. */

export interface Waiting {
  /** Requests with the same object take turns with others; those without one are one connection. */
  readonly connection: object | undefined;
  /** Monotonic milliseconds. */
  readonly enqueuedMs: number;
  /** Where it waits: the queue's own note. */
  place: Place | undefined;
}

/** A waiting request between its neighbours of the same connection. */
export interface Place {
  readonly queue: object;
}

interface Node<T> extends Place {
  readonly item: T;
  readonly lane: Lane<T>;
  previous: Node<T> | undefined;
  next: Node<T> | undefined;
}

/** Requests of one connection, as one sees them from outside. */
export interface Turn<T> {
  readonly first: { readonly item: T } | undefined;
  /** The connection whose turn is next. */
  readonly next: Turn<T> | undefined;
}

/** Between its neighbours while there are any. */
interface Lane<T> extends Turn<T> {
  first: Node<T> | undefined;
  last: Node<T> | undefined;
  previous: Lane<T> | undefined;
  next: Lane<T> | undefined;
}

const noConnection = {};

const emptyLane = <T>(): Lane<T> => ({
  first: undefined,
  last: undefined,
  previous: undefined,
  next: undefined,
});

/**
 * Links, and lanes kept as long as their connection, and not a Map that is filled and emptied per request: its outgrown tables
 * would keep old requests alive (see deadlines.ts).
 */
export class FairQueue<T extends Waiting> {
  readonly #lanes = new WeakMap<object, Lane<T>>();
  #firstLane: Lane<T> | undefined;
  #lastLane: Lane<T> | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The request whose turn it is. */
  get first(): T | undefined {
    return this.#firstLane?.first?.item;
  }

  /** The connection whose turn it is. */
  get turn(): Turn<T> | undefined {
    return this.#firstLane;
  }

  /** When the oldest request was put in; undefined when none waits. */
  get oldestMs(): number | undefined {
    let oldest: number | undefined;
    for (let lane = this.#firstLane; lane !== undefined; lane = lane.next) {
      const at = lane.first?.item.enqueuedMs;
      if (at !== undefined && (oldest === undefined || at < oldest)) oldest = at;
    }
    return oldest;
  }

  add(item: T): void {
    const lane = this.#laneOf(item.connection);
    if (lane.first === undefined) this.#appendLane(lane);
    const node: Node<T> = { queue: this, item, lane, previous: lane.last, next: undefined };
    if (lane.last === undefined) lane.first = node;
    else lane.last.next = node;
    lane.last = node;
    item.place = node;
    this.#length += 1;
  }

  /** Puts a request back whose turn it was already: it is the next of its connection, and its connection the next of all. */
  addFirst(item: T): void {
    const lane = this.#laneOf(item.connection);
    if (lane.first !== undefined) this.#unlinkLane(lane);
    const node: Node<T> = { queue: this, item, lane, previous: undefined, next: lane.first };
    if (lane.first === undefined) lane.last = node;
    else lane.first.previous = node;
    lane.first = node;
    lane.next = this.#firstLane;
    if (this.#firstLane === undefined) this.#lastLane = lane;
    else this.#firstLane.previous = lane;
    this.#firstLane = lane;
    item.place = node;
    this.#length += 1;
  }

  /** Takes a request out, wherever it waits; false when it does not wait here. */
  remove(item: T): boolean {
    const node = item.place as Node<T> | undefined;
    if (node === undefined || node.queue !== this) return false;
    item.place = undefined;
    const { lane, previous, next } = node;
    if (previous === undefined) lane.first = next;
    else previous.next = next;
    if (next === undefined) lane.last = previous;
    else next.previous = previous;
    node.previous = undefined;
    node.next = undefined;
    if (lane.first === undefined) this.#unlinkLane(lane);
    this.#length -= 1;
    return true;
  }

  /** Takes the request whose turn it is; its connection goes to the end of the round. */
  take(): T | undefined {
    const lane = this.#firstLane;
    const item = lane?.first?.item;
    if (lane === undefined || item === undefined) return undefined;
    this.remove(item);
    this.endTurn(lane);
    return item;
  }

  /** A connection goes to the end of the round, if it has anything left. */
  endTurn(turn: Turn<T>): void {
    const lane = turn as Lane<T>;
    if (lane.first === undefined) return;
    this.#unlinkLane(lane);
    this.#appendLane(lane);
  }

  #laneOf(connection: object = noConnection): Lane<T> {
    let lane = this.#lanes.get(connection);
    if (lane === undefined) {
      lane = emptyLane();
      this.#lanes.set(connection, lane);
    }
    return lane;
  }

  #appendLane(lane: Lane<T>): void {
    lane.previous = this.#lastLane;
    lane.next = undefined;
    if (this.#lastLane === undefined) this.#firstLane = lane;
    else this.#lastLane.next = lane;
    this.#lastLane = lane;
  }

  #unlinkLane(lane: Lane<T>): void {
    if (lane.previous === undefined) this.#firstLane = lane.next;
    else lane.previous.next = lane.next;
    if (lane.next === undefined) this.#lastLane = lane.previous;
    else lane.next.previous = lane.previous;
    lane.previous = undefined;
    lane.next = undefined;
  }
}
