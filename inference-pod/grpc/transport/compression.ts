/**
 * Compressed messages. What unfolds to a few times its size is unpacked at once; what unfolds to more, bombs among it, one
 * after the other, so that many cost the memory of one and those that do not are not held up.
 */
import { promisify } from 'node:util';
import { deflate, gunzip, gzip, inflate } from 'node:zlib';
import { ProtocolError } from '../../../protocol/errors.ts';
import { framePrefixBytes } from './frames.ts';

const unpackers = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;
const packers = { gzip: promisify(gzip), deflate: promisify(deflate) } as const;

export type Encoding = keyof typeof unpackers;

/** What the server takes, as `grpc-accept-encoding` says it. */
export const acceptedEncodings = 'identity,deflate,gzip';

/** Whether messages packed like this can be read. */
export const isEncoding = (name: string): name is Encoding => Object.hasOwn(unpackers, name);

/** Tensors of numbers unfold to less than this many times their size, small messages to less than the rest. */
const usualFactor = 4;
const usualBytes = 16_384;

let last: Promise<unknown> = Promise.resolve();

/** Unpacks a message of at most `limit` bytes; `isWanted` is asked when its turn comes. */
export const unpack = async (
  message: Buffer,
  encoding: Encoding,
  limit: number,
  isWanted: () => boolean,
): Promise<Buffer> => {
  const usual = Math.min(limit, message.length * usualFactor + usualBytes);
  try {
    return await unpackers[encoding](message, { maxOutputLength: usual });
  } catch (error) {
    if (!isTooLarge(error)) throw new ProtocolError(400, `the message is no valid ${encoding} data`);
  }
  const unpacked = last.then(async () => {
    if (!isWanted()) throw new ProtocolError(499, 'nobody waits for the message any more');
    try {
      return await unpackers[encoding](message, { maxOutputLength: limit });
    } catch (error) {
      if (!isTooLarge(error)) throw new ProtocolError(400, `the message is no valid ${encoding} data`);
      throw new ProtocolError(413, `the message is larger than ${limit} bytes when it is unpacked`);
    }
  });
  last = unpacked.catch(() => undefined);
  return unpacked;
};

const isTooLarge = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';

/** Packs a message that leaves room for its prefix; the result does too. */
export const pack = async (message: Buffer, encoding: Encoding): Promise<Buffer> => {
  const packed = await packers[encoding](message.subarray(framePrefixBytes));
  return Buffer.concat([Buffer.allocUnsafe(framePrefixBytes), packed]);
};
