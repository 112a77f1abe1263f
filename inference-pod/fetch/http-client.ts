/** One guarded GET: every address is checked before it is connected to, redirects are followed by hand. */
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import type { ClientRequest } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import { ModelError } from '../inspect/model-error.ts';
import type { AddressPolicy } from './address-policy.ts';
import type { Answer } from './answer.ts';
import { deniedError, transferError } from './http-failures.ts';
import { type ProxySettings, proxyFor } from './proxy.ts';

// As in http/server.ts: an import would load undici too.
const { request: httpRequest } = process.getBuiltinModule('node:http');
const { request: httpsRequest } = process.getBuiltinModule('node:https');

export interface GetOptions {
  readonly policy: AddressPolicy;
  readonly headers: Readonly<Record<string, string>>;
  /** How long the server may be silent, milliseconds. */
  readonly stallMs: number;
  /** `http://` may be asked where the policy lets it. */
  readonly allowHttp: boolean;
  /** Certificate authorities beside the public ones, PEM. */
  readonly ca?: string;
  /** Default: every server is asked directly. */
  readonly proxy?: ProxySettings;
}

const maxRedirects = 3;
const redirects = new Set([301, 302, 303, 307, 308]);

class DeniedAddress extends Error {}

/** Gets a URL; resolves with the final answer, whatever its status. */
export const guardedGet = async (start: URL, options: GetOptions): Promise<Answer> => {
  let url = start;
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const response = await getOnce(url, options);
    const location = response.headers.location;
    if (!redirects.has(response.statusCode ?? 0) || location === undefined) return response;
    response.destroy();
    const next = new URL(location, url);
    if (next.protocol !== 'https:' && next.protocol !== url.protocol)
      throw new ModelError(
        'ModelForbidden',
        `${url.host} redirects from ${url.protocol}// to ${next.protocol}//, which is refused`,
      );
    url = next;
  }
  throw new ModelError('ModelForbidden', `${start.host} redirects more than ${maxRedirects} times`);
};

const getOnce = async (url: URL, options: GetOptions): Promise<Answer> => {
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && options.allowHttp))
    throw new ModelError('ModelForbidden', `${url.protocol}// is refused`);
  const headers = { 'accept-encoding': 'identity', 'user-agent': 'ballast-fetch', ...options.headers };
  // A CA of our own stands beside the public ones, it does not replace them.
  const ca = options.ca === undefined ? undefined : [...getCACertificates('default'), options.ca];
  const proxy = proxyFor(url, options.proxy ?? {});
  if (proxy !== undefined) {
    const { getThroughProxy } = await import('./proxied-get.ts');
    return getThroughProxy(url, proxy, { ...options, headers, ca });
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !options.policy(host)) throw deniedError(host);
  return new Promise((resolve, reject) => {
    const settings = {
      method: 'GET',
      headers,
      lookup: guardedLookup(options.policy),
      timeout: options.stallMs,
      agent: false as const,
      ...(ca === undefined ? {} : { ca }),
    };
    const request: ClientRequest =
      url.protocol === 'https:' ? httpsRequest(url, settings) : httpRequest(url, settings);
    request.on('timeout', () =>
      request.destroy(new Error(`${url.host} was silent for ${options.stallMs} ms`)),
    );
    request.on('error', (error) => {
      reject(error instanceof DeniedAddress ? deniedError(error.message) : transferError(url.host, error));
    });
    request.on('response', resolve);
    request.end();
  });
};

/** Resolves a name once and refuses it when any of its addresses is denied; what was checked is what is connected to. */
const guardedLookup =
  (policy: AddressPolicy): LookupFunction =>
  (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) {
        callback(error, '', 0);
        return;
      }
      const bad = addresses.find(({ address }) => !policy(address));
      const first = addresses[0];
      if (bad !== undefined) callback(new DeniedAddress(`${hostname} (${bad.address})`), '', 0);
      else if (first === undefined) callback(new Error(`${hostname} has no address`), '', 0);
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
