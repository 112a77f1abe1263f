/** Kept-alive HTTP/1.1 connections to one pod: one request at a time on each, never more than the pod has in hand. */
import { connect, type Socket } from 'node:net';
import type { HostPort } from '../balance/address.ts';
import type { PodFailure } from '../balance/failure.ts';
import { AnswerError, type AnswerEvents, AnswerParser } from './answer-parser.ts';

/** Who gets the pod's answer. */
export interface AnswerHandler extends AnswerEvents {
  /** The connection stands and the head is written: a body that streams may be sent. */
  ready(connection: PodConnection): void;
  failed(failure: Omit<PodFailure, 'repeatable' | 'harmless'>): void;
}

export interface PodRequest {
  /** Request line and headers, with the empty line behind them. */
  readonly head: string;
  /** The whole body; undefined when there is none, or when it streams. */
  readonly body: Buffer | undefined;
  readonly isHead: boolean;
  /** The body streams: `write` and `endBody` follow. */
  readonly streams: 'length' | 'chunked' | undefined;
}

const connectTimeoutMs = 2_000;
/** Pods keep idle connections for 75 s: ours end well before, so that no request meets a connection that just ended. */
const mostIdleMs = 30_000;
const sweepEveryMs = 5_000;
/** Beyond this many idle connections the oldest end: a burst leaves no crowd behind. */
const mostIdle = 64;
/** How long a pod may stop in the middle of an answer. */
const stalledMs = 60_000;

