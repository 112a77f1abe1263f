/** One GET through a proxy: a CONNECT tunnel, and TLS with the model's server inside it. Loaded only where there is a proxy. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { ProxyAgent, request } from 'undici';
import { messageOf } from '../../protocol/errors.ts';
import { ModelError } from '../inspect/model-error.ts';
import type { AddressPolicy } from './address-policy.ts';
import type { Answer } from './answer.ts';
import { deniedError, RetryableError, transferError } from './http-failures.ts';
import { forbiddenBehindProxy } from './proxy.ts';

/** Behind a proxy the pod's own DNS often knows no outside names, and then takes its time to say so. */
const resolveMs = 2_000;

async function resolvedHere(host: string): Promise<string[]> {
  const never = Promise.withResolvers<string[]>();
  const timer = setTimeout(() => never.resolve([]), resolveMs);
  const found = lookup(host, { all: true }).then(
    (addresses) => addresses.map(({ address }) => address),
    () => [],
  );
  const first = await Promise.race([found, never.promise]);
  clearTimeout(timer);
  return first;
}

/** Gets a URL through `proxy`; the proxy's own address is the operator's word and is not judged. */
export async function getThroughProxy(
  url: URL,
  proxy: URL,
  options: {
    readonly policy: AddressPolicy;
    /** How long proxy and server may be silent. */
    readonly stallMs: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly ca: string[] | undefined;
  },
): Promise<Answer> {
  const { policy, stallMs, headers, ca } = options;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const forbidden = forbiddenBehindProxy(url, isIP(host) === 0 ? await resolvedHere(host) : [], policy);
  if (forbidden !== undefined) throw deniedError(forbidden);
  const trust = ca === undefined ? {} : { ca };
  const agent = new ProxyAgent({
    uri: proxy.href,
    connectTimeout: stallMs,
    proxyTls: trust,
    requestTls: { ...trust, ...(isIP(host) === 0 ? { servername: host } : {}) },
    headersTimeout: stallMs,
    bodyTimeout: stallMs,
    allowH2: false,
  });
  try {
    const {
      statusCode,
      headers: answered,
      body,
    } = await request(url, {
      method: 'GET',
      headers,
      dispatcher: agent,
    });
    return {
      statusCode,
      headers: answered,
      [Symbol.asyncIterator]: () => body[Symbol.asyncIterator](),
      destroy: () => {
        body.on('error', () => {});
        body.destroy();
        void agent.destroy();
      },
    };
  } catch (error) {
    void agent.destroy();
    throw proxyError(url, proxy, error);
  }
}

function proxyError(url: URL, proxy: URL, error: unknown): Error {
  const text = messageOf(error);
  const status = /^Proxy response \((\d+)\)/.exec(text)?.[1];
  if (status === undefined) return transferError(`${url.host} through the proxy ${proxy.host}`, error);
  const message = `the proxy ${proxy.host} answered ${status} when it was asked for ${url.host}`;
  return /^(401|403|405|407|451)$/.test(status)
    ? new ModelError('ModelForbidden', message)
    : new RetryableError(message);
}
