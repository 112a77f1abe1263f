/** One RPC: a single question is kept while it waits, a stream is bound to one pod for its life. */
import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { parseTimeout } from '../../protocol/grpc/status.ts';
import type { Pod } from '../balance/pod.ts';
import { Call, type CallEdge } from '../call.ts';
import { type ExchangeContext, keptBodyBytes } from '../http/exchange.ts';
import { KeptBody } from '../queue/kept-body.ts';
import { inCrumbs, Refusal } from '../queue/refusal.ts';
import { httpStatusOf, refusalHeaders, requestHeaders } from './headers.ts';

const inferPath = '/inference.GRPCInferenceService/ModelInfer';
const streamPath = '/inference.GRPCInferenceService/ModelStreamInfer';
const readAheadBytes = 65_536;
/** A stream without a deadline of its own may live this long, milliseconds. */
const streamLifeMs = 1e9;
const endStreamFlag = 1;
/** As over HTTP/1.1: how long an answer may lie unread, and how long a pod may stop in the middle of one. */
const unreadMs = 30_000;
const stalledMs = 60_000;

const nothing = Buffer.alloc(0);

export class GrpcExchange implements CallEdge {
  readonly #context: ExchangeContext;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #call: Call;
  readonly #isStream: boolean;
  readonly #ownTimeoutMs: number | undefined;
  readonly #kept = new KeptBody();
  #body: Buffer = nothing;
  #streams = false;
  #isTouched = false;
  #up: ClientHttp2Stream | undefined;
  #status = 200;
  #trailers: OutgoingHttpHeaders = {};

  constructor(
    context: ExchangeContext,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    nowMs: number,
  ) {
    this.#context = context;
    this.#stream = stream;
    this.#headers = headers;
    const path = headers[':path'] ?? '';
    this.#isStream = path === streamPath;
    this.#ownTimeoutMs = parseTimeout(headers['grpc-timeout'] as string | undefined);
    const { gate } = context;
    this.#call = new Call(
      gate,
      this,
      {
        connection: stream.session ?? stream,
        isInference: path === inferPath,
        pinned: gate.pinnedBy(headers),
        timeoutMs: this.#isStream ? streamLifeMs : (gate.route?.timeoutMs ?? 0),
        clientMs: this.#ownTimeoutMs,
      },
      nowMs,
    );
    // An error is always followed by a close.
    stream.on('error', () => undefined);
    stream.once('close', () => this.#closed());
  }

  start(): void {
    const call = this.#call;
    const refusal = call.isInference
      ? this.#context.gate.refusalAtArrival(call.deadlineMs - call.arrivedMs)
      : undefined;
    if (refusal !== undefined) {
      call.refuse(refusal);
      return;
    }
    if (!call.hold(readAheadBytes)) {
      call.refuse(new Refusal(429, 'too many bytes of waiting requests are held', 'BytesHeld', 1));
      return;
    }
    if (this.#isStream) {
      this.#streams = true;
      call.submit();
      return;
    }
    call.isUploading = true;
    this.#collect();
  }

