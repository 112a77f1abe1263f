/** Keeps connections that bring nothing, or take what they never read, from hurting those that do neither. */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { stopParsing } from '../../crowd/node-parser.ts';

/** Connections at one time. A client that is honest needs a few, the file descriptors of a container are 1,048,576 or 65,536. */
export const maxConnections = 4_096;
/** Beyond the limit of our own, which makes room, lies Node's, which refuses. */
const margin = 256;
/** Requests that one connection may send before the first of them is answered. Pipelining by honest clients stays far below. */
const mostPipelined = 16;
const lookEveryMs = 250;

export interface ConnectionLimits {
  readonly connections: number;
  /** How long a client may take no byte of an answer. */
  readonly unreadAnswerMs: number;
  /** Bytes of answers that all clients together may leave unread before those that read nothing lose theirs. */
  readonly unsentBytes: number;
}

/** What was asked last: whether its answer has left. */
export interface Answering {
  readonly writableFinished: boolean;
}

interface Asked {
  last: Answering;
  outstanding: number;
  /** Answers behind one that is not written yet: Node does not tell them when the connection ends. */
  readonly behind: Set<ServerResponse>;
  /** What had left for the client when it was last looked at. */
  sent: number;
}

export class ConnectionGuard {
  readonly #closeIdle: () => void;
  readonly #limits: ConnectionLimits;
  readonly #sockets = new Set<Socket>();
  /** Connections that have not asked anything yet, the oldest first: slow headers, or none at all. */
  readonly #silent = new Set<Socket>();
  readonly #asked = new WeakMap<Socket, Asked>();
  #unsentBytes = 0;

  constructor(server: Server, limits: ConnectionLimits, closeIdle = () => server.closeIdleConnections()) {
    this.#closeIdle = closeIdle;
    this.#limits = limits;
    server.maxConnections = limits.connections + margin;
    server.on('connection', (socket: Socket) => this.#opened(socket));
    // The timeout of a socket counts progress of writes too. A run may take as long as the deployment allows; an answer
    // that nobody reads may not, nor a connection without a question (keepAliveTimeout ends here too).
    server.setTimeout(limits.unreadAnswerMs, (socket) => {
      const isAnswered = this.#asked.get(socket)?.last.writableFinished ?? true;
      if (isAnswered || socket.writableLength > 0) socket.destroy();
      else socket.setTimeout(limits.unreadAnswerMs);
    });
    const timer = setInterval(() => this.#look(), lookEveryMs).unref();
    server.once('close', () => clearInterval(timer));
  }

  /** Bytes of answers that clients have not taken, as of the last look. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** A whole request header came: the connection is worth its place. False: it asks too much at once and was closed. */
  isTaken(socket: Socket, answer: ServerResponse): boolean {
    const asked = this.#asked.get(socket);
    if (asked === undefined) {
      this.asks(socket, answer);
      return true;
    }
    if (asked.last.writableFinished) asked.outstanding = 1;
    else {
      // What was parsed from one packet goes on coming after the end.
      if (socket.destroyed) return false;
      asked.outstanding += 1;
      if (asked.outstanding > mostPipelined) {
        stopParsing(socket);
        socket.destroy();
        return false;
      }
      asked.behind.add(answer);
      answer.once('close', () => {
        asked.outstanding -= 1;
        asked.behind.delete(answer);
      });
    }
    asked.last = answer;
    return true;
  }

  /** The first request came, on a connection that says itself whether it is answered. */
  asks(socket: Socket, last: Answering): void {
    this.#silent.delete(socket);
    this.#asked.set(socket, { last, outstanding: 1, behind: new Set(), sent: 0 });
  }

  #opened(socket: Socket) {
    this.#sockets.add(socket);
    this.#silent.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#silent.delete(socket);
      for (const answer of this.#asked.get(socket)?.behind ?? []) answer.emit('close');
    });
    if (this.#sockets.size <= this.#limits.connections) return;
    const [oldest] = this.#silent;
    if (oldest !== undefined && oldest !== socket) oldest.destroy();
    else this.#closeIdle();
  }

  /** Adds up what is unread; beyond the limit those that took nothing since the last look lose it, the largest first. */
  #look() {
    let unsent = 0;
    const stalled: Socket[] = [];
    for (const socket of this.#sockets) {
      if (socket.writableLength === 0) continue;
      unsent += socket.writableLength;
      const asked = this.#asked.get(socket);
      if (asked === undefined) continue;
      const sent = socket.bytesWritten - socket.writableLength;
      if (sent === asked.sent) stalled.push(socket);
      asked.sent = sent;
    }
    stalled.sort((a, b) => b.writableLength - a.writableLength);
    for (const socket of stalled) {
      if (unsent <= this.#limits.unsentBytes) break;
      unsent -= socket.writableLength;
      socket.destroy();
    }
    this.#unsentBytes = unsent;
  }
}
