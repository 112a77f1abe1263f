/**
 * HTTP/2 connections of one model are read in turn. Node takes up all RPCs of a read at once, 64 KB hold hundreds and each
 * costs 30 to 60 µs: eight connections that began 500 each in one turn of the event loop kept everybody waiting for 150 to
 * 300 ms.
 */
import type { Socket } from 'node:net';

/**
 * RPCs that begin in a turn of the event loop, from which on no connection of the model is read any more in it: twice the
 * tasks of a turn, so that honest crowds seldom come to it.
 */
const mostPerTurn = 64;

/**
 * What Node has no word for: a session takes the connection from its socket, whose `pause` does nothing any more.
 * reads.test.ts fails where a version of Node no longer listens.
 */
interface Handle {
  readStop(): unknown;
  readStart(): unknown;
  readonly writeQueueSize: number;
}
type Held = Socket & { _handle?: Handle | null };

export class Reads {
  readonly #turns: { run(task: () => void): void };
  /** Connections that are read; those that began the most RPCs come last. */
  readonly #reading = new Set<Held>();
  #begun = 0;
  #stopped: Held[] = [];

  constructor(turns: { run(task: () => void): void }) {
    this.#turns = turns;
  }

  /** Counts a connection in, until it closes. */
  add(socket: Socket): void {
    this.#reading.add(socket);
    socket.once('close', () => this.#reading.delete(socket));
  }

  /** An RPC has begun on a connection. */
  began(socket: Socket): void {
    if (this.#begun === 0) setImmediate(this.#next);
    this.#begun += 1;
    if (this.#begun < mostPerTurn) return;
    // Who was not read goes first in the next turn.
    if (this.#reading.delete(socket)) this.#reading.add(socket);
    this.#stop();
  }

  #stop(): void {
    for (const socket of this.#reading) {
      socket._handle?.readStop();
      this.#stopped.push(socket);
    }
    this.#reading.clear();
  }

  /** Those that were stopped wait behind what was asked already. */
  readonly #next = () => {
    this.#begun = 0;
    const stopped = this.#stopped;
    this.#stopped = [];
    for (const socket of stopped) this.#turns.run(() => this.#start(socket));
  };

  #start(socket: Held): void {
    if (socket.destroyed || !socket._handle) return;
    this.#reading.add(socket);
    // While a client does not take what is written to it, Node itself does not read on, and begins again by itself.
    if (socket._handle.writeQueueSize === 0) socket._handle.readStart();
  }
}
