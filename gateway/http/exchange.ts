/** One HTTP/1.1 request: kept while it waits, carried to the pod that gets it, its answer carried back. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CrumbWatch } from '../../crowd/crumb-watch.ts';
import { clientTimeoutMs } from '../../queue/client-timeout.ts';
import type { PodFailure } from '../balance/failure.ts';
import type { Pod } from '../balance/pod.ts';
import { Call, type CallEdge } from '../call.ts';
import type { ModelGate } from '../model-gate.ts';
import { KeptBody } from '../queue/kept-body.ts';
import { inCrumbs, podFailed, Refusal, tooManyInCrumbs } from '../queue/refusal.ts';
import { type Framing, framingOf, malformed, requestHead } from './headers.ts';
import { isInference } from './paths.ts';
import type { AnswerHandler, PodConnection } from './pool.ts';

/** Bodies up to this size are here before a pod is chosen: a slow upload then takes no pod's slot. Larger ones stream. */
export const keptBodyBytes = 1_048_576;
/** What Node reads ahead of a body that nobody asks for. */
const readAheadBytes = 65_536;
/** What a body that is taken counts for before it has come: what is announced and never sent must keep nobody else out. */
const firstBytes = 4_096;
/** A client that goes on sending after its refusal is listened to for so long, since a reset would overtake the answer. */
const lingerMs = 2_000;

const nothing = Buffer.alloc(0);
const safe = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface ExchangeContext {
  readonly gate: ModelGate;
  /** Answers should end their connection. */
  isClosing(): boolean;
}

export class HttpExchange implements CallEdge, AnswerHandler {
  readonly #context: ExchangeContext;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #framing: Framing;
  readonly #call: Call;
  readonly #kept = new KeptBody();
  readonly #crumbs: CrumbWatch | undefined;
  #body: Buffer = nothing;
  #streams = false;
  /** Part of a body that streams has been taken from the client: it cannot be sent again. */
  #isTouched = false;
  #connection: PodConnection | undefined;
  #status = 0;
  #isUploadEnded = false;
  /** The pod is not listened to until the client has read what is there. */
  #isPaused = false;

  constructor(
    context: ExchangeContext,
    request: IncomingMessage,
    response: ServerResponse,
    crumbs: CrumbWatch | undefined,
    nowMs: number,
  ) {
    this.#crumbs = crumbs;
    this.#context = context;
    this.#request = request;
    this.#response = response;
    this.#framing = framingOf(request);
    const { gate } = context;
    const { headers } = request;
    const clientMs = clientTimeoutMs(headers);
    this.#call = new Call(
      gate,
      this,
      {
        connection: request.socket,
        isInference: isInference(request.method, request.url ?? ''),
        pinned: gate.pinnedBy(headers),
        timeoutMs: gate.route?.timeoutMs ?? 0,
        clientMs: clientMs === 0 ? undefined : clientMs,
      },
      nowMs,
    );
    response.once('close', () => this.#closed());
  }

