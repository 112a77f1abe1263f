/** Fetching against a server that misbehaves in every way that servers do. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { loopbackCertificate } from '../../local/apiserver/http/certificate.ts';
import { classifier, externalData } from '../testing/models.ts';
import { makePodDirectory, memoryLogger, type PodDirectory, until } from '../testing/pod.ts';
import { type FetchOptions, fetchModel } from './fetch-model.ts';

const small = Buffer.from(classifier());
const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;
let handler: Handler;
let requests: IncomingMessage[] = [];
let server: Server;
let base: string;
let directory: PodDirectory;
let log: ReturnType<typeof memoryLogger>;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request);
    handler(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  requests = [];
  directory = makePodDirectory();
  log = memoryLogger();
});
afterEach(() => directory.remove());

const fetchWith = (options: Partial<FetchOptions> = {}) =>
  fetchModel({
    uri: `${base}/model.onnx`,
    sha256: undefined,
    recordedSha256: undefined,
    modelDir: join(directory.root, 'model'),
    claimDir: join(directory.root, 'claim'),
    fileRoots: [join(directory.root, 'files')],
    maxBytes: 1_000_000,
    allowCidrs: ['127.0.0.1/32'],
    attempts: 3,
    backOffMs: 1,
    stallMs: 300,
    log,
    ...options,
  });
const modelPath = () => join(directory.root, 'model/model.onnx');
const serveWhole: Handler = (_request, response) => response.end(small);

/** Sends bytes and breaks the connection once the client has them. */
const breakAfter = (response: ServerResponse, bytes: Uint8Array) => {
  response.write(bytes);
  const part = join(directory.root, 'model/model.onnx.part');
  void until(() => existsSync(part) && statSync(part).size >= bytes.length).then(() => response.destroy());
};

const expectRefusal = async (reason: string, message: RegExp, options: Partial<FetchOptions> = {}) => {
  const error: unknown = await fetchWith(options).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ reason, message: expect.stringMatching(message) });
  expect(existsSync(modelPath())).toBe(false);
  expect(existsSync(join(directory.root, 'model/manifest.json'))).toBe(false);
};

describe('a good server', () => {
  test('brings the file, its manifest and nothing else', async () => {
    handler = serveWhole;
    const manifest = await fetchWith();
    expect(manifest).toEqual({ uri: `${base}/model.onnx`, bytes: small.length, sha256: sha256(small) });
    expect(readFileSync(modelPath())).toEqual(small);
    expect(readdirSync(join(directory.root, 'model')).sort()).toEqual(['manifest.json', 'model.onnx']);
    expect(requests[0]?.headers['accept-encoding']).toBe('identity');
  });
  test('is not asked again by a second run in the same pod', async () => {
    handler = serveWhole;
    const first = await fetchWith({ sha256: sha256(small) });
    expect(await fetchWith({ sha256: sha256(small) })).toEqual(first);
    expect(requests).toHaveLength(1);
    expect(log.lines.at(-1)?.message).toBe('the model is here already');
  });
  test('is asked again when the file here was damaged, or another one is wanted', async () => {
    handler = serveWhole;
    await fetchWith();
    truncateSync(modelPath(), 10);
    await fetchWith();
    expect(requests).toHaveLength(2);
    expect(readFileSync(modelPath())).toEqual(small);
    await fetchWith({ uri: `${base}/other.onnx` });
    expect(requests).toHaveLength(3);
  });
  test('may redirect three times', async () => {
    handler = (request, response, count) => {
      if (count <= 3) response.writeHead(302, { location: `/hop${count}` }).end();
      else serveWhole(request, response, count);
    };
    await fetchWith();
    expect(requests.map(({ url }) => url)).toEqual(['/model.onnx', '/hop1', '/hop2', '/hop3']);
  });
});

