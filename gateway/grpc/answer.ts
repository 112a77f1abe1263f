/** The answer of one RPC on its way from the pod to the client. */
import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Call } from '../call.ts';
import type { ModelGate } from '../model-gate.ts';
import { podFailed, timedOut } from '../queue/refusal.ts';
import {
  asCame,
  headStatusOf,
  httpStatusOf,
  refusalHeaders,
  type SentHeaders,
  wholeStatusOf,
} from './headers.ts';

const endStreamFlag = 1;
/** As over HTTP/1.1: how long an answer may lie unread, and how long a pod may stop in the middle of one. */
const unreadMs = 30_000;
const stalledMs = 60_000;
/** What of an answer may lie here while its client does not read. */
const unreadBytes = 65_536;
/**
 * The answer to one question is sent on when its trailers are here, for no client can use it before: a write less. A larger
 * one goes on as it comes, and so does any while so many of a model's answers are kept.
 */
const keptBytes = 4_096;
const mostKept = 1_024;

const nothing: Buffer = Buffer.alloc(0);
/** Made once: they are asked for with every answer. */
const withTrailers = { waitForTrailers: true } as const;
export const alone = { endStream: true } as const;

/** What a client still sends is not wanted: told without an error, so that the status is read. */
export const wantNoMore = (stream: ServerHttp2Stream): void => {
  if (stream.readableEnded) return;
  stream.resume();
  stream.close(constants.NGHTTP2_NO_ERROR);
};

export class GrpcAnswer {
  /** Nothing more is expected of the pod. */
  isOver = false;
  /** What it counts as, in the statuses that REST would have. */
  status = 200;
  readonly #gate: ModelGate;
  readonly #call: Call;
  readonly #stream: ServerHttp2Stream;
  readonly #up: ClientHttp2Stream;
  #trailers: OutgoingHttpHeaders | undefined;
  #keptHead: SentHeaders | undefined;
  #kept = nothing;
  /** A head with which trailers go was given to Node. */
  #wasTried = false;
  /** Something has come since it was last looked at. */
  #isMoving = false;

  constructor(gate: ModelGate, call: Call, stream: ServerHttp2Stream, up: ClientHttp2Stream) {
    this.#gate = gate;
    this.#call = call;
    this.#stream = stream;
    this.#up = up;
  }

