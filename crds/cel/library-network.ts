/** `url(…)`, `ip(…)` and `cidr(…)` of Kubernetes' CEL library. */
import type { Environment } from '@marcbachmann/cel-js';
import { isIPv4, isIPv6 } from '../structural/formats.ts';

class Url {
  readonly url: URL;
  readonly text: string;

  constructor(url: URL, text: string) {
    this.url = url;
    this.text = text;
  }

  /** Absolute URLs and absolute paths, as Go's url.ParseRequestURI takes them. */
  static parse(text: string): Url | undefined {
    if (/\s/.test(text)) return undefined;
    if (text.startsWith('/')) return new Url(new URL(text, 'path://none'), text);
    return URL.canParse(text) ? new Url(new URL(text), text) : undefined;
  }

  get isPath(): boolean {
    return this.url.protocol === 'path:';
  }

  get authority(): string {
    const match = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(this.text);
    return (match?.[1] ?? '').replace(/^.*@/, '');
  }
}

class Ip {
  readonly bits: bigint;
  readonly family: 4 | 6;

  constructor(bits: bigint, family: 4 | 6) {
    this.bits = bits;
    this.family = family;
  }

  static parse(text: string): Ip | undefined {
    if (isIPv4(text)) {
      if (text.split('.').some((part) => /^0\d/.test(part))) return undefined;
      return new Ip(
        text.split('.').reduce((bits, part) => bits * 256n + BigInt(part), 0n),
        4,
      );
    }
    if (!isIPv6(text) || text.includes('.')) return undefined;
    const [head = '', tail] = text.split('::');
    const groups = (part: string) => (part === '' ? [] : part.split(':'));
    const left = groups(head);
    const right = tail === undefined ? [] : groups(tail);
    const middle =
      tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0');
    return new Ip(
      [...left, ...middle, ...right].reduce((bits, group) => bits * 65_536n + BigInt(`0x${group}`), 0n),
      6,
    );
  }

