/** One RPC: a single question is kept while it waits, a stream is bound to one pod for its life. */
import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { parseTimeout } from '../../protocol/grpc/status.ts';
import type { Pod } from '../balance/pod.ts';
import { Call, type CallEdge } from '../call.ts';
import { type ExchangeContext, keptBodyBytes } from '../http/exchange.ts';
import { KeptBody } from '../queue/kept-body.ts';
import { inCrumbs, Refusal } from '../queue/refusal.ts';
import { alone, GrpcAnswer, wantNoMore } from './answer.ts';
import { refusalHeaders, requestHeaders } from './headers.ts';

const inferPath = '/inference.GRPCInferenceService/ModelInfer';
const streamPath = '/inference.GRPCInferenceService/ModelStreamInfer';
/** What a call counts for before its message has come: what is announced and never sent must keep nobody else out. */
const firstBytes = 4_096;
const readAheadBytes = 65_536;
/** A stream without a deadline of its own may live this long, milliseconds. */
const streamLifeMs = 1e9;

const nothing = Buffer.alloc(0);
const ignore = () => undefined;

export class GrpcExchange implements CallEdge {
  readonly #context: ExchangeContext;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #list: string[];
  readonly #client: string;
  readonly #call: Call;
  readonly #isStream: boolean;
  readonly #ownTimeoutMs: number | undefined;
  readonly #kept = new KeptBody();
  #body: Buffer = nothing;
  #streams = false;
  #isTouched = false;
  #up: ClientHttp2Stream | undefined;
  #answer: GrpcAnswer | undefined;

  /** `list` holds the headers as they came, names and values in turn; `client` is the client's address. */
  constructor(
    context: ExchangeContext,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    list: string[],
    client: string,
    nowMs: number,
  ) {
    this.#context = context;
    this.#stream = stream;
    this.#headers = headers;
    this.#list = list;
    this.#client = client;
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
    // What comes once is listened to with `on`: taking a listener away again costs Node's streams an event of its own.
    stream.on('close', () => this.#closed());
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
    if (!call.hold(this.#isStream ? readAheadBytes : firstBytes)) {
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
    const left = this.#isStream && this.#ownTimeoutMs === undefined ? undefined : leftMs;
    let opened: ReturnType<typeof session.request>;
    try {
      opened = session.request(requestHeaders(this.#headers, this.#list, this.#client, left));
    } catch {
      // What cannot be sent is the client's doing: no pod is to blame, and none would take it.
      this.#call.refuse(new Refusal(400, 'the metadata cannot be passed on', 'BadRequest'));
      return;
    }
    const up = opened.stream;
    this.#up = up;
    // An error is always followed by a close.
    up.on('error', ignore);
    up.on('close', () => {
      if (!this.#isCurrent(up)) return;
      const isRefused = up.rstCode === constants.NGHTTP2_REFUSED_STREAM;
      this.#failed(`the stream to the pod ended (${up.rstCode})`, opened.hasConnected() && !isRefused);
    });
    up.on('response', (headers, flags, list) => {
      const stream = this.#stream;
      if (!this.#isCurrent(up) || this.#answer !== undefined || stream.destroyed || stream.closed) return;
      // It is not sent again from here on.
      this.#body = nothing;
      this.#answer = new GrpcAnswer(this.#context.gate, this.#call, stream, up);
      this.#answer.begin(headers, flags, list, this.#isStream);
    });
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
    stream.respond(refusalHeaders(refusal), alone);
    wantNoMore(stream);
  }

  overdue(): void {
    this.#answer?.look();
  }

  /** The pod's stream is still the one that counts, and more is expected of it. */
  #isCurrent(up: ClientHttp2Stream): boolean {
    return this.#up === up && this.#answer?.isOver !== true;
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
      if (kept.size > firstBytes && !call.hold(kept.size)) {
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
      // A stream that is reset, or whose connection is gone, has an end too: nothing of it is for a pod.
      if (call.isDone || stream.closed || stream.destroyed) return;
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
      if (!this.#isCurrent(up) || up.destroyed || up.write(chunk)) return;
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
      if (!this.#isCurrent(up)) return;
      up.end();
      this.#call.uploadEnded();
    });
    stream.resume();
  }

  #failed(message: string, reachedPod: boolean): void {
    const why = `the pod broke off: ${message}`;
    this.#up = undefined;
    this.#call.podFailed({
      message: why,
      reachedPod,
      isPodSick: true,
      repeatable: !this.#isTouched,
      harmless: false,
    });
    this.#answer?.broke(why);
  }

  #closed(): void {
    const answer = this.#answer;
    answer?.left();
    if (this.#call.isDone) return;
    if (this.#stream.writableFinished && answer?.isOver === true) this.#call.finish(answer.status);
    else this.#call.cancel();
  }
}
