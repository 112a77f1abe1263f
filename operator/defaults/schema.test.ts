/** What a file of defaults may say, and how it is told what it may not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { dump } from 'js-yaml';
import { loopbackCertificate } from '../../local/apiserver/http/certificate.ts';
import { DefaultsError, parseDefaults } from './schema.ts';

const { cert: ca, key } = loopbackCertificate(['127.0.0.1'], Date.now());
const whole = {
  image: 'registry.example.com/ballast/inference-pod:1',
  resources: { requests: { cpu: '250m', memory: '1Gi' }, limits: { memory: '2Gi' } },
  pod: {
    nodeSelector: { pool: 'models' },
    tolerations: [{ key: 'models', operator: 'Exists' }],
    topologySpread: [{ topologyKey: 'topology.kubernetes.io/zone' }],
    priorityClassName: 'models',
    imagePullSecrets: [{ name: 'login' }],
    labels: { team: 'ml' },
    annotations: { 'example.com/a': 'b' },
  },
  networkPolicy: 'Restricted',
  fetch: {
    httpsProxy: 'http://proxy.example.com:3128',
    httpProxy: 'http://10.0.0.1:3128',
    noProxy: ['.svc', 'models.example.com', '10.0.0.0/8', '::1', '*'],
    caBundle: ca,
    allowModelCidrs: ['10.1.0.0/16', 'fd00::/8'],
  },
};

describe('a file of defaults', () => {
  test('may say all of this', () => {
    expect(parseDefaults(dump(whole))).toEqual(whole);
  });

  test('may say what docs/reference/operator.md shows', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/reference/operator.md'), 'utf8');
    const [, example = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
    const text = example.replace(/-----BEGIN CERTIFICATE-----\n *…/, ca.trim().replaceAll('\n', '\n    '));
    expect(Object.keys(parseDefaults(text)).sort()).toEqual([
      'fetch',
      'gateway',
      'image',
      'networkPolicy',
      'pod',
      'resources',
    ]);
  });

  test.each([[''], ['# nothing\n'], ['{}']])('may say nothing: %j', (text) => {
    expect(parseDefaults(text)).toEqual({});
  });

  test.each<[string, unknown, RegExp]>([
    ['an unknown key', { imgae: 'a:1' }, /^unknown key imgae$/],
    ['an unknown key further in', { pod: { nodeSelectr: {} } }, /^unknown key pod\.nodeSelectr$/],
    ['a ServiceAccount for all', { pod: { serviceAccountName: 'x' } }, /unknown key pod\.serviceAccountName/],
    [
      'two faults',
      { imgae: 'a', fetch: { noProxi: [] } },
      /fetch\.noProxi.*unknown key imgae|imgae.*fetch\.noProxi/,
    ],
    ['no mapping', ['a'], /^the file: /],
    ['a quantity of none', { resources: { limits: { memory: true } } }, /^resources\.limits\.memory: /],
    [
      'a request above its limit',
      { resources: { requests: { memory: '2Gi' }, limits: { memory: '1Gi' } } },
      /^resources\.requests\.memory: 2Gi is more than the limit of 1Gi$/,
    ],
    [
      'a resource of none',
      { resources: { limits: { memroy: '1Gi' } } },
      /^resources\.limits\.memroy: is no resource/,
    ],
    ['a label of ours', { pod: { labels: { 'ballast.dev/role': 'x' } } }, /^pod\.labels: labels that start/],
    ['a label value of none', { pod: { labels: { a: 'b c' } } }, /^pod\.labels: a is "b c"/],
    ['a policy of none', { networkPolicy: 'On' }, /^networkPolicy: /],
    ['a proxy without a scheme', { fetch: { httpsProxy: 'proxy:3128' } }, /^fetch\.httpsProxy: write http/],
    ['a proxy with a path', { fetch: { httpsProxy: 'http://proxy/x' } }, /^fetch\.httpsProxy: write http/],
    [
      'a proxy with a password',
      { fetch: { httpsProxy: 'http://a:b@proxy' } },
      /^fetch\.httpsProxy: it holds a user name/,
    ],
    [
      'a range of none',
      { fetch: { allowModelCidrs: ['10.0.0.0/33'] } },
      /^fetch\.allowModelCidrs\.0: write a range/,
    ],
    [
      'an address as a range',
      { fetch: { allowModelCidrs: ['10.0.0.1'] } },
      /^fetch\.allowModelCidrs\.0: write a range/,
    ],
    [
      'a file of another folder',
      { fetch: { caBundleFile: '../ca' } },
      /^fetch\.caBundleFile: write the name/,
    ],
    [
      'certificates twice',
      { fetch: { caBundleFile: 'ca.crt', caBundle: ca } },
      /^fetch\.caBundleFile: fetch\.caBundle is given too, choose one$/,
    ],
    ['a URL to go past the proxy', { fetch: { noProxy: ['https://a'] } }, /^fetch\.noProxy\.0: write a name/],
    [
      'a CA that is none',
      { fetch: { caBundle: 'hello' } },
      /^fetch\.caBundle: write certificates in PEM form/,
    ],
    [
      'a broken certificate',
      { fetch: { caBundle: ca.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA') } },
      /^fetch\.caBundle: write certificates/,
    ],
    ['a private key', { fetch: { caBundle: `${ca}\n${key}` } }, /^fetch\.caBundle: it holds a private key/],
    [
      'too large a bundle',
      { fetch: { caBundle: ca.repeat(100) } },
      /^fetch\.caBundle: it is longer than 32768/,
    ],
  ])('%s is refused with its field', (_, value, message) => {
    expect(() => parseDefaults(dump(value))).toThrow(DefaultsError);
    expect(() => parseDefaults(dump(value))).toThrow(
      expect.objectContaining({ message: expect.stringMatching(message) }),
    );
  });

  test('what is no YAML is refused', () => {
    expect(() => parseDefaults('a: [')).toThrow(/^is no YAML: /);
  });
});
