/**
 * The head of a request, as far as the fast lane takes it: the plainest form in which clients ask for inference. Whatever is
 * rare, doubtful or wrong is not read here but by node:http, which takes it or refuses it. Pure.
 */
import type { RequestHeaders } from '../client.ts';
import type { InferRoute } from '../route.ts';

export interface Head {
  readonly route: InferRoute;
  readonly headers: RequestHeaders;
  /** Bytes of the head, with the empty line that ends it. */
  readonly length: number;
  readonly bodyLength: number;
}

/** Longest head that is read here. */
export const maxHead = 8_192;

const requestLine =
  /^POST \/v2\/models\/([A-Za-z0-9][A-Za-z0-9._-]*)(?:\/versions\/([A-Za-z0-9][A-Za-z0-9._-]*))?\/infer HTTP\/1\.1$/;
const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)$/;
/** Such headers change how a request is read or how its connection goes on. */
const special = new Set([
  'content-encoding',
  'expect',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const endOfHead = Buffer.from('\r\n\r\n');
const begin = Buffer.from('POST /v2/models/');
/** node:http leaves out what is beyond a thousand. */
const mostFields = 64;
/** Longest head that is kept for the next request. */
const keptHead = 1_024;

/** Reads the head that the bytes begin with. Undefined: it is not here as a whole; null: node:http has to read it. */
export const readHead = (bytes: Buffer): Head | undefined | null => {
  const seen = Math.min(bytes.length, begin.length);
  if (begin.compare(bytes, 0, seen, 0, seen) !== 0) return null;
  const end = bytes.indexOf(endOfHead);
  if (end < 0) return bytes.length > maxHead ? null : undefined;
  if (end > maxHead) return null;
  const lines = bytes.toString('latin1', 0, end).split('\r\n');
  const asked = requestLine.exec(lines[0] ?? '');
  if (asked === null || lines.length > mostFields) return null;
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let i = 1; i < lines.length; i += 1) {
    const match = field.exec(lines[i] ?? '');
    if (match === null) return null;
    const name = (match[1] ?? '').toLowerCase();
    // Names that every object has mean something else where headers are an ordinary one.
    if (headers[name] !== undefined || special.has(name) || name in Object.prototype) return null;
    headers[name] = match[2] ?? '';
  }
  const { host, connection, 'content-length': length } = headers;
  if (host === undefined || length === undefined || !/^\d{1,7}$/.test(length)) return null;
  if (connection !== undefined && !/^keep-alive$/i.test(connection)) return null;
  return {
    route: { model: asked[1] ?? '', version: asked[2] },
    headers,
    length: end + endOfHead.length,
    bodyLength: Number(length),
  };
};

/** Reads the heads of one connection. Most are like the one before, byte by byte, which is not read again. */
export class HeadReader {
  #last: Head | undefined;
  #bytes: Buffer | undefined;

  read(bytes: Buffer): Head | undefined | null {
    const last = this.#bytes;
    if (last !== undefined && bytes.length >= last.length && last.compare(bytes, 0, last.length) === 0)
      return this.#last;
    const head = readHead(bytes);
    if (head && head.length <= keptHead) {
      this.#last = head;
      // Copied: a part of what was received would keep all of it.
      this.#bytes = Buffer.from(bytes.subarray(0, head.length));
    }
    return head;
  }
}