describe('failures that pass', () => {
  test.each([500, 502, 503, 429, 408])('%d, then the file', async (status) => {
    handler = (request, response, count) =>
      count < 3 ? response.writeHead(status).end('busy') : serveWhole(request, response, count);
    await fetchWith();
    expect(requests).toHaveLength(3);
    expect(log.lines.filter(({ message }) => message === 'fetching again')).toHaveLength(2);
  });
  test('a cut transfer is resumed where it broke', async () => {
    handler = (request, response, count) => {
      const etag = '"v1"';
      if (count === 1) {
        response.writeHead(200, { 'content-length': small.length, etag });
        breakAfter(response, small.subarray(0, 100));
        return;
      }
      expect(request.headers).toMatchObject({ range: 'bytes=100-', 'if-range': etag });
      response.writeHead(206, {
        'content-length': small.length - 100,
        'content-range': `bytes 100-${small.length - 1}/${small.length}`,
        etag,
      });
      response.end(small.subarray(100));
    };
    expect((await fetchWith()).sha256).toBe(sha256(small));
    expect(requests).toHaveLength(2);
  });
  test('a cut transfer is resumed by the next run of the container', async () => {
    const etag = '"v1"';
    handler = (_request, response, count) => {
      if (count > 1) {
        response.writeHead(500).end();
        return;
      }
      response.writeHead(200, { 'content-length': small.length, etag });
      breakAfter(response, small.subarray(0, 100));
    };
    await expectRefusal('FetchFailed', /3 attempts without progress/);
    handler = (request, response) => {
      expect(request.headers.range).toBe('bytes=100-');
      response.writeHead(206, { 'content-range': `bytes 100-${small.length - 1}/${small.length}`, etag });
      response.end(small.subarray(100));
    };
    expect((await fetchWith()).sha256).toBe(sha256(small));
  });
  test('a file that changed while it was fetched is begun anew', async () => {
    handler = (_request, response, count) => {
      response.writeHead(200, { 'content-length': small.length, etag: `"v${count}"` });
      if (count === 1) breakAfter(response, Buffer.alloc(100, 1));
      else response.end(small);
    };
    expect((await fetchWith()).sha256).toBe(sha256(small));
  });
  test('without a validator nothing is resumed', async () => {
    handler = (request, response, count) => {
      expect(request.headers.range).toBeUndefined();
      response.writeHead(200, { 'content-length': small.length, etag: 'W/"weak"' });
      if (count === 1) breakAfter(response, small.subarray(0, 100));
      else response.end(small);
    };
    expect((await fetchWith()).sha256).toBe(sha256(small));
  });
  test('another range than was asked for is not stitched together', async () => {
    handler = (request, response, count) => {
      response.setHeader('etag', '"v1"');
      if (count === 1) {
        response.writeHead(200, { 'content-length': small.length });
        breakAfter(response, small.subarray(0, 100));
      } else if (request.headers.range !== undefined)
        response
          .writeHead(206, { 'content-range': `bytes 0-${small.length - 1}/${small.length}` })
          .end(small);
      else response.end(small);
    };
    expect((await fetchWith()).sha256).toBe(sha256(small));
    expect(requests).toHaveLength(3);
  });
  test('a server that falls silent', async () => {
    handler = (request, response, count) => {
      if (count === 1)
        response.writeHead(200, { 'content-length': small.length }).write(small.subarray(0, 10));
      else if (count > 2) serveWhole(request, response, count);
    };
    await fetchWith({ stallMs: 300 });
    expect(requests).toHaveLength(3);
  });
  test('retries end', async () => {
    handler = (_request, response) => response.writeHead(503).end();
    await expectRefusal('FetchFailed', /answered 503 \(3 attempts without progress\)/);
    expect(requests).toHaveLength(3);
  });
  test('nobody listens', async () => {
    await expectRefusal('FetchFailed', /ECONNREFUSED/, { uri: 'http://127.0.0.1:1/model.onnx' });
  });
});