export class HttpPool {
  readonly #address: HostPort;
  readonly #idle: PodConnection[] = [];
  #sweep: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(address: HostPort) {
    this.#address = address;
  }

  /** Sends a request on an idle connection, or on a new one. */
  send(request: PodRequest, handler: AnswerHandler): PodConnection {
    let connection = this.#idle.pop();
    while (connection !== undefined && !connection.isUsable) connection = this.#idle.pop();
    connection ??= new PodConnection(this.#address, this);
    connection.send(request, handler);
    return connection;
  }

  /** A connection has nothing to do. */
  release(connection: PodConnection): void {
    if (this.#isClosed) {
      connection.destroy();
      return;
    }
    connection.idleSinceMs = performance.now();
    this.#idle.push(connection);
    if (this.#idle.length > mostIdle) this.#idle.shift()?.destroy();
    this.#sweep ??= setInterval(() => this.#endOld(), sweepEveryMs).unref();
  }

  /** A connection ended by itself. */
  lost(connection: PodConnection): void {
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** Idle connections end, the others with their requests. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  #endOld(): void {
    const nowMs = performance.now();
    const old = this.#idle.filter(({ idleSinceMs, idleMs }) => nowMs - idleSinceMs > idleMs);
    for (const connection of old) {
      this.lost(connection);
      connection.destroy();
    }
    if (this.#idle.length > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}

export class PodConnection implements AnswerEvents {
  idleSinceMs = 0;
  /** How long it may be idle. */
  idleMs = mostIdleMs;
  readonly #pool: HttpPool;
  readonly #socket: Socket;
  readonly #parser = new AnswerParser(this);
  #handler: AnswerHandler | undefined;
  #request: PodRequest | undefined;
  #isConnected = false;
  #isReused = false;
  #isSending = false;
  #isAnswered = false;
  #timer: NodeJS.Timeout | undefined;

  constructor({ host, port }: HostPort, pool: HttpPool) {
    this.#pool = pool;
    this.#socket = connect({ host, port, noDelay: true });
    this.#timer = setTimeout(
      () => this.#fail(`no connection within ${connectTimeoutMs} ms`),
      connectTimeoutMs,
    );
    this.#socket.on('connect', () => {
      clearTimeout(this.#timer);
      this.#isConnected = true;
      this.#write();
    });
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.setTimeout(stalledMs, () => this.#stalled());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(error.code ?? error.message));
    this.#socket.on('end', () => this.#ended());
    this.#socket.on('close', () => this.#fail('the pod closed the connection'));
  }

  get isUsable(): boolean {
    return this.#socket.writable && !this.#socket.destroyed;
  }

  send(request: PodRequest, handler: AnswerHandler): void {
    this.#request = request;
    this.#handler = handler;
    this.#isAnswered = false;
    this.#isSending = request.streams !== undefined;
    this.#parser.begin(request.isHead);
    if (!this.#isConnected) return;
    this.#isReused = true;
    this.#write();
  }

  /** Sends a piece of a body that streams; false when the next should wait for `onDrain`. */
  write(chunk: Buffer): boolean {
    if (this.#request?.streams !== 'chunked') return this.#socket.write(chunk);
    this.#socket.cork();
    this.#socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    this.#socket.write(chunk);
    const goesOn = this.#socket.write('\r\n', 'latin1');
    this.#socket.uncork();
    return goesOn;
  }

  onDrain(then: () => void): void {
    this.#socket.once('drain', then);
  }

  /** The body that streamed is whole. */
  endBody(): void {
    if (!this.#isSending) return;
    if (this.#request?.streams === 'chunked') this.#socket.write('0\r\n\r\n', 'latin1');
    this.#isSending = false;
    if (this.#isAnswered) this.#done();
  }

  /** Stops and goes on reading the answer. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends it, and tells nobody. */
  destroy(): void {
    this.#handler = undefined;
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  head(status: number, text: string, headers: string[]): void {
    this.#handler?.head(status, text, headers);
  }

  body(chunk: Buffer, isLast: boolean): void {
    const handler = this.#handler;
    if (isLast) this.#answered();
    handler?.body(chunk, isLast);
  }

  end(): void {
    const handler = this.#handler;
    this.#answered();
    handler?.end();
  }

  #write(): void {
    const request = this.#request;
    if (request === undefined) return;
    if (request.body === undefined || request.body.length === 0) this.#socket.write(request.head, 'latin1');
    else {
      this.#socket.cork();
      this.#socket.write(request.head, 'latin1');
      this.#socket.write(request.body);
      this.#socket.uncork();
    }
    this.#handler?.ready(this);
  }

  #read(chunk: Buffer): void {
    try {
      this.#parser.write(chunk);
    } catch (error) {
      this.#fail(error instanceof AnswerError ? error.message : String(error));
      this.#socket.destroy();
    }
  }

  /** Until an answer begins the deadline of its request counts; after that no byte for a long time is the end. */
  #stalled(): void {
    if (this.#handler === undefined) this.destroy();
    else if (this.#parser.hasBegun && !this.#socket.isPaused()) this.#fail(`no byte within ${stalledMs} ms`);
    else this.#socket.setTimeout(stalledMs);
  }

  /** The pod sends no more. */
  #ended(): void {
    this.#parser.ended();
    this.#socket.end();
  }

  /** The answer is whole; the request may not be. */
  #answered(): void {
    this.#isAnswered = true;
    if (this.#isSending) {
      // Nobody reads the rest of the body any more.
      this.destroy();
      return;
    }
    this.#done();
  }

  #done(): void {
    this.#handler = undefined;
    this.#request = undefined;
    if (!this.#parser.keepsAlive || !this.isUsable) {
      this.destroy();
      return;
    }
    const { idleSeconds } = this.#parser;
    // The pod's own word, less a second for the way; 0 means: not at all.
    this.idleMs = Math.min(mostIdleMs, idleSeconds === undefined ? mostIdleMs : (idleSeconds - 1) * 1000);
    // A client that reads slowly may have paused it over the last piece: the next request must not wait for that client.
    this.#socket.resume();
    if (this.idleMs <= 0) this.destroy();
    else this.#pool.release(this);
  }

  #fail(message: string): void {
    clearTimeout(this.#timer);
    this.#pool.lost(this);
    const handler = this.#handler;
    this.#handler = undefined;
    this.#socket.destroy();
    handler?.failed({
      message: this.#isConnected ? `the pod broke off: ${message}` : `the pod cannot be reached: ${message}`,
      reachedPod: this.#isConnected,
      // A kept-alive connection that ends without a byte of an answer tells of an end that crossed the request, not of a sick pod.
      isPodSick: !this.#isReused || this.#parser.hasBegun,
    });
  }
}
