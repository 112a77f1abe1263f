/** One HTTP request for inference, whatever its form: admission, body, deadline, answer or refusal. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ModelSignature, Tensor } from '../../protocol/datatypes.ts';
import { ProtocolError, refusals } from '../../protocol/errors.ts';
import { clientTimeoutMs, Overloaded, uploadTooSlow } from '../admission/admission.ts';
import { contractHeader } from '../contract/words.ts';
import type { Call, InferenceService, InferResult, Protocol, Work } from '../inference/types.ts';
import type { Logger } from '../log/logger.ts';
import { traceOfHeaders, traceResponse } from '../log/trace.ts';
import { sendBody, sendError } from './answer.ts';
import { BodyAborted, readBody, tooLarge } from './body.ts';
import { packed } from './packed.ts';
import { requestIdOf } from './request-id.ts';
import type { InferRoute } from './route.ts';

/** What the handlers need of the pod. */
export interface InferContext {
  readonly modelName: string;
  readonly modelVersion: string | undefined;
  readonly maxBodyBytes: number;
  readonly log: Logger;
  readonly inference: InferenceService;
  /** True when answers should end their connection. */
  closing(): boolean;
}

/** The body of an answer with the headers that tell its form. */
export interface EdgeAnswer {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a form of request asks of the model, and how its answer is written. */
export interface EdgeWork {
  readonly work: Work;
  write(result: InferResult): EdgeAnswer | Promise<EdgeAnswer>;
}

/** A form of request: how its body becomes work. */
export interface Edge {
  readonly protocol: Protocol;
  read(body: Buffer, model: ModelSignature, request: IncomingMessage): EdgeWork | Promise<EdgeWork>;
}

export type InferHandler = (request: IncomingMessage, response: ServerResponse, route: InferRoute) => void;

/** The caller closed the connection before the answer. */
const clientGone = 499;

/** Above this size a body is read, and an answer written, with turns for others in between. */
export const isLargeBody = (body: Buffer): boolean => body.length > 262_144;
export const isLargeAnswer = (outputs: readonly Tensor[]): boolean =>
  outputs.some(({ data }) => data.length > 32_768);

/** Makes the handler of one form of request. */
export const createEdgeHandler =
  (context: InferContext, edge: Edge): InferHandler =>
  (request, response, route) => {
    const exchange = new Exchange(context, request, response, edge.protocol);
    exchange.handle(route, edge).catch((error: unknown) => exchange.fail(error));
  };

class Exchange {
  readonly #context: InferContext;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #call: Call;

  constructor(context: InferContext, request: IncomingMessage, response: ServerResponse, protocol: Protocol) {
    this.#context = context;
    this.#request = request;
    this.#response = response;
    const { headers } = request;
    const trace = traceOfHeaders(headers);
    if (trace !== undefined) response.setHeader('traceresponse', traceResponse(trace));
    this.#call = context.inference.begin({
      protocol,
      requestId: requestIdOf(request),
      bytes: Number(headers['content-length'] ?? 0),
      clientTimeoutMs: clientTimeoutMs(headers),
      connection: request.socket,
      trace,
    });
  }

  async handle(route: InferRoute, edge: Edge): Promise<void> {
    const context = this.#context;
    const request = this.#request;
    const call = this.#call;
    if (request.method !== 'POST') return this.#refuse(405, 'Method Not Allowed', { allow: 'POST' });
    if (route.model !== context.modelName) throw refusals.unknownModel(route.model);
    if (route.version !== undefined && route.version !== context.modelVersion)
      throw refusals.unknownVersion(route.model, route.version);
    if (call.arrival.bytes > context.maxBodyBytes) throw tooLarge(context.maxBodyBytes);
    const model = call.admit();
    // A client that is still sending is late itself: that must not count against the promise.
    call.onTimeout((error) =>
      this.fail(request.complete ? error : uploadTooSlow(call.deadlineMs - call.startedMs)),
    );
    this.#response.once('close', () => this.#closed());

    const body = await readBody(request, context.maxBodyBytes, (bytes) => {
      // Answered already, because it came too slowly: the rest need not be kept.
      if (call.isFinished) throw new BodyAborted();
      call.holdBytes(bytes);
    });
    if (call.isFinished) return;
    call.holdBytes(Math.max(call.arrival.bytes, body.length));
    const read = edge.read(body, model, request);
    const { work, write } = read instanceof Promise ? await read : read;
    if (call.isFinished) return;
    const result = await call.infer(work);
    if (call.isFinished) return;
    const written = write(result);
    const answer = await packed(
      written instanceof Promise ? await written : written,
      request.headers['accept-encoding'],
    );
    if (call.isFinished) return;
    call.finish({ status: 200 });
    const { flagged } = result;
    sendBody(this.#response, 200, answer.body, {
      requestId: call.arrival.requestId,
      headers: flagged === undefined ? answer.headers : { ...answer.headers, [contractHeader]: flagged },
      close: context.closing(),
    });
  }

  /** Answers with the error, whatever it is; the second and later calls do nothing. */
  fail(error: unknown): void {
    const call = this.#call;
    if (call.isFinished) return;
    if (error instanceof BodyAborted) {
      call.finish({ status: clientGone });
      this.#response.destroy();
      return;
    }
    const { requestId, trace } = call.arrival;
    if (!(error instanceof ProtocolError)) {
      const message = error instanceof Error ? error.message : String(error);
      this.#context.log.error('request failed', {
        requestId,
        traceId: trace?.traceId,
        error: message.slice(0, 1000),
      });
      this.#refuse(500, message.slice(0, 1000), {}, error instanceof Error ? error : undefined);
      return;
    }
    const retryAfter = error instanceof Overloaded ? { 'retry-after': String(error.retryAfterSeconds) } : {};
    this.#refuse(error.status, error.message, retryAfter, error);
  }

  #refuse(status: number, message: string, headers: Record<string, string> = {}, error?: Error) {
    this.#call.finish({ status, error });
    const unread = !this.#request.complete;
    const close = this.#context.closing() || status === 413 || status === 408 || (unread && this.#isBig());
    const options = { requestId: this.#call.arrival.requestId, headers, close };
    if (close && unread) this.#refuseWhileSending(status, message, options);
    else {
      if (unread) this.#request.resume();
      sendError(this.#response, status, message, options);
    }
  }

  /** A client that is still sending would get a reset instead of the answer: what it sends is thrown away for a moment. */
  #refuseWhileSending(
    status: number,
    message: string,
    options: { requestId: string; headers: Record<string, string> },
  ) {
    const body = JSON.stringify({ error: message });
    const response = this.#response;
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-request-id': options.requestId,
      connection: 'close',
      ...options.headers,
    });
    response.write(body);
    const end = () => {
      clearTimeout(timer);
      response.end();
    };
    const timer = setTimeout(() => {
      response.end();
      this.#request.destroy();
    }, 2000);
    this.#request.once('end', end);
    this.#request.once('close', end);
    this.#request.resume();
  }

  #isBig(): boolean {
    const announced = this.#request.headers['content-length'];
    return announced === undefined || Number(announced) > 1_048_576;
  }

  #closed() {
    if (this.#call.isFinished) return;
    this.#call.cancel();
    this.#call.finish({ status: clientGone });
  }
}
