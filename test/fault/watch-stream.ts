/** One watch on its way through the proxy, and the ways in which it can break. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../kube/clock.ts';

export class WatchStream {
  readonly resource: string;
  readonly #source: IncomingMessage;
  readonly #client: ServerResponse;
  #silent = false;
  #lastDueMs = 0;
  #cutNext: ((text: string) => string) | undefined;

  /** `onData` is called for each chunk and tells how much later it shall arrive, milliseconds. */
  constructor(
    resource: string,
    source: IncomingMessage,
    client: ServerResponse,
    clock: Clock,
    onData: () => number,
  ) {
    this.resource = resource;
    this.#source = source;
    this.#client = client;
    client.writeHead(200, { 'content-type': 'application/json' });
    client.flushHeaders();
    source.setEncoding('utf8');
    source.on('data', (text: string) => {
      const nowMs = clock.monotonicMs();
      // TCP keeps the order: nothing overtakes what was sent before.
      this.#lastDueMs = Math.max(this.#lastDueMs, nowMs + onData());
      if (this.#lastDueMs <= nowMs) this.#pass(text);
      else clock.setTimer(this.#lastDueMs - nowMs, () => this.#pass(text));
    });
    source.on('end', () => {
      if (!this.#silent) client.end();
    });
    source.on('error', () => {
      if (!this.#silent) client.destroy();
    });
  }

  /** The server says goodbye: a complete, orderly end. */
  fin(): void {
    this.#client.end();
    this.#source.destroy();
  }

  /** The connection closes in the middle of the chunked body, without its last chunk. */
  close(): void {
    this.#client.socket?.end();
    this.#source.destroy();
  }

  rst(): void {
    this.#client.socket?.resetAndDestroy();
    this.#source.destroy();
  }

  /** From now on nothing arrives, and nobody is told. */
  blackHole(): void {
    this.#silent = true;
  }

  /** The server's side is gone, the client's side stands: a crashed NAT box. */
  halfOpen(): void {
    this.#silent = true;
    this.#source.destroy();
  }

  /** Of the next event only the first half arrives; then the connection closes. */
  cutMidJson(): void {
    this.#cutNext = (text) => text.slice(0, text.length / 2);
  }

  /** Sends a line of its own. */
  inject(text: string): void {
    this.#client.write(text);
  }

  #pass(text: string): void {
    if (this.#silent || this.#client.destroyed) return;
    const cut = this.#cutNext;
    if (cut === undefined) {
      this.#client.write(text);
      return;
    }
    this.#silent = true;
    this.#client.write(cut(text), () => this.#client.socket?.end());
    this.#source.destroy();
  }
}
