import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { endsAfterEach } from '../../test/ends.ts';
import { ask, inferPath, type Rig, startRig, until } from '../testing/rig.ts';
import { type StubPod, startStubPod } from '../testing/stub-pod.ts';

const { ends } = endsAfterEach();
const start = async (...args: Parameters<typeof startStubPod>): Promise<{ rig: Rig; pod: StubPod }> => {
  const pod = await startStubPod(...args);
  const rig = await startRig({ a: [pod.address] });
  ends.push(() => pod.close());
  ends.push(() => rig.close());
  return { rig, pod };
};

/** Sends bytes as they are and reads until the connection ends or an answer is there. */
const raw = (port: number, text: string, halfClose = false): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let got = '';
    const end = () => {
      socket.destroy();
      resolve(got);
    };
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
      if (/\r\n\r\n[\s\S]*[}\n]$/.test(got)) end();
    });
    socket.on('end', end);
    socket.on('error', reject);
    socket.write(text);
    if (halfClose) socket.end();
  });
const statusOf = (answer: string) => /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? answer.slice(0, 50);
const post = (headers: string, body: string) =>
  `POST ${inferPath} HTTP/1.1\r\nhost: m.example\r\n${headers}\r\n${body}`;

describe('what is passed on', () => {
  test('Host, trace context, content type, what is unknown, repeated headers: as they came', async () => {
    const { rig, pod } = await start();
    await ask(rig.port.port, {
      headers: {
        host: 'm.example:8080',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        tracestate: 'a=b',
        'content-type': 'application/octet-stream',
        'inference-header-content-length': '2',
        'x-request-id': 'abc',
        'x-many': ['one', 'two'],
      },
    });
    expect(pod.got[0]?.headers).toMatchObject({
      host: 'm.example:8080',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'a=b',
      'content-type': 'application/octet-stream',
      'inference-header-content-length': '2',
      'x-request-id': 'abc',
      'x-many': 'one, two',
    });
    expect(pod.got[0]?.url).toBe(inferPath);
  });

  test('what belongs to one hop is not, nor what Connection names', async () => {
    const { rig, pod } = await start();
    await ask(rig.port.port, {
      headers: {
        connection: 'keep-alive, x-secret, Upgrade, HTTP2-Settings',
        'keep-alive': 'timeout=5',
        'x-secret': '1',
        te: 'trailers',
        upgrade: 'h2c',
        'http2-settings': 'AAMAAABkAAQAAP__',
        'proxy-authorization': 'Basic x',
        'proxy-connection': 'keep-alive',
      },
    });
    const names = Object.keys(pod.got[0]?.headers ?? {});
    for (const name of ['x-secret', 'te', 'upgrade', 'http2-settings', 'proxy-authorization', 'keep-alive'])
      expect(names).not.toContain(name);
    expect(names).not.toContain('proxy-connection');
  });

  test('Connection cannot name the host or the framing away', async () => {
    const { rig, pod } = await start();
    const answer = await raw(
      rig.port.port,
      post('connection: host, content-length\r\ncontent-length: 2\r\n', '{}'),
    );
    expect(statusOf(answer)).toBe('200');
    expect(pod.got[0]).toMatchObject({ headers: { host: 'm.example', 'content-length': '2' } });
  });

  test("the client's address is added last, where it can be trusted; what came before stays before it", async () => {
    const { rig, pod } = await start();
    await ask(rig.port.port, { headers: { 'x-forwarded-for': '6.6.6.6', via: '1.0 other' } });
    expect(pod.got[0]?.headers).toMatchObject({
      'x-forwarded-for': '6.6.6.6, 127.0.0.1',
      via: '1.0 other, 1.1 ballast',
    });
  });

  test('a client cannot write its deadline over that of the deployment', async () => {
    const { rig, pod } = await start();
    await ask(rig.port.port, { headers: { 'ballast-deadline-ms': '900000' } });
    expect(Number(pod.got[0]?.headers['ballast-deadline-ms'])).toBeLessThanOrEqual(5_000);
  });

  test('an absolute target rules over Host', async () => {
    const { rig, pod } = await start();
    const answer = await raw(
      rig.port.port,
      `POST http://real.example${inferPath} HTTP/1.1\r\nhost: other\r\ncontent-length: 2\r\n\r\n{}`,
    );
    expect(statusOf(answer)).toBe('200');
    expect(pod.got[0]).toMatchObject({ url: inferPath, headers: { host: 'real.example' } });
  });

  test('the answer comes back with its status, headers and repeated cookies', async () => {
    const { rig } = await start((_got, response) =>
      response
        .writeHead(418, 'Teapot', [
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
          ['x-mine', 'yes'],
        ])
        .end('{"short":true}'),
    );
    const answer = await ask(rig.port.port);
    expect(answer).toMatchObject({ status: 418, body: '{"short":true}' });
    expect(answer.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-mine': 'yes' });
  });
});

describe('requests that could be understood in two ways', () => {
  test.each([
    ['both lengths', 'content-length: 2\r\ntransfer-encoding: chunked\r\n', '0\r\n\r\n'],
    ['two lengths', 'content-length: 2\r\ncontent-length: 3\r\n', '{}'],
    ['the same length twice', 'content-length: 2\r\ncontent-length: 2\r\n', '{}'],
    ['a list of lengths', 'content-length: 2, 2\r\n', '{}'],
    ['a length with a sign', 'content-length: +2\r\n', '{}'],
    ['a coding that is not chunked', 'transfer-encoding: identity\r\n', '{}'],
    ['two codings', 'transfer-encoding: gzip, chunked\r\n', '0\r\n\r\n'],
    ['chunked twice', 'transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n', '0\r\n\r\n'],
    ['a coding behind a tab', 'transfer-encoding:\x0bchunked\r\n', '0\r\n\r\n'],
    ['a space before the colon', 'content-length : 2\r\n', '{}'],
    ['a folded header', 'x-a: b\r\n c\r\ncontent-length: 2\r\n', '{}'],
    ['two hosts', 'host: other\r\ncontent-length: 2\r\n', '{}'],
    ['a bare line feed', 'x-a: b\nx-b: c\r\ncontent-length: 2\r\n', '{}'],
    ['a zero byte', 'x-a: b\0c\r\ncontent-length: 2\r\n', '{}'],
    ['a chunk that lies', 'transfer-encoding: chunked\r\n', '1\r\n{}\r\n0\r\n\r\n'],
    ['a chunk size that is none', 'transfer-encoding: chunked\r\n', '0x2\r\n{}\r\n0\r\n\r\n'],
  ])('are refused before a pod sees them: %s', async (_name, headers, body) => {
    const { rig, pod } = await start();
    expect(statusOf(await raw(rig.port.port, post(headers, body)))).toBe('400');
    expect(pod.got).toHaveLength(0);
  });

  test('no host at all', async () => {
    const { rig, pod } = await start();
    expect(
      statusOf(await raw(rig.port.port, `POST ${inferPath} HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}`)),
    ).toBe('400');
    expect(pod.got).toHaveLength(0);
  });

  test('a second request hidden in a body stays in the body', async () => {
    const { rig, pod } = await start();
    const hidden = `GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n`;
    await raw(rig.port.port, post(`content-length: ${hidden.length}\r\n`, hidden));
    expect(pod.got.map(({ url, body }) => [url, body.toString()])).toEqual([[inferPath, hidden]]);
  });

  test('a chunked body comes to the pod with a length of its own', async () => {
    const { rig, pod } = await start();
    await raw(
      rig.port.port,
      post('transfer-encoding: chunked\r\n', '3\r\nabc\r\n2\r\nde\r\n0\r\nx: y\r\n\r\n'),
    );
    expect(pod.got[0]?.body.toString()).toBe('abcde');
    expect(pod.got[0]?.headers).toMatchObject({ 'content-length': '5' });
    expect(pod.got[0]?.headers).not.toHaveProperty('transfer-encoding');
  });
});

describe('clients of many kinds', () => {
  test('one that sends its request byte by byte', async () => {
    const { rig } = await start();
    const socket = connect(rig.port.port, '127.0.0.1');
    const got = new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
    for (const byte of post('content-length: 2\r\n', '{}')) {
      socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(statusOf(await got)).toBe('200');
    socket.destroy();
  });

  test('one that closes its side has left: that is how clients go, and the pod hears of it', async () => {
    const { rig, pod } = await start('hold');
    const answer = raw(rig.port.port, post('content-length: 2\r\n', '{}'), true);
    expect(await answer).toBe('');
    await until('nothing is left', () => rig.gate.open === 0 && pod.inHand() === 0);
    expect(rig.port.connections).toBe(0);
  });

  test('one that waits for a word before it sends its body', async () => {
    const { rig, pod } = await start();
    const socket = connect(rig.port.port, '127.0.0.1');
    ends.push(() => socket.destroy());
    socket.write(post('content-length: 2\r\nexpect: 100-continue\r\n', ''));
    const first = await new Promise<string>((resolve) =>
      socket.once('data', (chunk) => resolve(String(chunk))),
    );
    expect(first).toContain('100 Continue');
    socket.write('{}');
    const second = await new Promise<string>((resolve) =>
      socket.once('data', (chunk) => resolve(String(chunk))),
    );
    expect(statusOf(second)).toBe('200');
    expect(pod.got[0]?.headers).not.toHaveProperty('expect');
  });

  test('one that speaks HTTP/1.0, without a host: the pod is told one, and the connection ends with the answer', async () => {
    const { rig, pod } = await start((_got, response) => {
      response.write('in ');
      response.end('pieces{}');
    });
    const answer = await raw(rig.port.port, `POST ${inferPath} HTTP/1.0\r\ncontent-length: 2\r\n\r\n{}`);
    expect(statusOf(answer)).toBe('200');
    expect(answer).toMatch(/\r\n\r\nin pieces\{\}$/);
    expect(pod.got[0]?.headers.host).toBe(`127.0.0.1:${rig.port.port}`);
  });

  test('one that speaks HTTP/0.9 is refused', async () => {
    const { rig, pod } = await start();
    expect(statusOf(await raw(rig.port.port, 'GET /v2\r\n\r\n'))).toBe('400');
    expect(pod.got).toHaveLength(0);
  });

  test('one that asks with HEAD', async () => {
    const { rig } = await start(
      (_got, response) => void response.writeHead(200, { 'content-length': 9 }).end(),
    );
    const answer = await ask(rig.port.port, { method: 'HEAD', path: '/v2/models/m' });
    expect(answer).toMatchObject({ status: 200, body: '', headers: { 'content-length': '9' } });
  });

  test('one that speaks something else', async () => {
    const { rig } = await start();
    expect(statusOf(await raw(rig.port.port, 'SSH-2.0-OpenSSH_9\r\n\r\n'))).toBe('400');
  });
});
