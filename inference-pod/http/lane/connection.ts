/**
 * One connection in the fast lane: plain requests one after the other, each whole before it is served. At anything else the
 * connection goes over to node:http, between two requests and for good.
 */
import type { Socket } from 'node:net';
import type { AnswerOptions } from '../answer.ts';
import type { RequestHeaders } from '../client.ts';
import { writeAnswer } from './answer.ts';
import { type Head, HeadReader } from './head.ts';
import type { LaneMember, LaneRules } from './rules.ts';

/** Pieces that a request may come in. */
const mostPieces = 8;
const nothing: RequestHeaders = Object.freeze({});

export class FastConnection implements LaneMember {
  readonly method = 'POST';
  readonly isComplete = true;
  readonly connection: Socket;
  headers: RequestHeaders = nothing;
  readonly #rules: LaneRules;
  readonly #heads = new HeadReader();
  #hasAsked = false;
  #isAsking = false;
  /** It goes over to node:http with the next bytes that come. */
  #isLeaving = false;
  /** What is here of a request that is not whole. */
  #part: Buffer | undefined;
  #pieces = 0;
  partSinceMs = 0;
  /** What came while a request was being answered. */
  #ahead: Buffer | undefined;
  #body: Buffer | undefined;
  #onClose: (() => void) | undefined;

  constructor(socket: Socket, rules: LaneRules) {
    this.connection = socket;
    this.#rules = rules;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClosed);
    socket.on('timeout', this.#onIdle);
    socket.setTimeout(rules.firstRequestMs);
  }

  /** Nothing is asked and all that was answered is taken. */
  get writableFinished(): boolean {
    return !this.#isAsking && this.connection.writableLength === 0;
  }

  /** Waits for the next request, after one at least. */
  get isIdle(): boolean {
    return this.#hasAsked && this.writableFinished && this.#part === undefined;
  }

  get partBytes(): number {
    return this.#part?.length ?? 0;
  }

  /** Leaves the lane with what is here of a request. */
  leave(): void {
    const bytes = this.#part;
    if (bytes !== undefined) this.#handOver(bytes);
  }

  readBody(): Buffer {
    const body = this.#body ?? Buffer.alloc(0);
    this.#body = undefined;
    return body;
  }

  onClose(handler: () => void): void {
    this.#onClose = handler;
  }

  answer(status: number, body: Buffer, options: AnswerOptions): void {
    const socket = this.connection;
    this.#isAsking = false;
    this.#onClose = undefined;
    this.headers = nothing;
    // Of a request that was refused nobody has read it.
    this.#body = undefined;
    if (socket.destroyed) return;
    const answer = writeAnswer(status, body, options, this.#rules.keepAliveSeconds);
    if (options.close === true) {
      socket.off('data', this.#onData);
      socket.end(answer);
      socket.destroySoon();
      return;
    }
    socket.write(answer);
    // What the kernel does not take at once waits for a slow reader: node:http knows how to bound that.
    if (socket.writableLength > 0) this.#waitForReader();
    const ahead = this.#ahead;
    if (ahead !== undefined) this.#handOver(ahead);
  }

  drop(): void {
    this.connection.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isAsking) {
      this.#keepAhead(chunk);
      return;
    }
    const part = this.#part;
    const bytes = part === undefined ? chunk : Buffer.concat([part, chunk]);
    const head = this.#isLeaving ? null : this.#heads.read(bytes);
    if (head === null || (head?.bodyLength ?? 0) > this.#rules.maxBodyBytes) this.#handOver(bytes);
    else if (head !== undefined && bytes.length === head.length + head.bodyLength) {
      if (part !== undefined) this.#setPart(undefined);
      this.#serve(head, bytes);
    } else this.#keep(bytes, head);
  };

  #serve(head: Head, bytes: Buffer): void {
    if (!this.#hasAsked) {
      this.#hasAsked = true;
      this.connection.setTimeout(this.#rules.idleMs);
      this.#rules.asked(this);
    }
    this.#isAsking = true;
    this.headers = head.headers;
    this.#body = bytes.subarray(head.length);
    this.#rules.serve(this, head.route);
  }

  /** Waits for the rest of a request, unless it comes in too many pieces or is not the only one. */
  #keep(bytes: Buffer, head: Head | undefined): void {
    this.#pieces += 1;
    const isFine =
      (head === undefined || bytes.length < head.length + head.bodyLength) &&
      this.#pieces < mostPieces &&
      this.#rules.mayKeep(bytes.length - this.partBytes);
    if (isFine) this.#setPart(bytes);
    else this.#handOver(bytes);
  }

  /** The answer comes first; nothing more is read until then. Where all together send too much ahead, this one is closed. */
  #keepAhead(chunk: Buffer): void {
    if (!this.#rules.mayKeep(chunk.length)) {
      this.drop();
      return;
    }
    this.connection.pause();
    this.#ahead = this.#ahead === undefined ? chunk : Buffer.concat([this.#ahead, chunk]);
    this.#rules.kept(this, chunk.length);
  }

  #setPart(bytes: Buffer | undefined): void {
    const before = this.#part;
    this.#part = bytes;
    if (bytes === undefined) this.#pieces = 0;
    if (before === undefined) this.partSinceMs = performance.now();
    this.#rules.kept(this, (bytes?.length ?? 0) - (before?.length ?? 0));
  }

  #waitForReader(): void {
    this.#isLeaving = true;
    this.connection.setTimeout(this.#rules.unreadAnswerMs);
  }

  #handOver(bytes: Buffer): void {
    const socket = this.connection;
    this.#forget();
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('error', this.#onError);
    socket.off('close', this.#onClosed);
    socket.off('timeout', this.#onIdle);
    socket.setTimeout(0);
    // A stream that flows already would not bring back what is put back.
    socket.pause();
    socket.unshift(bytes);
    this.#rules.handOver(socket);
    socket.resume();
  }

  #forget(): void {
    if (this.#part !== undefined) this.#setPart(undefined);
    if (this.#ahead !== undefined) this.#rules.kept(this, -this.#ahead.length);
    this.#ahead = undefined;
    this.#rules.left(this);
  }

  /** With the error that node:http would have. */
  #refuse(code: string): void {
    this.connection.off('data', this.#onData);
    this.#rules.refuse(code, this.connection);
  }

  /** The client sends no more: as with node:http, the connection ends, and what is being made for it is dropped. */
  readonly #onEnd = (): void => {
    if (this.#part !== undefined) {
      this.#setPart(undefined);
      this.#refuse('HPE_INVALID_EOF_STATE');
    } else this.connection.end();
  };

  readonly #onError = (): void => undefined;

  readonly #onClosed = (): void => {
    this.#forget();
    const onClose = this.#onClose;
    this.#onClose = undefined;
    onClose?.();
  };

  readonly #onIdle = (): void => {
    const socket = this.connection;
    if (this.#isAsking) return;
    if (!this.#hasAsked) {
      this.#refuse('ERR_HTTP_REQUEST_TIMEOUT');
      return;
    }
    if (this.#isLeaving && socket.writableLength === 0) {
      // It was read after all.
      this.#isLeaving = false;
      socket.setTimeout(this.#rules.idleMs);
      return;
    }
    socket.destroy();
  };
}