  get text(): string {
    if (this.family === 4)
      return [24n, 16n, 8n, 0n].map((shift) => String((this.bits >> shift) & 255n)).join('.');
    const groups = Array.from({ length: 8 }, (_, i) =>
      ((this.bits >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
    );
    return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
  }
}

class Cidr {
  readonly ip: Ip;
  readonly prefix: number;

  constructor(ip: Ip, prefix: number) {
    this.ip = ip;
    this.prefix = prefix;
  }

  static parse(text: string): Cidr | undefined {
    const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
    const ip = match?.[1] === undefined ? undefined : Ip.parse(match[1]);
    const prefix = Number(match?.[2]);
    return ip === undefined || prefix > (ip.family === 4 ? 32 : 128) ? undefined : new Cidr(ip, prefix);
  }

  get shift(): bigint {
    return BigInt((this.ip.family === 4 ? 32 : 128) - this.prefix);
  }

  contains(ip: Ip): boolean {
    return ip.family === this.ip.family && ip.bits >> this.shift === this.ip.bits >> this.shift;
  }
}

const fail = (text: string): never => {
  throw new Error(text);
};

class IpNamespace {}

function inRange(ip: Ip, six: string, four: string): boolean {
  return Cidr.parse(ip.family === 6 ? six : four)?.contains(ip) === true;
}

/** Neither unspecified, loopback, multicast, link-local nor the broadcast address. */
function isGlobalUnicast(ip: Ip): boolean {
  const none = ['::/128', '::1/128', 'ff00::/8', 'fe80::/10'];
  const four = ['0.0.0.0/32', '127.0.0.0/8', '224.0.0.0/4', '169.254.0.0/16', '255.255.255.255/32'];
  return !(ip.family === 6 ? none : four).some((range) => Cidr.parse(range)?.contains(ip) === true);
}

function registerUrl(environment: Environment): void {
  environment
    .registerType('kubernetes.URL', { ctor: Url, fields: {} })
    .registerFunction(
      'url(string): kubernetes.URL',
      (text: string) =>
        Url.parse(text) ??
        fail(`URL parse error during conversion from string: parse "${text}": invalid URI for request`),
    )
    .registerFunction('isURL(string): bool', (text: string) => Url.parse(text) !== undefined)
    .registerOperator('kubernetes.URL == kubernetes.URL', (a: Url, b: Url) => a.text === b.text)
    .registerFunction('kubernetes.URL.getScheme(): string', (u: Url) =>
      u.isPath ? '' : u.url.protocol.slice(0, -1),
    )
    .registerFunction('kubernetes.URL.getHost(): string', (u: Url) => u.authority)
    .registerFunction('kubernetes.URL.getHostname(): string', (u: Url) =>
      u.authority.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1'),
    )
    .registerFunction('kubernetes.URL.getPort(): string', (u: Url) => /:(\d*)$/.exec(u.authority)?.[1] ?? '')
    .registerFunction('kubernetes.URL.getEscapedPath(): string', (u: Url) => {
      const path = u.url.pathname;
      return path === '/' && !/^([a-z][a-z0-9+.-]*:\/\/[^/?#]*)?\//i.test(u.text) ? '' : path;
    })
    .registerFunction('kubernetes.URL.getQuery(): map<string, list<string>>', (u: Url) => {
      const query = new Map<string, string[]>();
      for (const [name, value] of u.url.searchParams) query.set(name, [...(query.get(name) ?? []), value]);
      return query;
    });
}

/** Registers the URL, IP and CIDR libraries. */
export function registerNetwork(environment: Environment): void {
  registerUrl(environment);
  environment
    .registerType('net.IP', { ctor: Ip, fields: {} })
    .registerFunction(
      'ip(string): net.IP',
      (text: string) =>
        Ip.parse(text) ?? fail(`IP Address "${text}" parse error during conversion from string`),
    )
    .registerFunction('isIP(string): bool', (text: string) => Ip.parse(text) !== undefined)
    .registerOperator('net.IP == net.IP', (a: Ip, b: Ip) => a.family === b.family && a.bits === b.bits)
    .registerFunction('string(net.IP): string', (ip: Ip) => ip.text)
    .registerFunction('net.IP.family(): int', (ip: Ip) => BigInt(ip.family))
    .registerFunction('net.IP.isUnspecified(): bool', (ip: Ip) => ip.bits === 0n)
    .registerFunction('net.IP.isLoopback(): bool', (ip: Ip) =>
      ip.family === 4 ? ip.bits >> 24n === 127n : ip.bits === 1n,
    )
    .registerFunction('net.IP.isLinkLocalUnicast(): bool', (ip: Ip) =>
      inRange(ip, 'fe80::/10', '169.254.0.0/16'),
    )
    .registerFunction('net.IP.isLinkLocalMulticast(): bool', (ip: Ip) =>
      inRange(ip, 'ff02::/16', '224.0.0.0/24'),
    )
    .registerFunction('net.IP.isGlobalUnicast(): bool', (ip: Ip) => isGlobalUnicast(ip))
    .registerType('IpNamespace', { ctor: IpNamespace, fields: {} })
    .registerConstant('ip', 'IpNamespace', new IpNamespace())
    .registerFunction('IpNamespace.isCanonical(string): bool', (_: unknown, text: string) => {
      const ip = Ip.parse(text);
      return ip === undefined
        ? fail(`IP Address "${text}" parse error during conversion from string`)
        : ip.text === text;
    })
    .registerType('net.CIDR', { ctor: Cidr, fields: {} })
    .registerFunction(
      'cidr(string): net.CIDR',
      (text: string) =>
        Cidr.parse(text) ??
        fail(
          `network address parse error during conversion from string: network address parse error: ${text}`,
        ),
    )
    .registerFunction('isCIDR(string): bool', (text: string) => Cidr.parse(text) !== undefined)
    .registerOperator(
      'net.CIDR == net.CIDR',
      (a: Cidr, b: Cidr) => a.prefix === b.prefix && a.ip.family === b.ip.family && a.ip.bits === b.ip.bits,
    )
    .registerFunction('string(net.CIDR): string', (c: Cidr) => `${c.ip.text}/${c.prefix}`)
    .registerFunction('net.CIDR.prefixLength(): int', (c: Cidr) => BigInt(c.prefix))
    .registerFunction('net.CIDR.ip(): net.IP', (c: Cidr) => c.ip)
    .registerFunction(
      'net.CIDR.masked(): net.CIDR',
      (c: Cidr) => new Cidr(new Ip((c.ip.bits >> c.shift) << c.shift, c.ip.family), c.prefix),
    )
    .registerFunction('net.CIDR.containsIP(net.IP): bool', (c: Cidr, ip: Ip) => c.contains(ip))
    .registerFunction('net.CIDR.containsIP(string): bool', (c: Cidr, text: string) => {
      const ip = Ip.parse(text);
      return ip !== undefined && c.contains(ip);
    })
    .registerFunction(
      'net.CIDR.containsCIDR(net.CIDR): bool',
      (c: Cidr, other: Cidr) => c.prefix <= other.prefix && c.contains(other.ip),
    )
    .registerFunction('net.CIDR.containsCIDR(string): bool', (c: Cidr, text: string) => {
      const other = Cidr.parse(text);
      return other !== undefined && c.prefix <= other.prefix && c.contains(other.ip);
    });
}
