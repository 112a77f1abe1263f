/** The infer path: a plain handler in front of express. Admission → body → codec → queue → answer. */

import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ModelSignature, Tensor } from '../../protocol/datatypes.ts';
import { decodeInferRequest, type InferRequest } from '../../protocol/decode.ts';
import { encodeInferAnswer } from '../../protocol/encode.ts';
import { ProtocolError, refusals } from '../../protocol/errors.ts';
import {
  type AdmissionState,
  allowedMs,
  clientTimeoutMs,
  Overloaded,
  refusalAtArrival,
  timedOut,
  uploadTooSlow,
} from '../admission/admission.ts';
import { groupKeyOf } from '../batching/batching.ts';
import type { Job } from '../batching/dispatcher.ts';
import { zeroRowOutputs } from '../batching/zero-rows.ts';
import type { Logger } from '../log/logger.ts';
import { refuseUnrunnable } from '../runner/types.ts';
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
  nowMs(): number;
  timeoutMs(): number;
  signature(): ModelSignature | undefined;
  admission(): AdmissionState;
  /** True when answers should end their connection. */
  closing(): boolean;
  arrived(nowMs: number): void;
  answered(nowMs: number, status: number, latencyMs: number): void;
  /** Counts a request in while it is held: +1 and its bytes, later the same with minus. */
  hold(requests: number, bytes: number): void;
  submit(job: Job): void;
}

/** The caller closed the connection before the answer. */
const clientGone = 499;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Makes the handler of `POST /v2/models/NAME[/versions/VERSION]/infer`. */
export const createInferHandler =
  (context: InferContext) =>
  (request: IncomingMessage, response: ServerResponse, route: InferRoute): void => {
    const startedMs = context.nowMs();
    context.arrived(startedMs);
    const exchange = new Exchange(context, request, response, startedMs);
    exchange.handle(route).catch((error: unknown) => exchange.fail(error));
  };

let lonelyRequests = 0;
/** A key that no other request has: a caller's own id would not do, since two requests may carry the same. */
const nextLonelyKey = () => {
  lonelyRequests += 1;
  return `alone ${lonelyRequests}`;
};

