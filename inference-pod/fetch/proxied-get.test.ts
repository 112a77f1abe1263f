/** Fetching through a real proxy on loopback, from a real TLS server that a private authority vouches for. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { loopbackCertificate } from '../../local/apiserver/http/certificate.ts';
import { classifier } from '../testing/models.ts';
import { makePodDirectory, memoryLogger, type PodDirectory } from '../testing/pod.ts';
import { type FetchOptions, fetchModel } from './fetch-model.ts';
import { fetchNetwork } from './network.ts';

const small = Buffer.from(classifier());
const sha256 = createHash('sha256').update(small).digest('hex');
/** A name that only the proxy knows. */
const host = 'models.example.test';
const certificate = loopbackCertificate(['127.0.0.1'], Date.now(), [host, 'localhost']);

const sockets = new Set<Socket>();
const servers: Server[] = [];
async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

let answer: (request: IncomingMessage, response: ServerResponse) => void;
let refuse: number | undefined;
const asked: string[] = [];
/** Every name leads to the one TLS server. */
const tunnel = (request: IncomingMessage, socket: Socket) => {
  asked.push(`CONNECT ${request.url}`);
  if (refuse !== undefined) {
    socket.end(`HTTP/1.1 ${refuse} No\r\n\r\n`);
    return;
  }
  const upstream = connect(serverPort, '127.0.0.1', () => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    upstream.pipe(socket).pipe(upstream);
  });
  sockets.add(upstream);
  upstream.on('error', () => socket.destroy());
};
let serverPort = 0;
let proxyUrl = '';
let secureProxyUrl = '';
beforeAll(async () => {
  serverPort = await listen(
    createSecureServer(certificate, (request, response) => answer(request, response)),
  );
  const plain = createServer((request, response) => {
    asked.push(`GET ${request.url}`);
    answer(request, response);
  });
  plain.on('connect', tunnel);
  proxyUrl = `http://127.0.0.1:${await listen(plain)}`;
  const secure = createSecureServer(certificate);
  secure.on('connect', tunnel);
  secureProxyUrl = `https://localhost:${await listen(secure)}`;
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
});

let directory: PodDirectory;
let log: ReturnType<typeof memoryLogger>;
beforeEach(() => {
  directory = makePodDirectory();
  log = memoryLogger();
  asked.length = 0;
  refuse = undefined;
  answer = (_request, response) => response.end(small);
});
afterEach(() => directory.remove());

const fetchWith = (options: Partial<FetchOptions> = {}) =>
  fetchModel({
    uri: `https://${host}/model.onnx`,
    sha256: undefined,
    recordedSha256: undefined,
    modelDir: join(directory.root, 'model'),
    claimDir: join(directory.root, 'claim'),
    fileRoots: [],
    maxBytes: 1_000_000,
    allowCidrs: [],
    attempts: 2,
    backOffMs: 1,
    stallMs: 500,
    ca: certificate.cert,
    proxy: { httpsProxy: proxyUrl },
    log,
    ...options,
  });
const failure = (options: Partial<FetchOptions> = {}): Promise<unknown> =>
  fetchWith(options).then(
    () => undefined,
    (error: unknown) => error,
  );
const refusal = (reason: string, message: RegExp) => ({ reason, message: expect.stringMatching(message) });

