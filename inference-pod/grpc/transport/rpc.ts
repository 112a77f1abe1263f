/** One RPC on an HTTP/2 stream: messages in, messages and a status out. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { messageOf, ProtocolError } from '../../../protocol/errors.ts';
import {
  codeOf,
  codes,
  encodeStatusMessage,
  parseTimeout,
  type Status,
} from '../../../protocol/grpc/status.ts';
import { Overloaded } from '../../admission/admission.ts';
import { acceptedEncodings, type Encoding, isEncoding, pack, unpack } from './compression.ts';
import { FrameReader, frame } from './frames.ts';

/** What a method does with what comes. Whatever it throws ends the RPC. */
export interface Receiver {
  /** A message of that size, as it is sent, begins; false when its bytes shall be thrown away: it will be empty. */
  begins?(bytes: number): boolean;
  /** So many bytes of a large message are here. */
  received?(bytes: number): void;
  message(bytes: Buffer): void;
  /** The client sends no more. */
  ended(): void;
  /** The RPC ended before its receiver ended it: with this error, or because the client left. */
  cancelled?(error: Error | undefined): void;
  /** The pod shuts down: what has no end of its own shall end. */
  closing?(): void;
}

/** A method of a service. */
export interface Method {
  /** Largest message that it takes, unpacked. */
  readonly maxBytes: number;
  open(rpc: Rpc): Receiver;
}

/** Answers smaller than this are sent as they are, whatever the client would take. */
const worthPacking = 1024;
/** How long a client may take to begin its first message. */
const firstMessageMs = 10_000;

const okTrailers = Object.freeze({ 'grpc-status': '0' });

/** What went wrong, as a status; what is not known here is a failure of ours, without its stack. */
const statusOf = (error: unknown): Status => {
  if (error instanceof ProtocolError) {
    const { status, message } = error;
    if (!(error instanceof Overloaded)) return { code: codeOf(status), message };
    const seconds = error.retryAfterSeconds;
    const metadata = { 'retry-after': String(seconds), 'grpc-retry-pushback-ms': String(seconds * 1000) };
    return { code: codeOf(status), message, metadata };
  }
  return { code: codes.internal, message: messageOf(error) };
};