class Exchange {
  readonly #context: InferContext;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #startedMs: number;
  readonly #requestId: string;
  #settled = false;
  #heldBytes = 0;
  #isHeld = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: InferContext, request: IncomingMessage, response: ServerResponse, startedMs: number) {
    this.#context = context;
    this.#request = request;
    this.#response = response;
    this.#startedMs = startedMs;
    this.#requestId = requestIdOf(request);
  }

  async handle(route: InferRoute): Promise<void> {
    const context = this.#context;
    if (this.#request.method !== 'POST') return this.#refuse(405, 'Method Not Allowed', { allow: 'POST' });
    if (route.model !== context.modelName) throw refusals.unknownModel(route.model);
    if (route.version !== undefined && route.version !== context.modelVersion)
      throw refusals.unknownVersion(route.model, route.version);
    if (this.#request.headers['inference-header-content-length'] !== undefined)
      throw refusals.unsupported('the binary tensor data extension');
    const announced = Number(this.#request.headers['content-length'] ?? 0);
    const refusal = refusalAtArrival(context.admission(), announced);
    if (refusal !== undefined) throw refusal;
    if (announced > context.maxBodyBytes) throw tooLarge(context.maxBodyBytes);
    const model = context.signature();
    if (model === undefined) throw new Overloaded(503, `model '${route.model}' is not ready`, 1);

    this.#hold(announced);
    const limitMs = allowedMs(context.timeoutMs(), clientTimeoutMs(this.#request.headers));
    this.#timer = setTimeout(
      // A client that is still sending is late itself: that must not count against the promise.
      () => this.fail(this.#request.complete ? timedOut(limitMs) : uploadTooSlow(limitMs)),
      limitMs,
    );
    this.#response.once('close', () => this.#closed());

    const body = await readBody(this.#request, context.maxBodyBytes);
    if (this.#settled) return;
    this.#holdBytes(Math.max(announced, body.length));
    const inferRequest = decodeInferRequest(textOf(body), model);
    refuseUnrunnable(inferRequest.inputs);
    this.#enqueue(inferRequest, model, this.#startedMs + limitMs);
  }

  #enqueue(infer: InferRequest, model: ModelSignature, deadlineMs: number) {
    const empty = zeroRowOutputs(infer, model);
    if (empty !== undefined) {
      this.#answer(infer, empty);
      return;
    }
    const firstDims = new Set(infer.inputs.map((input) => input.shape[0] ?? 1));
    const isSettled = () => this.#settled;
    const job: Job = {
      inputs: infer.inputs,
      outputs: infer.outputs,
      rows: firstDims.size > 1 ? 1 : Math.max(1, ...firstDims),
      share: 1,
      // Inputs whose first dimensions differ have no rows in common: such a request shares its batch with nobody.
      groupKey: firstDims.size > 1 ? nextLonelyKey() : groupKeyOf(infer.inputs, infer.outputs),
      enqueuedMs: this.#context.nowMs(),
      deadlineMs,
      get cancelled() {
        return isSettled();
      },
      answer: (outputs) => {
        try {
          this.#answer(infer, outputs);
        } catch (error) {
          this.fail(error);
        }
      },
      fail: (error) => this.fail(runFailure(error)),
    };
    this.#context.submit(job);
  }

  #answer(infer: InferRequest, outputs: readonly Tensor[]) {
    if (this.#settled) return;
    const text = encodeInferAnswer({
      modelName: this.#context.modelName,
      modelVersion: this.#context.modelVersion,
      id: infer.id,
      outputs,
    });
    this.#settle(200);
    sendJson(this.#response, 200, text, { requestId: this.#requestId, close: this.#context.closing() });
  }

  /** Answers with the error, whatever it is; the second and later calls do nothing. */
  fail(error: unknown): void {
    if (this.#settled) return;
    if (error instanceof BodyAborted) {
      this.#settle(clientGone);
      this.#response.destroy();
      return;
    }
    if (!(error instanceof ProtocolError)) {
      const message = error instanceof Error ? error.message : String(error);
      this.#context.log.error('request failed', {
        requestId: this.#requestId,
        error: message.slice(0, 1000),
      });
      this.#refuse(500, message.slice(0, 1000));
      return;
    }
    if (error.status >= 500)
      this.#context.log.warn('request refused', {
        requestId: this.#requestId,
        status: error.status,
        error: error.message.slice(0, 1000),
      });
    const retryAfter = error instanceof Overloaded ? { 'retry-after': String(error.retryAfterSeconds) } : {};
    this.#refuse(error.status, error.message, retryAfter);
  }

  #refuse(status: number, message: string, headers: Record<string, string> = {}) {
    this.#settle(status);
    const unread = !this.#request.complete;
    const close = this.#context.closing() || status === 413 || status === 408 || (unread && this.#isBig());
    const options = { requestId: this.#requestId, headers, close };
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
    if (!this.#settled) this.#settle(clientGone);
  }

  #settle(status: number) {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    if (this.#isHeld) this.#context.hold(-1, -this.#heldBytes);
    const nowMs = this.#context.nowMs();
    this.#context.answered(nowMs, status, nowMs - this.#startedMs);
  }

  #hold(bytes: number) {
    this.#isHeld = true;
    this.#heldBytes = bytes;
    this.#context.hold(1, bytes);
  }

  #holdBytes(bytes: number) {
    if (!this.#isHeld || this.#settled) return;
    this.#context.hold(0, bytes - this.#heldBytes);
    this.#heldBytes = bytes;
  }
}

const textOf = (body: Buffer): string => {
  if (!isUtf8(body)) throw refusals.malformed('the body is not UTF-8');
  return utf8.decode(body);
};

/** onnxruntime blames the caller's shapes in these words; everything else is the model's failure. */
const callersFault = /Got invalid dimensions for input|Invalid rank for input|Unexpected input data type/;

const runFailure = (error: Error): ProtocolError => {
  const message = error.message.split('\n')[0] ?? '';
  return new ProtocolError(
    callersFault.test(message) ? 400 : 500,
    `the model failed: ${message.slice(0, 1000)}`,
  );
};