  /** Begins: refuses by the headers alone, or takes the body. */
  start(): void {
    const call = this.#call;
    const wrong = malformed(this.#request);
    if (wrong !== undefined) call.refuse(new Refusal(400, wrong, 'BadRequest'));
    this.#crumbs?.onCrumbs((why) => this.#refuseCrumbs(why === 'crowd' ? tooManyInCrumbs() : inCrumbs()));
    if (call.isDone) return;
    const refusal = call.isInference
      ? this.#context.gate.refusalAtArrival(call.deadlineMs - call.arrivedMs)
      : undefined;
    if (refusal !== undefined) {
      call.refuse(refusal);
      return;
    }
    const framing = this.#framing;
    if (framing.kind === 'none') {
      this.#isUploadEnded = true;
      call.submit();
      return;
    }
    const isLarge = framing.kind === 'length' && framing.bytes > keptBodyBytes;
    const leastBytes = isLarge ? readAheadBytes : firstBytes;
    if (!call.hold(framing.kind === 'length' ? Math.min(framing.bytes, leastBytes) : leastBytes)) {
      call.refuse(bytesHeld());
      return;
    }
    if (isLarge) {
      this.#streams = true;
      call.submit();
    } else {
      call.isUploading = true;
      this.#collect();
    }
  }

  send(pod: Pod, leftMs: number): void {
    const framing: Framing =
      this.#framing.kind === 'chunked' && !this.#streams
        ? { kind: 'length', bytes: this.#body.length }
        : this.#framing;
    this.#connection = pod.http.send(
      {
        head: requestHead(this.#request, framing, leftMs),
        body: this.#streams ? undefined : this.#body,
        isHead: this.#request.method === 'HEAD',
        streams: this.#streams && framing.kind !== 'none' ? framing.kind : undefined,
      },
      this,
    );
  }

  ready(connection: PodConnection): void {
    this.#connection = connection;
    if (this.#streams && !this.#call.isDone) this.#stream();
  }

  head(status: number, text: string, headers: string[]): void {
    const response = this.#response;
    this.#call.answered(status);
    this.#status = status;
    // It is not sent again from here on.
    this.#body = nothing;
    this.#call.hold(0);
    // The pod did not want the rest of the body: the connection ends with the answer.
    if (this.#context.isClosing() || !this.#isUploadEnded) headers.push('connection', 'close');
    try {
      response.writeHead(status, text, headers);
    } catch {
      this.#connection?.destroy();
      this.#status = 502;
      this.#broken(podFailed('the pod sent headers that cannot be passed on'));
    }
  }

  body(chunk: Buffer, isLast: boolean): void {
    const response = this.#response;
    if (response.destroyed) return;
    if (isLast) {
      response.end(chunk);
      this.#ended();
      return;
    }
    if (response.write(chunk) || this.#isPaused) return;
    const connection = this.#connection;
    this.#isPaused = true;
    this.#call.waitForReader(readAheadBytes);
    connection?.pause();
    response.once('drain', () => {
      this.#isPaused = false;
      this.#call.readerIsBack();
      // By now it may carry somebody else's answer.
      if (this.#connection === connection) connection?.resume();
    });
  }

  end(): void {
    if (this.#response.destroyed) return;
    this.#response.end();
    this.#ended();
  }

  failed(failure: Omit<PodFailure, 'repeatable' | 'harmless'>): void {
    this.#connection = undefined;
    const hasAnswer = this.#response.headersSent;
    this.#call.podFailed({
      ...failure,
      repeatable: !this.#isTouched,
      harmless: safe.has(this.#request.method ?? ''),
    });
    // Half an answer must look like one: the client sees the connection break.
    if (hasAnswer) this.#response.destroy();
  }

  abort(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  breakOff(): void {
    this.abort();
    this.#response.destroy();
  }

  refuse(refusal: Refusal): void {
    this.#body = nothing;
    this.#kept.take();
    this.#broken(refusal);
  }

  /** Takes the body whole; one that turns out to be large streams from there on. */
  #collect(): void {
    const request = this.#request;
    const call = this.#call;
    const kept = this.#kept;
    const onData = (chunk: Buffer) => {
      if (call.isDone) return;
      if (!kept.add(chunk)) {
        this.#refuseCrumbs();
        return;
      }
      if (kept.size > firstBytes && !call.hold(kept.size)) {
        call.refuse(bytesHeld());
        return;
      }
      if (kept.size <= keptBodyBytes) return;
      request.pause();
      request.off('data', onData);
      request.off('end', onEnd);
      this.#streams = true;
      this.#body = kept.take();
      call.isUploading = false;
      call.submit();
    };
    const onEnd = () => {
      if (call.isDone) return;
      this.#body = kept.take();
      this.#isUploadEnded = true;
      call.isUploading = false;
      call.submit();
    };
    request.on('data', onData);
    request.on('end', onEnd);
  }

  /** Sends the body on as it comes, no faster than the pod takes it. */
  #stream(): void {
    const request = this.#request;
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#isTouched = true;
    const isCurrent = () => this.#connection === connection && !this.#call.isDone;
    const pass = (chunk: Buffer) => {
      if (!isCurrent() || this.#response.headersSent || connection.write(chunk)) return;
      request.pause();
      this.#call.isPodFull = true;
      connection.onDrain(() => {
        this.#call.isPodFull = false;
        request.resume();
      });
    };
    this.#call.uploadGoesOn();
    if (this.#body.length > 0) pass(this.#body);
    this.#body = nothing;
    request.on('data', (chunk: Buffer) => {
      if (this.#kept.saw(chunk) || !isCurrent()) pass(chunk);
      else this.#refuseCrumbs();
    });
    request.on('end', () => {
      this.#isUploadEnded = true;
      if (!isCurrent()) return;
      connection.endBody();
      this.#call.uploadEnded();
    });
    request.resume();
  }

  /** The answer is whole. */
  #ended(): void {
    this.#connection = undefined;
    if (!this.#isUploadEnded) this.#linger();
  }

  /** Answers with a refusal, or breaks an answer off that has begun. */
  #broken(refusal: Refusal): void {
    const response = this.#response;
    if (response.destroyed) return;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const { retryAfterSeconds } = refusal;
    const body = JSON.stringify({ error: refusal.message });
    const isUnread = !this.#isUploadEnded && this.#framing.kind !== 'none' && !this.#request.complete;
    const isShort = this.#framing.kind === 'length' && this.#framing.bytes <= keptBodyBytes;
    const closes =
      this.#crumbs?.isInCrumbs === true ||
      this.#context.isClosing() ||
      (isUnread && !isShort) ||
      refusal.status === 408;
    response.writeHead(refusal.status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
      ...(closes ? { connection: 'close' } : {}),
    });
    if (this.#crumbs?.isInCrumbs === true) {
      // The connection ends right behind the answer, at the price that a reset may overtake it: 2 s of crumbs cost as much to read.
      response.end(body);
      return;
    }
    if (!closes || !isUnread) {
      response.end(body);
      if (isUnread) this.#request.resume();
      return;
    }
    response.write(body);
    const end = () => response.end();
    this.#request.once('end', end);
    this.#request.once('close', end);
    this.#linger();
  }

  /** Throws away what the client still sends, for a moment. */
  #linger(): void {
    const request = this.#request;
    const timer = setTimeout(() => {
      this.#response.end();
      request.destroy();
    }, lingerMs).unref();
    request.once('close', () => clearTimeout(timer));
    request.once('end', () => clearTimeout(timer));
    request.resume();
  }

  #refuseCrumbs(refusal = inCrumbs()): void {
    if (this.#call.isDone) {
      // It has its answer, and goes on sending.
      this.#request.socket.destroy();
      return;
    }
    this.abort();
    this.#call.refuse(refusal);
  }

  #closed(): void {
    if (this.#call.isDone) return;
    if (this.#response.writableFinished) this.#call.finish(this.#status);
    else this.#call.cancel();
  }
}

const bytesHeld = () =>
  new Refusal(429, 'Exceeds maximum queue size: too many bytes of waiting requests are held', 'BytesHeld', 1);
