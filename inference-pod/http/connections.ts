/** Keeps connections that bring nothing from taking the places of those that do. */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Connections at one time. A client that is honest needs a few, the file descriptors of a container are 1,048,576 or 65,536. */
export const maxConnections = 4_096;
/** Beyond the limit of our own, which makes room, lies Node's, which refuses. */
const margin = 256;

export class ConnectionGuard {
  readonly #server: Server;
  /** Connections that have not asked anything yet, the oldest first: slow headers, or none at all. */
  readonly #silent = new Set<Socket>();
  readonly #lastAnswer = new WeakMap<Socket, ServerResponse>();
  #open = 0;

  constructor(server: Server, unreadAnswerMs: number, limit = maxConnections) {
    this.#server = server;
    server.maxConnections = limit + margin;
    server.on('connection', (socket: Socket) => this.#opened(socket, limit));
    // The timeout of a socket counts progress of writes too. A run may take as long as the deployment allows; an answer
    // that nobody reads may not, nor a connection without a question (keepAliveTimeout ends here too).
    server.setTimeout(unreadAnswerMs, (socket) => {
      const isAnswered = this.#lastAnswer.get(socket)?.writableFinished ?? true;
      if (isAnswered || socket.writableLength > 0) socket.destroy();
      else socket.setTimeout(unreadAnswerMs);
    });
  }

  /** A whole request header came: the connection is worth its place. */
  asked(socket: Socket, answer: ServerResponse): void {
    this.#silent.delete(socket);
    this.#lastAnswer.set(socket, answer);
  }

  #opened(socket: Socket, limit: number) {
    this.#open += 1;
    this.#silent.add(socket);
    socket.once('close', () => {
      this.#open -= 1;
      this.#silent.delete(socket);
    });
    if (this.#open <= limit) return;
    const [oldest] = this.#silent;
    if (oldest !== undefined && oldest !== socket) oldest.destroy();
    else this.#server.closeIdleConnections();
  }
}
