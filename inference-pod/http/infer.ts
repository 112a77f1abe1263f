/** `POST /v2/models/NAME/infer`: the REST edge of the inference service, a plain handler in front of express. */

import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeInferRequest } from '../../protocol/decode.ts';
import { encodeInferAnswer } from '../../protocol/encode.ts';
import { ProtocolError, refusals } from '../../protocol/errors.ts';
import { clientTimeoutMs, Overloaded, uploadTooSlow } from '../admission/admission.ts';
import type { Call, InferenceService, Protocol } from '../inference/types.ts';
import type { Logger } from '../log/logger.ts';
import { traceOfHeaders, traceResponse } from '../log/trace.ts';
import { sendError, sendJson } from './answer.ts';
import { BodyAborted, readBody, tooLarge } from './body.ts';
import { requestIdOf } from './request-id.ts';
import type { InferRoute } from './route.ts';

/** What the handler needs of the pod. */
export interface InferContext {
  readonly modelName: string;
  readonly modelVersion: string | undefined;
  readonly maxBodyBytes: number;
  readonly log: Logger;
  readonly inference: InferenceService;
  /** True when answers should end their connection. */
  closing(): boolean;
}

/** The caller closed the connection before the answer. */
const clientGone = 499;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Makes the handler of `POST /v2/models/NAME[/versions/VERSION]/infer`. */
export const createInferHandler =
  (context: InferContext) =>
  (request: IncomingMessage, response: ServerResponse, route: InferRoute): void => {
    const exchange = new Exchange(context, request, response, 'rest');
    exchange.handle(route).catch((error: unknown) => exchange.fail(error));
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

  async handle(route: InferRoute): Promise<void> {
    const context = this.#context;
    const request = this.#request;
    const call = this.#call;
    if (request.method !== 'POST') return this.#refuse(405, 'Method Not Allowed', { allow: 'POST' });
    if (route.model !== context.modelName) throw refusals.unknownModel(route.model);
    if (route.version !== undefined && route.version !== context.modelVersion)
      throw refusals.unknownVersion(route.model, route.version);
    if (request.headers['inference-header-content-length'] !== undefined)
      throw refusals.unsupported('the binary tensor data extension');
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
    const inferRequest = decodeInferRequest(textOf(body), model);
    const { outputs } = await call.infer(inferRequest);
    if (call.isFinished) return;
    const text = encodeInferAnswer({
      modelName: context.modelName,
      modelVersion: context.modelVersion,
      id: inferRequest.id,
      outputs,
    });
    call.finish({ status: 200 });
    sendJson(this.#response, 200, text, { requestId: call.arrival.requestId, close: context.closing() });
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
    const { requestId } = call.arrival;
    if (!(error instanceof ProtocolError)) {
      const message = error instanceof Error ? error.message : String(error);
      this.#context.log.error('request failed', { requestId, error: message.slice(0, 1000) });
      this.#refuse(500, message.slice(0, 1000), {}, error instanceof Error ? error : undefined);
      return;
    }
    if (error.status >= 500)
      this.#context.log.warn('request refused', {
        requestId,
        status: error.status,
        error: error.message.slice(0, 1000),
      });
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

const textOf = (body: Buffer): string => {
  if (!isUtf8(body)) throw refusals.malformed('the body is not UTF-8');
  return utf8.decode(body);
};