  /** The head is here; `list` holds it as it came. `isStream` has an end that nobody knows. */
  begin(
    headers: IncomingHttpHeaders & IncomingHttpStatusHeader,
    flags: number,
    list: string[],
    isStream: boolean,
  ): void {
    const call = this.#call;
    const up = this.#up;
    const isWhole = (flags & endStreamFlag) !== 0;
    this.status = isWhole ? wholeStatusOf(headers) : headStatusOf(headers);
    call.answered(this.status);
    call.hold(0);
    const head = asCame(headers, list);
    if (isWhole) {
      this.isOver = true;
      if (this.#respond(head, alone)) wantNoMore(this.#stream);
      return;
    }
    if (call.isInference && this.#gate.keptAnswers < mostKept) {
      this.#gate.keptAnswers += 1;
      this.#keptHead = head;
      // The client has nothing yet: its deadline goes on.
      call.watchAnswer(Math.min(stalledMs, call.deadlineMs - this.#gate.nowMs()));
    } else {
      if (!isStream) this.#watch();
      if (!this.#respond(head, withTrailers)) return;
    }
    up.on('trailers', (trailers) => {
      this.#trailers = trailers;
      if (this.status === 200) this.status = httpStatusOf(trailers['grpc-status']);
    });
    up.on('data', (chunk: Buffer) => this.#pass(chunk));
    up.on('end', () => this.#ended());
  }

  /** Its time to move is over: a pod that stopped is left, one that goes on is watched further. */
  look(): void {
    if (this.isOver) return;
    if (this.#keptHead !== undefined) this.#isLate();
    // A reader that is slow is bounded elsewhere.
    else if (this.#isMoving || this.#up.isPaused()) this.#watch();
    else this.#up.close(constants.NGHTTP2_CANCEL);
  }

  /** The pod broke off: said as a status where the client has seen nothing yet, else by breaking off too. */
  broke(why: string): void {
    const stream = this.#stream;
    this.isOver = true;
    this.#drop();
    if (stream.destroyed || stream.closed) return;
    if (stream.headersSent) {
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      return;
    }
    const { ':status': status, 'content-type': contentType, ...trailers } = refusalHeaders(podFailed(why));
    if (!this.#wasTried) {
      stream.respond({ ':status': status, 'content-type': contentType, ...trailers }, alone);
      wantNoMore(stream);
      return;
    }
    // Node has noted that trailers follow, although the head that said so could not be sent.
    this.#trailers = trailers;
    this.#respond({ ':status': status, 'content-type': contentType }, withTrailers);
    stream.end();
  }

  /** The pod began in time and has not ended in it. */
  #isLate(): void {
    const refusal = timedOut(this.#gate.nowMs() - this.#call.arrivedMs);
    this.isOver = true;
    this.status = refusal.status;
    this.#drop();
    this.#up.close(constants.NGHTTP2_CANCEL);
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    stream.respond(refusalHeaders(refusal), alone);
    wantNoMore(stream);
  }

  /** The client is gone, or has all of it. */
  left(): void {
    this.#drop();
  }

  #watch(): void {
    this.#isMoving = false;
    this.#call.watchAnswer(stalledMs);
  }

  #pass(chunk: Buffer): void {
    const stream = this.#stream;
    this.#isMoving = true;
    if (stream.destroyed || stream.closed || this.isOver) return;
    if (this.#keptHead !== undefined) {
      const kept = this.#kept;
      if (kept.length + chunk.length <= keptBytes) {
        // A copy: the piece itself keeps alive all that was read with it.
        this.#kept = kept.length === 0 ? Buffer.from(chunk) : Buffer.concat([kept, chunk]);
        return;
      }
      if (!this.#release()) return;
      if (kept.length > 0) stream.write(kept);
    }
    if (!stream.write(chunk)) this.#waitForReader();
  }

  #ended(): void {
    const stream = this.#stream;
    // Without trailers the answer is not whole.
    if (this.isOver || !hasSome(this.#trailers)) return;
    const message = this.#kept;
    if (!this.#release()) return;
    this.isOver = true;
    if (stream.destroyed) return;
    if (message.length > 0) stream.end(message);
    else stream.end();
  }

  /** Sends the head that was kept, if one was; false when it cannot be sent. */
  #release(): boolean {
    const head = this.#drop();
    if (head === undefined) return true;
    return !this.#stream.destroyed && !this.#stream.closed && this.#respond(head, withTrailers);
  }

  #drop(): SentHeaders | undefined {
    const head = this.#keptHead;
    if (head === undefined) return undefined;
    this.#gate.keptAnswers -= 1;
    this.#keptHead = undefined;
    this.#kept = nothing;
    return head;
  }

  /** Begins the answer to the client as the pod began it; false when its headers cannot be passed on. */
  #respond(head: SentHeaders, options: typeof withTrailers | typeof alone): boolean {
    const stream = this.#stream;
    if (options === withTrailers) this.#wasTried = true;
    try {
      stream.respond(head, options);
    } catch {
      this.#cannotBePassed();
      return false;
    }
    if (options === withTrailers) stream.on('wantTrailers', () => this.#sendTrailers());
    return true;
  }

  #sendTrailers(): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    try {
      stream.sendTrailers(this.#trailers ?? {});
    } catch {
      this.#cannotBePassed();
    }
  }

  #cannotBePassed(): void {
    const message = 'the pod sent headers that cannot be passed on';
    this.status = 502;
    this.#call.podFailed({
      message,
      reachedPod: true,
      isPodSick: true,
      repeatable: false,
      harmless: false,
    });
    this.broke(message);
    this.#up.close(constants.NGHTTP2_CANCEL);
  }

  /** The client reads no further: what waits for it is kept for a while, as long as there is room for it. */
  #waitForReader(): void {
    const stream = this.#stream;
    const up = this.#up;
    if (up.isPaused()) return;
    up.pause();
    this.#call.waitForReader(unreadBytes);
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), unreadMs).unref();
    stream.once('close', () => clearTimeout(timer));
    stream.once('drain', () => {
      clearTimeout(timer);
      this.#call.readerIsBack();
      up.resume();
    });
  }
}

const hasSome = (headers: object | undefined): boolean => {
  for (const _ in headers) return true;
  return false;
};
