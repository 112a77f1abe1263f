/** Which servers are asked through the proxy, and which not even so. */
import { describe, expect, test } from '@jest/globals';
import { createAddressPolicy } from './address-policy.ts';
import { forbiddenBehindProxy, proxyFor } from './proxy.ts';

const proxy = 'http://proxy.example.com:3128';
const chosen = (url: string, noProxy: string[]) =>
  proxyFor(new URL(url), { httpsProxy: proxy, noProxy })?.host;

describe('the proxy of a URL', () => {
  test.each<[string, string[], boolean]>([
    ['https://models.example.com/a', [], true],
    ['https://models.example.com/a', ['example.com'], false],
    ['https://models.example.com/a', ['.example.com'], false],
    ['https://models.example.com/a', ['*.example.com'], false],
    ['https://MODELS.example.com./a', ['Models.Example.COM'], false],
    ['https://example.com/a', ['.example.com'], false],
    ['https://notexample.com/a', ['example.com'], true],
    ['https://example.com.evil.org/a', ['example.com'], true],
    ['https://models.example.com/a', ['example.com:443'], false],
    ['https://models.example.com/a', ['example.com:8443'], true],
    ['https://models.example.com:8443/a', ['example.com:8443'], false],
    ['https://10.1.2.3/a', ['10.0.0.0/8'], false],
    ['https://11.1.2.3/a', ['10.0.0.0/8'], true],
    ['https://10.1.2.3/a', ['10.1.2.3'], false],
    ['https://10.1.2.30/a', ['10.1.2.3'], true],
    ['https://[fd00::1]/a', ['fd00::/8'], false],
    ['https://[fd00::1]/a', ['::1'], true],
    ['https://models.example.com/a', ['10.0.0.0/99', '', '.'], true],
    ['https://models.example.com/a', ['*'], false],
  ])('%s with noProxy %j: %s', (url, noProxy, throughIt) => {
    expect(chosen(url, noProxy)).toBe(throughIt ? 'proxy.example.com:3128' : undefined);
  });

  test('is that of its scheme', () => {
    expect(proxyFor(new URL('http://a.com'), { httpsProxy: proxy })).toBeUndefined();
    expect(proxyFor(new URL('http://a.com'), { httpProxy: proxy })?.host).toBe('proxy.example.com:3128');
    expect(proxyFor(new URL('https://a.com'), { httpsProxy: '' })).toBeUndefined();
  });

  test.each([['proxy:3128'], ['socks5://proxy:1080'], ['http://']])(
    '%s is an error and no way past it',
    (text) => {
      expect(() => proxyFor(new URL('https://a.com'), { httpsProxy: text })).toThrow(
        /is no http:\/\/ or https:\/\//,
      );
    },
  );
});

describe('behind a proxy', () => {
  const none = createAddressPolicy([]);
  test.each<[string, string[], string | undefined]>([
    ['https://models.example.com/a', [], undefined],
    ['https://models.example.com/a', ['93.184.216.34', '2606:2800::1'], undefined],
    ['https://93.184.216.34/a', [], undefined],
    [
      'https://models.example.com/a',
      ['93.184.216.34', '169.254.169.254'],
      'models.example.com (169.254.169.254)',
    ],
    ['https://localtest.example.com/a', ['127.0.0.1'], 'localtest.example.com (127.0.0.1)'],
    ['https://127.0.0.1/a', [], '127.0.0.1'],
    ['https://2130706433/a', [], '127.0.0.1'],
    ['https://0x7f.1/a', [], '127.0.0.1'],
    ['https://[::ffff:169.254.169.254]/a', [], '::ffff:a9fe:a9fe'],
    ['https://[::1]/a', [], '::1'],
    ['https://10.0.0.1/a', [], '10.0.0.1'],
    ['https://metadata.google.internal/a', [], 'metadata.google.internal'],
    ['https://kubernetes.default.svc/a', [], 'kubernetes.default.svc'],
    ['https://kubernetes.default.svc.cluster.local/a', [], 'kubernetes.default.svc.cluster.local'],
    ['https://localhost/a', [], 'localhost'],
    ['https://LOCALHOST./a', [], 'localhost'],
    ['https://a.localhost/a', [], 'a.localhost'],
    ['https://intranet/a', [], 'intranet'],
  ])('%s, which this pod resolves to %j: refused for %s', (url, resolved, forbidden) => {
    expect(forbiddenBehindProxy(new URL(url), resolved, none)).toBe(forbidden);
  });

  test('private ranges are let through where the operator allows them', () => {
    const allowed = createAddressPolicy(['10.1.0.0/16']);
    expect(forbiddenBehindProxy(new URL('https://10.1.2.3/a'), [], allowed)).toBeUndefined();
    expect(forbiddenBehindProxy(new URL('https://a.example.com/a'), ['10.1.2.3'], allowed)).toBeUndefined();
    expect(forbiddenBehindProxy(new URL('https://10.2.2.3/a'), [], allowed)).toBe('10.2.2.3');
  });
});
