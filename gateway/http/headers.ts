/** What a request carries from one hop to the next (RFC 9110 §7.6), and what it must not. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Of one hop, or written anew by the gateway. */
const notPassed = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
  'content-length',
  'ballast-deadline-ms',
  'x-forwarded-for',
  'via',
]);

export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' };

/** How the body of a request is framed. The parser has refused what is ambiguous before: both lengths, two lengths. */
export const framingOf = ({ headers }: IncomingMessage): Framing => {
  if (headers['transfer-encoding'] !== undefined) return { kind: 'chunked' };
  const length = headers['content-length'];
  return length === undefined || length === '0'
    ? { kind: 'none' }
    : { kind: 'length', bytes: Number(length) };
};

/** Why a request cannot be passed on at all; undefined when it can. */
export const malformed = (request: IncomingMessage): string | undefined => {
  const { rawHeaders, url = '' } = request;
  // It has no headers, and so no length either.
  if (request.httpVersionMajor < 1) return 'HTTP/0.9 is not spoken here';
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]?.length === 4 && rawHeaders[i]?.toLowerCase() === 'host') hosts += 1;
  if (hosts > 1) return 'more than one Host header';
  if (!url.startsWith('/') && url !== '*' && !/^https?:\/\//i.test(url)) return 'the path is none';
  const coding = request.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return 'transfer-encoding must be chunked';
  return undefined;
};

/**
 * The head of the request to the pod. Host, trace context and everything else pass as they came. The address of the client
 * is added at the end of X-Forwarded-For, where only what a proxy wrote may be trusted; the gateway itself reads none of it.
 */
export const requestHead = (request: IncomingMessage, framing: Framing, leftMs: number): string => {
  const { rawHeaders, headers, method = 'GET' } = request;
  const { path, host } = target(request.url ?? '/');
  let head = `${method} ${path} HTTP/1.1\r\n`;
  const named = ownHop(headers.connection);
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const lower = name.toLowerCase();
    if (notPassed.has(lower) || named?.has(lower)) continue;
    if (host !== undefined && lower === 'host') continue;
    head += `${name}: ${rawHeaders[i + 1]}\r\n`;
  }
  // An absolute target rules over the Host header (RFC 9112 §3.2.2).
  if (host !== undefined) head += `host: ${host}\r\n`;
  // HTTP/1.0 needs none, and goes on as HTTP/1.1, which does: what the client called (RFC 9112 §3.2).
  else if (headers.host === undefined) head += `host: ${hereOf(request.socket)}\r\n`;
  const client = request.socket.remoteAddress ?? 'unknown';
  const before = headers['x-forwarded-for'];
  head += `x-forwarded-for: ${before === undefined ? client : `${String(before)}, ${client}`}\r\n`;
  const via = headers.via;
  head += `via: ${via === undefined ? '' : `${via}, `}${request.httpVersion} ballast\r\n`;
  head += `ballast-deadline-ms: ${leftMs}\r\n`;
  if (framing.kind === 'length') head += `content-length: ${framing.bytes}\r\n`;
  else if (framing.kind === 'chunked') head += 'transfer-encoding: chunked\r\n';
  else if (method !== 'GET' && method !== 'HEAD') head += 'content-length: 0\r\n';
  return `${head}\r\n`;
};

const hereOf = ({ localAddress = 'localhost', localPort }: Socket): string =>
  `${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`;

/** Headers that a client names as its own hop's; the framing cannot be named away, nor the host. */
const ownHop = (connection: string | undefined): Set<string> | undefined => {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  const names = connection.split(',').map((name) => name.trim().toLowerCase());
  return new Set(names.filter((name) => name !== 'host'));
};

const target = (url: string): { path: string; host: string | undefined } => {
  if (url.startsWith('/') || url === '*') return { path: url, host: undefined };
  const [, host, path] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? [];
  return { path: path === undefined || path === '' ? '/' : path.startsWith('/') ? path : `/${path}`, host };
};
