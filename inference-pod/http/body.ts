/** Reads request bodies within a bound, compressed ones counted as what they unfold to. */
import type { IncomingMessage } from 'node:http';
import { createGunzip, createInflate } from 'node:zlib';
import type { CrumbsWhy, CrumbWatch } from '../../crowd/crumb-watch.ts';
import { Crumbs, mostCrumbs } from '../../crowd/crumbs.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { releaseChunk } from '../runner/release.ts';

const decoders = { gzip: createGunzip, deflate: createInflate } as const;

/** Says how many bytes of a body are JSON; the elements of binary tensors begin behind them. */
export const headerLengthName = 'inference-header-content-length';

/** The caller went away before the body was whole: nobody waits for an answer. */
export class BodyAborted extends Error {}

/** The refusal of a body that is too large. */
export const tooLarge = (limit: number): ProtocolError =>
  new ProtocolError(413, `the request body is larger than ${limit} bytes (spec.runtime.limits.maxBodyBytes)`);

/** Told how many bytes the body takes so far; what it throws ends the reading and is what `readBody` rejects with. */
export type OnBytes = (total: number) => void;

/** Steps in which `OnBytes` is told: a small body is not worth a call. */
const tellEvery = 65_536;
const nobody: OnBytes = () => undefined;

/** Reads a whole body of at most `limit` bytes, uncompressed. */
export const readBody = async (
  request: IncomingMessage,
  limit: number,
  onBytes: OnBytes = nobody,
  crumbs?: CrumbWatch,
): Promise<Buffer> => {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip' && encoding !== 'deflate')
    throw new ProtocolError(
      415,
      `content-encoding '${encoding.slice(0, 40)}' is not supported: use gzip, deflate or none`,
    );
  const raw = await collect(request, limit, onBytes, crumbs);
  return encoding === 'identity' ? raw : unfold(raw, encoding, limit, onBytes);
};

const inCrumbs: Readonly<Record<CrumbsWhy, () => ProtocolError>> = {
  crumbs: () =>
    new ProtocolError(413, `the request body comes in more than ${mostCrumbs} pieces of a few bytes`),
  crowd: () => new ProtocolError(429, 'too many request bodies come in pieces of a few bytes at once'),
};

const smallChunk = 4_096;
const slabBytes = 65_536;

/**
 * Chunks in order. Small ones are copied together: a body that is sent byte by byte would otherwise cost a hundred times
 * its size in objects.
 */
class Chunks {
  readonly #whole: Buffer[] = [];
  #slab: Buffer | undefined;
  #used = 0;
  size = 0;

  add(chunk: Buffer): void {
    this.size += chunk.length;
    if (chunk.length > smallChunk || this.#whole.length === 0) {
      this.#closeSlab();
      this.#whole.push(chunk);
      return;
    }
    if (this.#slab === undefined || this.#slab.length - this.#used < chunk.length) {
      this.#closeSlab();
      this.#slab = Buffer.allocUnsafeSlow(slabBytes);
      this.#used = 0;
    }
    this.#used += chunk.copy(this.#slab, this.#used);
  }

  /** The body in one piece. Put together from several, byte `blobAt` lies where an element of any size may begin. */
  join(blobAt: number): Buffer {
    this.#closeSlab();
    // Taken out: what is released afterwards must not be the body that is read now.
    const whole = this.#whole.splice(0);
    const [first] = whole;
    if (whole.length === 1 && first !== undefined) return first;
    const pad = -blobAt & 7;
    // Not from Node's pool: the memory goes to the runner with the elements.
    const body = Buffer.allocUnsafeSlow(pad + this.size).subarray(pad);
    let at = 0;
    for (const chunk of whole) {
      at += chunk.copy(body, at);
      releaseChunk(chunk);
    }
    return body;
  }

  /** Gives all of it back: nobody will ask for the body. */
  release(): void {
    this.#closeSlab();
    for (const chunk of this.#whole.splice(0)) releaseChunk(chunk);
    this.size = 0;
  }

  #closeSlab() {
    if (this.#slab !== undefined) this.#whole.push(this.#slab.subarray(0, this.#used));
    this.#slab = undefined;
  }
}

/** Reads what is left of a body that nobody wants, so that its connection can go on. */
export const throwAway = (request: IncomingMessage): void => {
  request.on('data', releaseChunk);
  request.resume();
};

const collect = (
  request: IncomingMessage,
  limit: number,
  onBytes: OnBytes,
  watch?: CrumbWatch,
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks = new Chunks();
    let told = 0;
    const crumbs = new Crumbs();
    let isRefused = false;
    const refuse = (error: unknown) => {
      isRefused = true;
      // The client may go on sending for a while: what is here already must not wait for that.
      chunks.release();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    watch?.onCrumbs((why) => refuse(inCrumbs[why]()));
    request.on('data', (chunk: Buffer) => {
      if (isRefused) {
        releaseChunk(chunk);
        return;
      }
      if (chunks.size + chunk.length > limit) {
        refuse(tooLarge(limit));
        releaseChunk(chunk);
        return;
      }
      chunks.add(chunk);
      if (!crumbs.saw(chunk.length)) {
        refuse(inCrumbs.crumbs());
        // Each further piece costs as much as a small request, and thousands lie in the kernel: the answer cannot wait for them.
        request.destroy();
        return;
      }
      if (chunks.size - told < tellEvery) return;
      told = chunks.size;
      try {
        onBytes(told);
      } catch (error) {
        refuse(error);
      }
    });
    request.on('end', () => {
      if (!isRefused) resolve(chunks.join(Number(request.headers[headerLengthName] ?? 0)));
    });
    // Every request closes in the end: the error, with its stack, is only made for those that were cut off.
    const aborted = () => {
      if (!request.complete && !isRefused) refuse(new BodyAborted());
    };
    request.on('error', aborted);
    request.on('close', aborted);
  });

/** Unpacks piece by piece, so that a bomb is refused while it grows: many at a time must not each grow to the limit unseen. */
const unfold = (
  raw: Buffer,
  encoding: keyof typeof decoders,
  limit: number,
  onBytes: OnBytes,
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const decoder = decoders[encoding]({ chunkSize: tellEvery });
    const chunks: Buffer[] = [];
    let size = 0;
    const refuse = (error: unknown) => {
      decoder.destroy();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    decoder.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        refuse(tooLarge(limit));
        return;
      }
      chunks.push(chunk);
      try {
        onBytes(raw.length + size);
      } catch (error) {
        refuse(error);
      }
    });
    decoder.on('end', () => resolve(Buffer.concat(chunks, size)));
    decoder.on('error', () =>
      reject(new ProtocolError(400, `the request body is no valid ${encoding} data`)),
    );
    decoder.end(raw);
  });
