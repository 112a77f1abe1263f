/** `ModelInfer`: one request, one answer. */
import { ProtocolError } from '../../protocol/errors.ts';
import { writeInferAnswer } from '../../protocol/grpc/infer-response.ts';
import { contractHeader, contractParameter } from '../contract/words.ts';
import type { Call } from '../inference/types.ts';
import type { GrpcContext } from './context.ts';
import { beginCall, finishCancelled, finishFailed, inferOf } from './infer-call.ts';
import { framePrefixBytes } from './transport/frames.ts';
import type { Method, Receiver, Rpc } from './transport/rpc.ts';

/** The method. */
export const modelInfer = (context: GrpcContext): Method => ({
  maxBytes: context.maxBodyBytes,
  open: (rpc) => new Inference(context, rpc),
});

class Inference implements Receiver {
  readonly #context: GrpcContext;
  readonly #rpc: Rpc;
  #call: Call | undefined;
  #body: Buffer | undefined;

  constructor(context: GrpcContext, rpc: Rpc) {
    this.#context = context;
    this.#rpc = rpc;
  }

  begins(bytes: number): boolean {
    if (this.#call !== undefined) throw new ProtocolError(400, 'more than one message came');
    const call = beginCall(this.#context, this.#rpc, bytes);
    this.#call = call;
    // Too large for any call: the transport says so, and nothing need be predicted for it.
    if (bytes > this.#context.maxBodyBytes) return true;
    call.admit();
    call.onTimeout((error) => this.#fail(error));
    return true;
  }

  received(bytes: number): void {
    this.#call?.holdBytes(bytes);
  }

  message(bytes: Buffer): void {
    this.#body = bytes;
  }

  ended(): void {
    const call = this.#call;
    const body = this.#body;
    if (call === undefined || body === undefined) throw new ProtocolError(400, 'no message came');
    this.#body = undefined;
    this.#infer(call, body).catch((error: unknown) => this.#fail(error));
  }

  cancelled(error: Error | undefined): void {
    this.#body = undefined;
    if (this.#call !== undefined) finishCancelled(this.#context, this.#call, error);
  }

  async #infer(call: Call, body: Buffer) {
    const answer = await inferOf(this.#context, call, body);
    if (call.isFinished) return;
    const flagged = answer.parameters?.[contractParameter];
    if (flagged !== undefined) this.#rpc.answerHeaders[contractHeader] = flagged;
    const message = writeInferAnswer(answer, framePrefixBytes);
    call.finish({ status: 200 });
    this.#rpc.answer(message);
  }

  #fail(error: unknown) {
    if (this.#call !== undefined) finishFailed(this.#context, this.#call, error);
    this.#rpc.fail(error);
  }
}