describe('failures that stay', () => {
  test.each([
    [404, 'ModelNotFound', /has no such file: it answered 404/],
    [410, 'ModelNotFound', /answered 410/],
    [401, 'ModelForbidden', /refuses the file: it answered 401/],
    [403, 'ModelForbidden', /answered 403/],
    [418, 'ModelForbidden', /answered 418, wanted 200/],
    [204, 'ModelForbidden', /answered 204, wanted 200/],
  ] as const)('%d is asked once', async (status, reason, message) => {
    handler = (_request, response) => response.writeHead(status).end();
    await expectRefusal(reason, message);
    expect(requests).toHaveLength(1);
  });
  test('an HTML page by its type', async () => {
    handler = (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('hi');
    await expectRefusal('ModelInvalid', /answered with an HTML page instead of a file/);
  });
  test('an HTML page that calls itself a file, though a digest was promised', async () => {
    handler = (_request, response) => response.end('<!DOCTYPE html><html>log in</html>');
    await expectRefusal('ModelInvalid', /the file is an HTML page/, { sha256: sha256(small) });
    expect(requests).toHaveLength(1);
  });
  test('another digest than promised', async () => {
    handler = serveWhole;
    await expectRefusal('DigestMismatch', /spec\.model\.sha256 says a{64}/, { sha256: 'a'.repeat(64) });
  });
  test('another digest than the first pod’s', async () => {
    handler = serveWhole;
    await expectRefusal('DigestMoved', /the revision's first pod fetched a{64}/, {
      recordedSha256: 'a'.repeat(64),
    });
  });
  test('a file that is too large by its header', async () => {
    handler = (_request, response) => response.writeHead(200, { 'content-length': 5_000_000 }).end();
    await expectRefusal('ModelTooLarge', /has 5000000 bytes or more, the limit is 1000000/);
  });
  test('a file without a length that grows too large', async () => {
    handler = (_request, response) => {
      const write = () => response.write(Buffer.alloc(100_000), write);
      write();
    };
    await expectRefusal('ModelTooLarge', /the limit is 1000000/);
    expect(readdirSync(join(directory.root, 'model'))).toEqual([]);
  });
  test('more bytes than the header says', async () => {
    handler = (_request, response) => {
      response.socket?.end(
        `HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\n${'x'.repeat(50)}`,
      );
    };
    await expectRefusal('ModelInvalid', /not an ONNX model; it begins with 'x{10}'$/);
  });
  test('no model at all', async () => {
    handler = (_request, response) => response.end(small.subarray(0, 60));
    await expectRefusal('ModelInvalid', /is cut off/);
  });
  test('weights in another file', async () => {
    handler = (_request, response) => response.end(externalData('../../etc/passwd'));
    await expectRefusal('ModelForbidden', /the weights of 'w' are said to be in '\.\.\/.*leads upwards/);
    handler = (_request, response) => response.end(externalData('w.bin'));
    await expectRefusal(
      'ModelUnsupported',
      /keeps the weights of 'w' in another file.*pack both into a \.tar/,
    );
  });
  test('a redirect without end', async () => {
    handler = (_request, response) => response.writeHead(302, { location: '/model.onnx' }).end();
    await expectRefusal('ModelForbidden', /redirects more than 3 times/);
    expect(requests).toHaveLength(4);
  });
});

describe('addresses that are refused', () => {
  test('a redirect to the clouds’ metadata service, whatever its spelling', async () => {
    for (const host of [
      '169.254.169.254',
      '2852039166',
      '0xa9fea9fe',
      '[::ffff:169.254.169.254]',
      '[fd00:ec2::254]',
    ]) {
      handler = (_request, response) => response.writeHead(302, { location: `http://${host}/latest` }).end();
      await expectRefusal('ModelForbidden', /private, loopback and link-local addresses are refused/);
    }
  });
  test('loopback without the hook, by number and by name', async () => {
    handler = serveWhole;
    const port = (server.address() as AddressInfo).port;
    for (const host of ['127.0.0.1', 'localhost', '127.1', '[::1]', '0.0.0.0'])
      await expectRefusal('ModelForbidden', /private, loopback and link-local/, {
        uri: `https://${host}:${port}/m`,
        allowCidrs: [],
      });
    expect(requests).toHaveLength(0);
  });
  test('plain http without the hook, and credentials in the URI', async () => {
    await expectRefusal('ModelUnsupported', /use https/, { allowCidrs: [] });
    await expectRefusal('ModelUnsupported', /holds credentials/, {
      uri: 'https://user:secret@example.org/m.onnx',
    });
  });
});

describe('https', () => {
  test('wants a certificate that it can trust', async () => {
    const { key, cert } = loopbackCertificate(['127.0.0.1'], Date.now());
    const secure = createSecureServer({ key, cert }, (_request, response) => response.end(small));
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const uri = `https://127.0.0.1:${(secure.address() as AddressInfo).port}/m.onnx`;
    try {
      await expectRefusal('FetchFailed', /self-signed certificate/, { uri });
      expect((await fetchWith({ uri, ca: cert })).sha256).toBe(sha256(small));
    } finally {
      await new Promise((resolve) => secure.close(resolve));
    }
  });
  test('does not step down to http', async () => {
    const { key, cert } = loopbackCertificate(['127.0.0.1'], Date.now());
    const secure = createSecureServer({ key, cert }, (_request, response) =>
      response.writeHead(302, { location: `${base}/model.onnx` }).end(),
    );
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const uri = `https://127.0.0.1:${(secure.address() as AddressInfo).port}/m.onnx`;
    try {
      await expectRefusal('ModelForbidden', /redirects from https:\/\/ to http:\/\//, { uri, ca: cert });
      expect(requests).toHaveLength(0);
    } finally {
      await new Promise((resolve) => secure.close(resolve));
    }
  });
});

describe('local files', () => {
  const write = (path: string) => writeFileSync(join(directory.root, path), small);
  test('file:// below a root', async () => {
    write('files/m 1.onnx');
    const manifest = await fetchWith({ uri: `file://${directory.root}/files/m%201.onnx` });
    expect(manifest.sha256).toBe(sha256(small));
  });
  test('pvc:// in the claim, also through a link inside it', async () => {
    mkdirSync(join(directory.root, 'claim/v1'));
    write('claim/v1/m.onnx');
    symlinkSync('v1', join(directory.root, 'claim/latest'));
    expect((await fetchWith({ uri: 'pvc://models/latest/m.onnx' })).bytes).toBe(small.length);
  });
  test.each([
    ['an encoded slash that climbs', 'pvc://models/..%2Ffiles%2Fm.onnx'],
    ['a link that leads out', 'pvc://models/out/m.onnx'],
    ['a file that is a link that leads out', 'pvc://models/link.onnx'],
  ])('%s', async (_name, uri) => {
    write('files/m.onnx');
    symlinkSync(join(directory.root, 'files'), join(directory.root, 'claim/out'));
    symlinkSync(join(directory.root, 'files/m.onnx'), join(directory.root, 'claim/link.onnx'));
    await expectRefusal('ModelForbidden', /leads out of|is not below/, { uri });
  });
  test.each(['pvc://models/../files/m.onnx', 'pvc://models/a/%2e%2e/%2e%2e/files/m.onnx'])(
    '%s climbs no higher than the claim',
    async (uri) => {
      write('files/m.onnx');
      await expectRefusal('ModelNotFound', /claim\/files\/m\.onnx$/, { uri });
    },
  );
  test.each([
    ['file:///etc/hostname', 'ModelForbidden', /is not below/],
    ['pvc://models/none.onnx', 'ModelNotFound', /there is no file/],
    ['pvc://models/dir', 'ModelInvalid', /the directory holds no file that ends in \.onnx/],
    ['pvc://models', 'ModelUnsupported', /must read pvc:\/\/CLAIM\/PATH/],
    ['pvc://models/a%00b', 'ModelUnsupported', /NUL/],
    ['file://host/m.onnx', 'ModelUnsupported', /names a host/],
    ['s3://bucket/m.onnx', 'ModelUnsupported', /s3:\/\/ is not supported/],
    ['nonsense', 'ModelUnsupported', /is no URI/],
  ])('%s', async (uri, reason, message) => {
    mkdirSync(join(directory.root, 'claim/dir'));
    await expectRefusal(reason, message, { uri });
  });
  test('one that is larger than the limit', async () => {
    write('claim/m.onnx');
    linkSync(join(directory.root, 'claim/m.onnx'), join(directory.root, 'claim/same.onnx'));
    await expectRefusal('ModelTooLarge', /the limit is 100$/, { uri: 'pvc://models/m.onnx', maxBytes: 100 });
  });
});
