/** Cuts the bytes of an RPC into its messages: one byte that says whether it is compressed, four with its length, the message. */

export interface FrameHandler {
  /** The prefix of a message is here; false when its bytes shall be thrown away as they come. */
  begins(bytes: number, isCompressed: boolean): boolean;
  /** So many bytes of a message are here, and more will come. */
  received(bytes: number): void;
  /** A whole message, empty when it was thrown away. */
  message(bytes: Buffer, isCompressed: boolean): void;
}

const nothing = Buffer.alloc(0);

const prefixBytes = 5;

export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #prefix = Buffer.allocUnsafe(prefixBytes);
  #prefixFilled = 0;
  #chunks: Buffer[] = [];
  #missing = 0;
  #length = 0;
  #isStopped = false;
  #isKept = true;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** True between two messages. */
  get isBetween(): boolean {
    return this.#prefixFilled === 0;
  }

  write(data: Buffer): void {
    let at = 0;
    while (at < data.length && !this.#isStopped) {
      if (this.#prefixFilled < prefixBytes) {
        const taken = data.copy(this.#prefix, this.#prefixFilled, at, at + prefixBytes - this.#prefixFilled);
        this.#prefixFilled += taken;
        at += taken;
        if (this.#prefixFilled < prefixBytes) return;
        this.#length = this.#missing = this.#prefix.readUInt32BE(1);
        this.#isKept = this.#handler.begins(this.#length, this.#isCompressed);
        if (this.#length === 0) this.#end(nothing);
        continue;
      }
      const chunk = data.subarray(at, at + this.#missing);
      at += chunk.length;
      this.#missing -= chunk.length;
      if (!this.#isKept) {
        if (this.#missing === 0) this.#end(nothing);
        continue;
      }
      // The usual message lies in one piece: it is not copied.
      if (this.#missing === 0 && this.#chunks.length === 0) {
        this.#end(chunk);
        continue;
      }
      this.#chunks.push(chunk);
      if (this.#missing === 0) this.#end(Buffer.concat(this.#chunks, this.#length));
      else this.#handler.received(this.#length - this.#missing);
    }
  }

  /** Takes no more. */
  stop(): void {
    this.#isStopped = true;
    this.#chunks = [];
  }

  get #isCompressed() {
    return this.#prefix[0] === 1;
  }

  #end(message: Buffer) {
    const isCompressed = this.#isCompressed;
    this.#prefixFilled = 0;
    this.#chunks = [];
    this.#handler.message(message, isCompressed);
  }
}

/** Room that a message leaves in front of itself, so that its prefix needs no copy. */
export const framePrefixBytes = prefixBytes;

/** Writes the prefix of the message that lies behind the first five bytes. */
export const frame = (message: Buffer, isCompressed = false): Buffer => {
  message[0] = isCompressed ? 1 : 0;
  message.writeUInt32BE(message.length - prefixBytes, 1);
  return message;
};