describe('through a proxy', () => {
  test('the model comes, from a server whose authority is private', async () => {
    expect((await fetchWith({ sha256 })).sha256).toBe(sha256);
    expect(asked).toEqual([`CONNECT ${host}:443`]);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ message: 'fetching', fields: { host, proxy: new URL(proxyUrl).host } }),
    );
  });

  test('that speaks TLS itself', async () => {
    expect((await fetchWith({ proxy: { httpsProxy: secureProxyUrl } })).sha256).toBe(sha256);
    expect(asked).toEqual([`CONNECT ${host}:443`]);
  });

  test('a server that nobody vouches for is refused, with the way out', async () => {
    const another = loopbackCertificate(['127.0.0.1'], Date.now()).cert;
    expect(await failure({ ca: another })).toMatchObject(
      refusal(
        'FetchFailed',
        /models\.example\.test through the proxy .*fetch\.caBundle of the operator’s defaults/,
      ),
    );
  });

  test('plain http is forwarded where private servers may be asked', async () => {
    const { sha256: fetched } = await fetchWith({
      uri: `http://${host}/model.onnx`,
      allowCidrs: ['10.0.0.0/8'],
      proxy: { httpProxy: proxyUrl },
    });
    expect(fetched).toBe(sha256);
    expect(asked).toEqual([`GET http://${host}/model.onnx`]);
  });

  test('a server of noProxy is asked directly, under the rules for addresses', async () => {
    const options = {
      uri: `https://localhost:${serverPort}/model.onnx`,
      proxy: { httpsProxy: proxyUrl, noProxy: ['localhost'] },
    };
    expect((await fetchWith({ ...options, allowCidrs: ['127.0.0.0/8', '::1/128'] })).sha256).toBe(sha256);
    expect(await failure({ ...options, modelDir: join(directory.root, 'other') })).toMatchObject(
      refusal('ModelForbidden', /models are not fetched from localhost/),
    );
    expect(asked).toEqual([]);
  });

  test.each([
    ['https://127.0.0.1/m'],
    ['https://2130706433/m'],
    ['https://[::1]/m'],
    ['https://169.254.169.254/latest/meta-data'],
    ['https://metadata.google.internal/m'],
    ['https://kubernetes.default.svc/m'],
    ['https://localhost/m'],
  ])('%s is not asked for, though the proxy would', async (uri) => {
    expect(await failure({ uri })).toMatchObject(refusal('ModelForbidden', /models are not fetched from/));
    expect(asked).toEqual([]);
  });

  test('a redirect to the inside is not followed', async () => {
    answer = (_request, response) =>
      response.writeHead(302, { location: 'https://169.254.169.254/latest/meta-data' }).end();
    expect(await failure()).toMatchObject(refusal('ModelForbidden', /from 169\.254\.169\.254/));
    expect(asked).toEqual([`CONNECT ${host}:443`]);
  });

  test('a refusal of the proxy is named, and not tried again', async () => {
    refuse = 407;
    expect(await failure()).toMatchObject(
      refusal(
        'ModelForbidden',
        /the proxy 127\.0\.0\.1:\d+ answered 407 when it was asked for models\.example\.test/,
      ),
    );
    expect(asked).toHaveLength(1);
  });

  test('a proxy that cannot now is tried again', async () => {
    refuse = 503;
    expect(await failure()).toMatchObject(refusal('FetchFailed', /the proxy .* answered 503/));
    expect(asked).toHaveLength(2);
  });

  test('a proxy that is away is named', async () => {
    expect(await failure({ proxy: { httpsProxy: 'http://127.0.0.1:9' } })).toMatchObject(
      refusal('FetchFailed', /models\.example\.test through the proxy 127\.0\.0\.1:9: /),
    );
  });

  test('a server that falls silent is given up', async () => {
    answer = (_request, response) => void response.writeHead(200, { 'content-length': 100 }).write('x');
    expect(await failure()).toMatchObject(refusal('FetchFailed', /models\.example\.test/));
  });

  test('a setting that is no address is an error of the configuration', async () => {
    expect(await failure({ proxy: { httpsProxy: 'proxy:3128' } })).toMatchObject(
      refusal('ConfigInvalid', /the proxy 'proxy:3128' is no http/),
    );
  });
});

test('a private authority counts without a proxy too', async () => {
  const uri = `https://127.0.0.1:${serverPort}/model.onnx`;
  const direct = { uri, allowCidrs: ['127.0.0.1/32'], proxy: {} };
  expect((await fetchWith(direct)).sha256).toBe(sha256);
});

test('what the operator says goes before the environment, and allowed ranges add up', () => {
  const config = {
    configDir: directory.root,
    allowModelCidr: ['10.0.0.0/8'],
    httpsProxy: 'http://environment:1',
    httpProxy: undefined,
    noProxy: ['a.example.com'],
  };
  const base = { version: 1 as const, timeoutMs: 1, slaLatencyMs: [], digests: {} };
  expect(fetchNetwork(config, base)).toEqual({
    allowCidrs: ['10.0.0.0/8'],
    proxy: { httpsProxy: 'http://environment:1', httpProxy: undefined, noProxy: ['a.example.com'] },
  });
  mkdirSync(directory.root, { recursive: true });
  writeFileSync(join(directory.root, 'ca.pem'), certificate.cert);
  const fetch = { httpsProxy: 'http://fleet:1', noProxy: [], allowModelCidrs: ['fd00::/8'] };
  expect(fetchNetwork(config, { ...base, fetch })).toEqual({
    allowCidrs: ['10.0.0.0/8', 'fd00::/8'],
    proxy: { httpsProxy: 'http://fleet:1', httpProxy: undefined, noProxy: [] },
    ca: certificate.cert,
  });
});
