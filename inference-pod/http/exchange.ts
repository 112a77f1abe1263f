/** One HTTP request for inference, whatever its form: admission, body, deadline, answer or refusal. */
import type { ModelSignature, Tensor } from '../../protocol/datatypes.ts';
import { encodeError } from '../../protocol/encode.ts';
import { messageOf, ProtocolError, refusals } from '../../protocol/errors.ts';
import { clientTimeoutMs } from '../../queue/client-timeout.ts';
import { Overloaded, uploadTooSlow } from '../admission/admission.ts';
import { contractHeader } from '../contract/words.ts';
import type { Call, InferenceService, InferResult, Protocol, Work } from '../inference/types.ts';
import type { Logger } from '../log/logger.ts';
import { traceOfHeaders, traceResponse } from '../log/trace.ts';
import { releaseBody } from '../runner/release.ts';
import { BodyAborted, tooLarge } from './body.ts';
import type { Client, RequestHeaders } from './client.ts';
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
  read(body: Buffer, model: ModelSignature, headers: RequestHeaders): EdgeWork | Promise<EdgeWork>;
}

/** Serves one request for inference, whatever brought it. */
export type InferHandler = (client: Client, route: InferRoute) => void;

/** The caller closed the connection before the answer. */
const clientGone = 499;
const nothing: readonly Tensor[] = Object.freeze([]);

/** Above this size a body is read, and an answer written, with turns for others in between. */
export const isLargeBody = (body: Buffer): boolean => body.length > 262_144;
export const isLargeAnswer = (outputs: readonly Tensor[]): boolean =>
  outputs.some(({ data }) => data.length > 32_768);

/** Makes the handler of one form of request. What is refused at its headers is answered in the same turn, its body unread. */
export const createEdgeHandler =
  (context: InferContext, edge: Edge): InferHandler =>
  (client, route) => {
    const exchange = new Exchange(context, client, edge.protocol);
    const model = exchange.admit(route);
    if (model !== undefined) exchange.serve(model, edge).catch((error: unknown) => exchange.fail(error));
  };

class Exchange {
  readonly #context: InferContext;
  readonly #client: Client;
  readonly #call: Call;

  constructor(context: InferContext, client: Client, protocol: Protocol) {
    this.#context = context;
    this.#client = client;
    const { headers } = client;
    this.#call = context.inference.begin({
      protocol,
      requestId: requestIdOf(client),
      bytes: Number(headers['content-length'] ?? 0),
      clientTimeoutMs: clientTimeoutMs(headers),
      connection: client.connection,
      trace: traceOfHeaders(headers),
    });
  }

  /** What the model takes; undefined when the request was refused, and answered so. */
  admit(route: InferRoute): ModelSignature | undefined {
    if (this.#client.method !== 'POST') {
      this.#refuse(405, 'Method Not Allowed', { allow: 'POST' });
      return undefined;
    }
    const admitted = this.#mistake(route) ?? this.#call.tryAdmit();
    if (!(admitted instanceof ProtocolError)) return admitted;
    this.fail(admitted);
    return undefined;
  }

  /** What the caller did wrong, as far as the head tells. */
  #mistake({ model, version }: InferRoute): ProtocolError | undefined {
    const { modelName, modelVersion, maxBodyBytes } = this.#context;
    if (model !== modelName) return refusals.unknownModel(model);
    if (version !== undefined && version !== modelVersion) return refusals.unknownVersion(model, version);
    return this.#call.arrival.bytes > maxBodyBytes ? tooLarge(maxBodyBytes) : undefined;
  }

  /** Reads what was admitted, runs it and answers. */
  async serve(model: ModelSignature, edge: Edge): Promise<void> {
    const context = this.#context;
    const client = this.#client;
    const call = this.#call;
    // A client that is still sending is late itself: that must not count against the promise.
    call.onTimeout((error) =>
      this.fail(client.isComplete ? error : uploadTooSlow(call.deadlineMs - call.startedMs)),
    );
    client.onClose(() => this.#closed());

    const sent = client.readBody(context.maxBodyBytes, (bytes) => {
      // Answered already, because it came too slowly: the rest need not be kept.
      if (call.isFinished) throw new BodyAborted();
      call.holdBytes(bytes);
    });
    const body = sent instanceof Promise ? await sent : sent;
    let inputs: readonly Tensor[] = nothing;
    let read: EdgeWork;
    try {
      if (call.isFinished) return;
      call.holdBytes(Math.max(call.arrival.bytes, body.length));
      const reading = edge.read(body, model, client.headers);
      read = reading instanceof Promise ? await reading : reading;
      inputs = read.work.inputs;
    } finally {
      // Read or refused: only tensors that lie in the body still need it.
      releaseBody(body, inputs);
    }
    const { work, write } = read;
    if (call.isFinished) return;
    const result = await call.infer(work);
    if (call.isFinished) return;
    const written = write(result);
    const answer = await packed(
      written instanceof Promise ? await written : written,
      client.headers['accept-encoding'],
    );
    if (call.isFinished) return;
    call.finish({ status: 200 });
    const { flagged } = result;
    this.#answer(
      200,
      answer.body,
      flagged === undefined ? answer.headers : { ...answer.headers, [contractHeader]: flagged },
    );
  }

  /** Answers with the error, whatever it is; the second and later calls do nothing. */
  fail(error: unknown): void {
    const call = this.#call;
    if (call.isFinished) return;
    if (error instanceof BodyAborted) {
      call.finish({ status: clientGone });
      this.#client.drop();
      return;
    }
    const { requestId, trace } = call.arrival;
    if (!(error instanceof ProtocolError)) {
      const message = messageOf(error);
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
    this.#answer(status, Buffer.from(encodeError(message)), headers);
  }

  #answer(status: number, body: Buffer, headers: Readonly<Record<string, string>>) {
    const { requestId, trace } = this.#call.arrival;
    this.#client.answer(status, body, {
      requestId,
      trace: trace === undefined ? undefined : traceResponse(trace),
      headers,
      close: this.#context.closing(),
    });
  }

  #closed() {
    if (this.#call.isFinished) return;
    this.#call.cancel();
    this.#call.finish({ status: clientGone });
  }
}