  send(pod: Pod, leftMs: number): void {
    const session = pod.grpc;
    if (session === undefined) {
      this.#call.refuse(new Refusal(501, 'the pods of this model speak no gRPC', 'BadRequest'));
      return;
    }
    const client = this.#stream.session?.socket?.remoteAddress ?? 'unknown';
    const left = this.#isStream && this.#ownTimeoutMs === undefined ? undefined : leftMs;
    let opened: ReturnType<typeof session.request>;
    try {
      opened = session.request(requestHeaders(this.#headers, client, left));
    } catch {
      // What cannot be sent is the client's doing: no pod is to blame, and none would take it.
      this.#call.refuse(new Refusal(400, 'the metadata cannot be passed on', 'BadRequest'));
      return;
    }
    const up = opened.stream;
    this.#up = up;
    // An error is always followed by a close.
    up.on('error', () => undefined);
    up.once('close', () => {
      if (this.#up !== up) return;
      const isRefused = up.rstCode === constants.NGHTTP2_REFUSED_STREAM;
      this.#failed(`the stream to the pod ended (${up.rstCode})`, opened.hasConnected() && !isRefused);
    });
    up.once('response', (headers, flags) => this.#answer(up, headers, flags));
    if (!this.#streams) up.end(this.#body);
    // Nothing of a body that streams is taken before there is a connection: it could not be sent again.
    else if (up.pending) up.once('ready', () => this.#streamUp(up));
    else this.#streamUp(up);
  }

  abort(): void {
    const up = this.#up;
    this.#up = undefined;
    up?.close(constants.NGHTTP2_CANCEL);
  }

  breakOff(): void {
    this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  refuse(refusal: Refusal): void {
    this.#body = nothing;
    this.#kept.take();
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    if (stream.headersSent) {
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      return;
    }
    stream.respond(refusalHeaders(refusal), { endStream: true });
    // What is still sent is not wanted: told without an error, so that the status is read.
    if (!stream.readableEnded) {
      stream.resume();
      stream.close(constants.NGHTTP2_NO_ERROR);
    }
  }

  #collect(): void {
    const stream = this.#stream;
    const call = this.#call;
    const kept = this.#kept;
    const onData = (chunk: Buffer) => {
      if (call.isDone) return;
      if (!kept.add(chunk)) {
        call.refuse(inCrumbs());
        return;
      }
      if (kept.size > readAheadBytes && !call.hold(kept.size)) {
        call.refuse(new Refusal(429, 'too many bytes of waiting requests are held', 'BytesHeld', 1));
        return;
      }
      if (kept.size <= keptBodyBytes) return;
      stream.pause();
      stream.off('data', onData);
      stream.off('end', onEnd);
      this.#streams = true;
      this.#body = kept.take();
      call.isUploading = false;
      call.submit();
    };
    const onEnd = () => {
      if (call.isDone) return;
      this.#body = kept.take();
      call.isUploading = false;
      call.submit();
    };
    stream.on('data', onData);
    stream.on('end', onEnd);
  }

  /** Sends what the client sends as it comes. */
  #streamUp(up: ClientHttp2Stream): void {
    const stream = this.#stream;
    this.#isTouched = true;
    this.#call.uploadGoesOn();
    const pass = (chunk: Buffer) => {
      if (this.#up !== up || up.destroyed || up.write(chunk)) return;
      stream.pause();
      this.#call.isPodFull = true;
      up.once('drain', () => {
        this.#call.isPodFull = false;
        stream.resume();
      });
    };
    if (this.#body.length > 0) pass(this.#body);
    this.#body = nothing;
    stream.on('data', pass);
    stream.on('end', () => {
      if (this.#up !== up) return;
      up.end();
      this.#call.uploadEnded();
    });
    stream.resume();
  }

  #answer(up: ClientHttp2Stream, headers: IncomingHttpHeaders, flags: number): void {
    const stream = this.#stream;
    if (this.#up !== up) return;
    if (stream.destroyed || stream.closed) return;
    const passed: OutgoingHttpHeaders = { ...headers };
    const isWhole = (flags & endStreamFlag) !== 0;
    if (isWhole) this.#status = httpStatusOf(headers['grpc-status']);
    this.#call.answered(isWhole ? this.#status : 200);
    if (isWhole) {
      this.#up = undefined;
      stream.respond(passed, { endStream: true });
      if (!stream.readableEnded) {
        stream.resume();
        stream.close(constants.NGHTTP2_NO_ERROR);
      }
      return;
    }
    // It is not sent again from here on.
    this.#body = nothing;
    this.#call.hold(0);
    if (!this.#isStream) this.#watch(up);
    stream.respond(passed, { waitForTrailers: true });
    stream.once('wantTrailers', () => {
      if (!stream.destroyed && !stream.closed) stream.sendTrailers(this.#trailers);
    });
    up.once('trailers', (trailers) => {
      this.#trailers = { ...trailers };
      this.#status = httpStatusOf(trailers['grpc-status']);
    });
    up.on('data', (chunk: Buffer) => {
      if (!stream.destroyed && !stream.write(chunk)) this.#waitForReader(up);
    });
    up.once('end', () => {
      // Without trailers the answer is not whole.
      if (this.#up !== up || Object.keys(this.#trailers).length === 0) return;
      this.#up = undefined;
      if (!stream.destroyed) stream.end();
    });
  }

  /** The client reads no further: what waits for it is kept for a while, as long as there is room for it. */
  #waitForReader(up: ClientHttp2Stream): void {
    const stream = this.#stream;
    if (up.isPaused()) return;
    up.pause();
    this.#call.waitForReader(readAheadBytes);
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), unreadMs).unref();
    stream.once('close', () => clearTimeout(timer));
    stream.once('drain', () => {
      clearTimeout(timer);
      this.#call.readerIsBack();
      up.resume();
    });
  }

  /** A pod that stops in the middle of its answer. */
  #watch(up: ClientHttp2Stream): void {
    up.setTimeout(stalledMs, () => {
      if (up.isPaused()) this.#watch(up);
      else up.close(constants.NGHTTP2_CANCEL);
    });
  }

  #failed(message: string, reachedPod: boolean): void {
    this.#up = undefined;
    const hasAnswer = this.#stream.headersSent;
    this.#call.podFailed({
      message: `the pod broke off: ${message}`,
      reachedPod,
      isPodSick: true,
      repeatable: !this.#isTouched,
      harmless: false,
    });
    if (hasAnswer && !this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  #closed(): void {
    if (this.#call.isDone) return;
    if (this.#stream.writableFinished && this.#up === undefined) this.#call.finish(this.#status);
    else this.#call.cancel();
  }
}
