/** Reads request bodies within a bound, compressed ones counted as what they unfold to. */
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { ProtocolError } from '../../protocol/errors.ts';

const decoders = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;

/** The caller went away before the body was whole: nobody waits for an answer. */
export class BodyAborted extends Error {}

/** The refusal of a body that is too large. */
export const tooLarge = (limit: number): ProtocolError =>
  new ProtocolError(413, `the request body is larger than ${limit} bytes (spec.runtime.limits.maxBodyBytes)`);

/** Reads a whole body of at most `limit` bytes, uncompressed. */
export const readBody = async (request: IncomingMessage, limit: number): Promise<Buffer> => {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip' && encoding !== 'deflate')
    throw new ProtocolError(
      415,
      `content-encoding '${encoding.slice(0, 40)}' is not supported: use gzip, deflate or none`,
    );
  const raw = await collect(request, limit);
  if (encoding === 'identity') return raw;
  try {
    return await decoders[encoding](raw, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit);
    throw new ProtocolError(400, `the request body is no valid ${encoding} data`);
  }
};

const collect = (request: IncomingMessage, limit: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) reject(tooLarge(limit));
      else chunks.push(chunk);
    });
    request.on('end', () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    );
    // Every request closes in the end: the error, with its stack, is only made for those that were cut off.
    const aborted = () => {
      if (!request.complete) reject(new BodyAborted());
    };
    request.on('error', aborted);
    request.on('close', aborted);
  });
