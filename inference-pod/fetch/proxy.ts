/** Which proxy a model server is asked through, and which servers may be asked so. Pure. */
import { BlockList, isIP } from 'node:net';
import { ModelError } from '../inspect/model-error.ts';
import type { AddressPolicy } from './address-policy.ts';

export interface ProxySettings {
  readonly httpsProxy?: string | undefined;
  readonly httpProxy?: string | undefined;
  /** Hosts that are asked directly. */
  readonly noProxy?: readonly string[] | undefined;
}

const plainHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');

/** The proxy for a URL; undefined when it is asked directly. A setting that is no URL is an error, never a way past the proxy. */
export function proxyFor(url: URL, settings: ProxySettings): URL | undefined {
  const text = url.protocol === 'https:' ? settings.httpsProxy : settings.httpProxy;
  if (text === undefined || text === '') return undefined;
  const host = plainHost(url);
  if ((settings.noProxy ?? []).some((entry) => covers(entry.trim().toLowerCase(), host, url)))
    return undefined;
  const proxy = URL.canParse(text) ? new URL(text) : undefined;
  if (proxy === undefined || !/^https?:$/.test(proxy.protocol) || proxy.hostname === '')
    throw new ModelError(
      'ConfigInvalid',
      `the proxy '${text.slice(0, 200)}' is no http:// or https:// address`,
    );
  return proxy;
}

/** As curl and Go read it: `*`, a name with its subdomains, an address, a range; a port after it narrows it. */
function covers(entry: string, host: string, url: URL): boolean {
  if (entry === '*') return true;
  const range = /^([^/]+)\/(\d{1,3})$/.exec(entry);
  if (range !== null) return isInRange(host, range[1] ?? '', Number(range[2]));
  const bare = entry.replace(/^\[|\]$/g, '');
  if (isIP(bare) !== 0) return bare === host;
  const [, name = '', port] = /^\*?\.?([^:]*)(?::(\d+))?$/.exec(entry) ?? [];
  if (
    name === '' ||
    (port !== undefined && port !== (url.port || (url.protocol === 'https:' ? '443' : '80')))
  )
    return false;
  return host === name || host.endsWith(`.${name}`);
}

function isInRange(host: string, address: string, prefix: number): boolean {
  if (isIP(host) === 0 || isIP(host) !== isIP(address)) return false;
  try {
    const list = new BlockList();
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, prefix, family);
    return list.check(host, family);
  } catch {
    return false;
  }
}

/** Names that mean something inside a cluster, a cloud or a machine, and nothing on the internet. */
const insideNames = /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa|svc)$/;

/**
 * What forbids asking a proxy for a URL; undefined when nothing does. The proxy resolves the name, so the address that it
 * connects to is out of our sight: literal addresses are judged as ever, names that lead inside are refused, and `resolved`,
 * what this pod's own DNS says if anything, must be allowed too. A private server is asked directly: it is named in noProxy.
 */
export function forbiddenBehindProxy(
  url: URL,
  resolved: readonly string[],
  policy: AddressPolicy,
): string | undefined {
  const host = plainHost(url);
  if (isIP(host) !== 0) return policy(host) ? undefined : host;
  if (!host.includes('.') || insideNames.test(host)) return host;
  const bad = resolved.find((address) => !policy(address));
  return bad === undefined ? undefined : `${host} (${bad})`;
}
