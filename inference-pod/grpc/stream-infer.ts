/** `ModelStreamInfer`: requests and answers on one stream. Requests run side by side; answers keep their order; one that fails ends nothing. */
import { messageOf, ProtocolError } from '../../protocol/errors.ts';
import { writeStreamAnswer, writeStreamFailure } from '../../protocol/grpc/infer-response.ts';
import { codes } from '../../protocol/grpc/status.ts';
import type { Call } from '../inference/types.ts';
import type { GrpcContext } from './context.ts';
import { beginCall, finishCancelled, finishFailed, inferOf } from './infer-call.ts';
import { framePrefixBytes } from './transport/frames.ts';
import type { Method, Receiver, Rpc } from './transport/rpc.ts';

/** Requests of one stream that may run at a time; more wait at the client. */
const mostAtOnce = 64;
/** A refused request of at most this size is read all the same, for the id that its failure is to name. */
const readForItsId = 65_536;

/** The method. */
export const modelStreamInfer = (context: GrpcContext): Method => ({
  maxBytes: context.maxBodyBytes,
  open: (rpc) => new InferenceStream(context, rpc),
});

interface Coming {
  readonly call: Call;
  /** Why it will be refused. */
  refusal: unknown;
}

class InferenceStream implements Receiver {
  readonly #context: GrpcContext;
  readonly #rpc: Rpc;
  readonly #open = new Set<Call>();
  /** Requests whose messages are coming or being unpacked, in order. */
  readonly #coming: Coming[] = [];
  #last: Promise<void> = Promise.resolve();
  #unanswered = 0;
  #isEnded = false;
  #isClosing = false;
  #isHeldBack = false;

  constructor(context: GrpcContext, rpc: Rpc) {
    this.#context = context;
    this.#rpc = rpc;
    rpc.stream.on('drain', () => this.#holdBack());
  }

  begins(bytes: number): boolean {
    const call = beginCall(this.#context, this.#rpc, bytes);
    const coming: Coming = { call, refusal: undefined };
    this.#coming.push(coming);
    this.#open.add(call);
    if (bytes > this.#context.maxBodyBytes) return true;
    try {
      call.admit();
    } catch (error) {
      coming.refusal = error;
    }
    call.onTimeout((error) => {
      coming.refusal ??= error;
    });
    return coming.refusal === undefined || bytes <= readForItsId;
  }

  received(bytes: number): void {
    const coming = this.#coming.at(-1);
    if (coming === undefined || coming.refusal !== undefined) return;
    try {
      coming.call.holdBytes(bytes);
    } catch (error) {
      coming.refusal = error;
    }
  }

  message(bytes: Buffer): void {
    const coming = this.#coming.shift();
    if (coming === undefined) throw new ProtocolError(500, 'a message came without its beginning');
    this.#unanswered += 1;
    const answer = this.#answerTo(coming, bytes);
    this.#last = Promise.all([answer, this.#last]).then(([message]) => {
      this.#unanswered -= 1;
      this.#rpc.send(message);
      this.#holdBack();
      this.#endWhenDone();
    });
    this.#holdBack();
  }

  ended(): void {
    this.#isEnded = true;
    this.#endWhenDone();
  }

  closing(): void {
    this.#isClosing = true;
    this.#endWhenDone();
  }

  cancelled(error: Error | undefined): void {
    for (const call of this.#open) finishCancelled(this.#context, call, error);
    this.#open.clear();
  }

  /** The message to answer with; never rejects. */
  async #answerTo(coming: Coming, bytes: Buffer): Promise<Buffer> {
    const { call } = coming;
    let id = '';
    try {
      const answer = await inferOf(this.#context, call, bytes, (given) => {
        id = given;
        if (coming.refusal !== undefined) throw coming.refusal;
      });
      const message = writeStreamAnswer(answer, framePrefixBytes);
      call.finish({ status: 200 });
      return message;
    } catch (error) {
      const why = coming.refusal ?? error;
      finishFailed(this.#context, call, why);
      return writeStreamFailure(messageOf(why), id, framePrefixBytes);
    } finally {
      this.#open.delete(call);
    }
  }

  /** Reads no more while too much is on its way, in either direction. */
  #holdBack() {
    const { stream } = this.#rpc;
    const shall = this.#unanswered >= mostAtOnce || stream.writableNeedDrain;
    if (shall === this.#isHeldBack) return;
    this.#isHeldBack = shall;
    if (shall) stream.pause();
    else stream.resume();
  }

  #endWhenDone() {
    if (this.#unanswered > 0 || this.#coming.length > 0) return;
    if (this.#isEnded) this.#rpc.end();
    else if (this.#isClosing)
      this.#rpc.end({ code: codes.unavailable, message: 'the server is shutting down' });
  }
}