export class Rpc {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** How long the client waits, when it says so. */
  readonly timeoutMs: number | undefined;
  /** Initial metadata of the answer. */
  readonly answerHeaders: OutgoingHttpHeaders = {};
  readonly #maxBytes: number;
  readonly #receiver: Receiver;
  readonly #frames: FrameReader;
  readonly #encoding: string;
  #answerEncoding: Encoding | undefined;
  #isEnded = false;
  #hasHeaders = false;
  #trailers: OutgoingHttpHeaders = okTrailers;
  /** Messages that are unpacked or packed at this moment are waited for, so that order holds. */
  #incoming: Promise<unknown> | undefined;
  #outgoing: Promise<unknown> | undefined;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, method: Method) {
    this.stream = stream;
    this.headers = headers;
    this.timeoutMs = parseTimeout(headers['grpc-timeout'] as string | undefined);
    this.#maxBytes = method.maxBytes;
    this.#encoding = String(headers['grpc-encoding'] ?? 'identity');
    this.#frames = new FrameReader({
      begins: (bytes, isCompressed) => this.#begins(bytes, isCompressed),
      received: (bytes) => this.#receiver.received?.(bytes),
      message: (bytes, isCompressed) => this.#message(bytes, isCompressed),
    });
    // An error is always followed by a close.
    stream.on('error', () => undefined);
    stream.on('close', () => this.#closed());
    this.#receiver = method.open(this);
    if (this.#isEnded) {
      stream.resume();
      return;
    }
    stream.setTimeout(firstMessageMs, () =>
      this.end({ code: codes.deadlineExceeded, message: 'no message came in time' }),
    );
    stream.on('data', (chunk: Buffer) => {
      if (!this.#isEnded) this.#guard(() => this.#frames.write(chunk));
    });
    stream.on('end', () => this.#halfClosed());
  }

  /** True when the status was sent, or nobody is there to take it. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Sends a message, which leaves room for its prefix. */
  send(message: Buffer): void {
    if (this.#isEnded) return;
    const encoding = this.#answerEncoding;
    if (encoding !== undefined && message.length > worthPacking)
      this.#later(pack(message, encoding).then((packed) => this.#write(frame(packed, true))));
    else if (this.#outgoing !== undefined)
      this.#later(this.#outgoing.then(() => this.#write(frame(message))));
    else this.#write(frame(message));
  }

  /** Sends a message and ends well. */
  answer(message: Buffer): void {
    if (this.#isEnded) return;
    if (this.#answerEncoding !== undefined && message.length > worthPacking) {
      this.send(message);
      this.end();
      return;
    }
    // The one way of most calls: everything in one write.
    this.#isEnded = true;
    this.#respond();
    this.stream.end(frame(message));
  }

  /** Ends the RPC; the second and later calls do nothing. */
  end(status: Status = { code: codes.ok, message: '' }): void {
    if (this.#isEnded) return;
    if (this.#outgoing !== undefined && status.code === codes.ok) {
      void this.#outgoing.then(() => this.end(status));
      this.#outgoing = undefined;
      return;
    }
    this.#isEnded = true;
    this.#frames.stop();
    if (this.stream.destroyed || this.stream.closed) return;
    this.stream.setTimeout(0);
    const trailers = {
      'grpc-status': String(status.code),
      ...(status.message === '' ? {} : { 'grpc-message': encodeStatusMessage(status.message) }),
      ...status.metadata,
    };
    if (this.#hasHeaders) {
      this.#trailers = trailers;
      this.stream.end();
    } else {
      this.stream.respond({ ...this.#initialHeaders(), ...trailers }, { endStream: true });
    }
  }

  /** Ends the RPC with an error that somebody threw. */
  fail(error: unknown): void {
    this.end(statusOf(error));
  }

  #begins(bytes: number, isCompressed: boolean): boolean {
    this.stream.setTimeout(0);
    const isKept = this.#receiver.begins?.(bytes) ?? true;
    if (bytes > this.#maxBytes)
      throw new ProtocolError(413, `the message of ${bytes} bytes is larger than ${this.#maxBytes} bytes`);
    if (isCompressed && this.#encoding === 'identity')
      throw new ProtocolError(400, 'the message is compressed, and grpc-encoding does not say how');
    if (isCompressed && !isEncoding(this.#encoding))
      throw new ProtocolError(
        501,
        `grpc-encoding '${this.#encoding.slice(0, 40)}' is not supported: use gzip, deflate or identity`,
      );
    return isKept;
  }

  #message(bytes: Buffer, isCompressed: boolean) {
    if (!isCompressed || bytes.length === 0) {
      if (this.#incoming === undefined) this.#receiver.message(bytes);
      else this.#queue(this.#incoming.then(() => this.#guard(() => this.#receiver.message(bytes))));
      return;
    }
    const encoding = this.#encoding as Encoding;
    const accepted = String(this.headers['grpc-accept-encoding'] ?? '').split(',');
    if (accepted.some((name) => name.trim() === encoding)) this.#answerEncoding = encoding;
    this.#queue(
      Promise.all([unpack(bytes, encoding, this.#maxBytes, () => !this.#isEnded), this.#incoming]).then(
        ([unpacked]) => this.#guard(() => this.#receiver.message(unpacked)),
        (error: unknown) => this.#refuse(error),
      ),
    );
  }

  #queue(work: Promise<unknown>) {
    this.#incoming = work;
    void work.then(() => {
      if (this.#incoming === work) this.#incoming = undefined;
    });
  }

  #later(work: Promise<unknown>) {
    const settled = work.catch((error: unknown) => this.fail(error));
    this.#outgoing = settled;
    void settled.then(() => {
      if (this.#outgoing === settled) this.#outgoing = undefined;
    });
  }

  #halfClosed() {
    if (this.#isEnded) return;
    if (!this.#frames.isBetween) this.#refuse(new ProtocolError(400, 'the last message is not whole'));
    else if (this.#incoming !== undefined)
      void this.#incoming.then(() => this.#guard(() => this.#receiver.ended()));
    else this.#guard(() => this.#receiver.ended());
  }

  #guard(work: () => void) {
    if (this.#isEnded) return;
    try {
      work();
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(error: unknown) {
    if (this.#isEnded) return;
    this.fail(error);
    this.#receiver.cancelled?.(error instanceof Error ? error : new Error(String(error)));
  }

  #closed() {
    this.#frames.stop();
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#receiver?.cancelled?.(undefined);
  }

  /** Tells the receiver that the pod shuts down. */
  closing(): void {
    if (!this.#isEnded) this.#receiver.closing?.();
  }

  #initialHeaders(): OutgoingHttpHeaders {
    return {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-accept-encoding': acceptedEncodings,
      ...(this.#answerEncoding === undefined ? {} : { 'grpc-encoding': this.#answerEncoding }),
      ...this.answerHeaders,
    };
  }

  #respond() {
    if (this.#hasHeaders || this.stream.destroyed || this.stream.closed) return;
    this.#hasHeaders = true;
    this.stream.respond(this.#initialHeaders(), { waitForTrailers: true });
    this.stream.once('wantTrailers', () => {
      if (!this.stream.destroyed && !this.stream.closed) this.stream.sendTrailers(this.#trailers);
    });
  }

  #write(framed: Buffer) {
    if (this.#isEnded || this.stream.destroyed || this.stream.closed) return;
    this.#respond();
    this.stream.write(framed);
  }
}
