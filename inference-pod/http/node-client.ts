/** A caller that came through node:http: any request that HTTP allows, its body still to be read. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CrumbWatch } from '../../crowd/crumb-watch.ts';
import { type AnswerOptions, headersOf, sendBody } from './answer.ts';
import { type OnBytes, readBody, throwAway } from './body.ts';
import type { Client, RequestHeaders } from './client.ts';

/** How long a client that is refused while it sends may go on before its connection is cut. */
const refusedForMs = 2000;
/** A body that is not worth reading to its end. */
const bigBody = 1_048_576;

export class NodeClient implements Client {
  readonly headers: RequestHeaders;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #crumbs: CrumbWatch | undefined;
  #isRead = false;

  constructor(request: IncomingMessage, response: ServerResponse, crumbs?: CrumbWatch) {
    this.#request = request;
    this.#response = response;
    this.#crumbs = crumbs;
    this.headers = request.headers;
  }

  get method(): string | undefined {
    return this.#request.method;
  }

  get connection(): object {
    return this.#request.socket;
  }

  get isComplete(): boolean {
    return this.#request.complete;
  }

  readBody(limit: number, onBytes: OnBytes): Promise<Buffer> {
    this.#isRead = true;
    return readBody(this.#request, limit, onBytes, this.#crumbs);
  }

  onClose(handler: () => void): void {
    this.#response.once('close', handler);
  }

  answer(status: number, body: Buffer, options: AnswerOptions): void {
    const unread = !this.isComplete;
    const isInCrumbs = this.#crumbs?.isInCrumbs === true;
    const close =
      isInCrumbs || options.close === true || status === 413 || status === 408 || (unread && this.#isBig());
    const whole = close ? { ...options, close } : options;
    // The connection ends right behind this answer: what else comes in crumbs is not worth reading for 2 s.
    if (isInCrumbs) sendBody(this.#response, status, body, whole);
    else if (close && unread) this.#answerWhileSending(status, body, whole);
    else {
      if (unread) this.#throwAway();
      sendBody(this.#response, status, body, whole);
    }
  }

  drop(): void {
    this.#response.destroy();
  }

  /** A client that is still sending would get a reset instead of the answer: what it sends is thrown away for a moment. */
  #answerWhileSending(status: number, body: Buffer, options: AnswerOptions) {
    const response = this.#response;
    response.writeHead(status, headersOf(body, options));
    response.write(body);
    const end = () => {
      clearTimeout(timer);
      response.end();
    };
    const timer = setTimeout(() => {
      response.end();
      this.#request.destroy();
    }, refusedForMs);
    this.#request.once('end', end);
    this.#request.once('close', end);
    this.#throwAway();
  }

  /** Where the body is being read, its reader throws the rest away. */
  #throwAway() {
    if (this.#isRead) this.#request.resume();
    else throwAway(this.#request);
  }

  #isBig(): boolean {
    const announced = this.#request.headers['content-length'];
    return announced === undefined || Number(announced) > bigBody;
  }
}
