/** Compressed messages. They are unpacked one after the other, so that many small bombs cost the memory of one. */
import { promisify } from 'node:util';
import { deflate, gunzip, gzip, inflate } from 'node:zlib';
import { ProtocolError } from '../../../protocol/errors.ts';
import { framePrefixBytes } from './frames.ts';

const unpackers = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;
const packers = { gzip: promisify(gzip), deflate: promisify(deflate) } as const;

export type Encoding = keyof typeof unpackers;

/** What the server takes, as `grpc-accept-encoding` says it. */
export const acceptedEncodings = 'identity,deflate,gzip';

export const isEncoding = (name: string): name is Encoding => Object.hasOwn(unpackers, name);

let last: Promise<unknown> = Promise.resolve();

/** Unpacks a message of at most `limit` bytes; waits for those before it. */
export const unpack = (message: Buffer, encoding: Encoding, limit: number): Promise<Buffer> => {
  const unpacked = last.then(async () => {
    try {
      return await unpackers[encoding](message, { maxOutputLength: limit });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        throw new ProtocolError(413, `the message is larger than ${limit} bytes when it is unpacked`);
      throw new ProtocolError(400, `the message is no valid ${encoding} data`);
    }
  });
  last = unpacked.catch(() => undefined);
  return unpacked;
};

/** Packs a message that leaves room for its prefix; the result does too. */
export const pack = async (message: Buffer, encoding: Encoding): Promise<Buffer> => {
  const packed = await packers[encoding](message.subarray(framePrefixBytes));
  return Buffer.concat([Buffer.allocUnsafe(framePrefixBytes), packed]);
};
