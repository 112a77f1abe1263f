/** What the fast lane reads must be what node:http reads, and what it is not sure of it must leave to node:http. */
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HeadReader, maxHead, readHead } from './head.ts';

const plain = (fields: readonly string[], line = 'POST /v2/models/m/infer HTTP/1.1') =>
  `${[line, 'Host: x', 'Content-Length: 3', ...fields].join('\r\n')}\r\n\r\n`;
const read = (text: string) => readHead(Buffer.from(text, 'latin1'));

test('a plain head', () => {
  const text = plain(
    ['X-Request-Id:  a'.replace('  ', ' '), 'accept: */*', 'Connection: Keep-Alive'],
    'POST /v2/models/a-b.c_d/versions/7/infer HTTP/1.1',
  );
  const head = read(`${text}{}\n`);
  expect(head).toEqual({
    route: { model: 'a-b.c_d', version: '7' },
    headers: {
      host: 'x',
      'content-length': '3',
      'x-request-id': 'a',
      accept: '*/*',
      connection: 'Keep-Alive',
    },
    length: text.length,
    bodyLength: 3,
  });
});

test('a head that is not here as a whole is waited for', () => {
  const text = plain([]);
  for (let end = 1; end < text.length; end += 1) expect(read(text.slice(0, end))).toBeUndefined();
  expect(read(text)).toMatchObject({ bodyLength: 3 });
  // And no longer than that.
  expect(read(`${text.slice(0, -4)}\r\nx: ${'a'.repeat(maxHead)}`)).toBeNull();
});

test.each([
  ['another method', plain([], 'GET /v2/models/m/infer HTTP/1.1')],
  ['another path', plain([], 'POST /v2/models/m/load HTTP/1.1')],
  ['a query', plain([], 'POST /v2/models/m/infer?a=b HTTP/1.1')],
  ['a slash at the end', plain([], 'POST /v2/models/m/infer/ HTTP/1.1')],
  ['a name in percents', plain([], 'POST /v2/models/%6d/infer HTTP/1.1')],
  ['HTTP/1.0', plain([], 'POST /v2/models/m/infer HTTP/1.0')],
  ['an absolute target', plain([], 'POST http://x/v2/models/m/infer HTTP/1.1')],
  ['two blanks', plain([], 'POST  /v2/models/m/infer HTTP/1.1')],
  ['an empty line before', `\r\n${plain([])}`],
  ['no host', 'POST /v2/models/m/infer HTTP/1.1\r\ncontent-length: 3\r\n\r\n'],
  ['no length', 'POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\n\r\n'],
  ['a length in hexadecimal', plain([]).replace(': 3', ': 0x3')],
  ['a length with a sign', plain([]).replace(': 3', ': +3')],
  ['two lengths', plain(['content-length: 3'])],
  ['two hosts', plain(['host: x'])],
  ['a field twice', plain(['a: 1', 'A: 2'])],
  ['chunks', plain(['Transfer-Encoding: chunked'])],
  ['a packed body', plain(['content-encoding: gzip'])],
  ['an expectation', plain(['Expect: 100-continue'])],
  ['an upgrade', plain(['upgrade: h2c'])],
  ['the end of the connection', plain(['Connection: close'])],
  ['more about the connection', plain(['Connection: keep-alive, upgrade'])],
  ['a blank before the colon', plain(['a : 1'])],
  ['a blank behind the value', plain(['a: 1 '])],
  ['two blanks before the value', plain(['a:  1'])],
  ['a tab', plain(['a: 1\t2'])],
  ['a folded line', plain(['a: 1', ' 2'])],
  ['a NUL', plain(['a: 1\0'])],
  ['a letter that is none of ASCII', plain(['a: \xe9'])],
  ['an empty value', plain(['a:'])],
  ['a line feed alone', plain(['a: 1\nb: 2'])],
  ['a carriage return alone', plain(['a: 1\rb: 2'])],
  ['a name that objects have', plain(['__proto__: 1'])],
  ['more fields than anybody needs', plain(Array.from({ length: 100 }, (_, i) => `a${i}: 1`))],
])('left to node:http: %s', (_name, text) => {
  expect(read(text)).toBeNull();
});

test('the head of the request before is known again, and no other is taken for it', () => {
  const reader = new HeadReader();
  const first = Buffer.from(`${plain(['x: 1'])}abc`);
  const head = reader.read(first);
  expect(reader.read(Buffer.from(first))).toBe(head);
  expect(reader.read(Buffer.from(`${plain(['x: 2'])}abc`))).toMatchObject({ headers: { x: '2' } });
  expect(reader.read(first)).toMatchObject({ headers: { x: '1' } });
  expect(reader.read(first.subarray(0, 20))).toBeUndefined();
});

test('whatever is read here, node:http reads the same', async () => {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { method, url, headers } = request;
      response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(pieces).toString() }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const ask = (text: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.end(text, 'latin1'));
      let got = '';
      socket.setEncoding('latin1');
      socket.on('data', (piece) => {
        got += String(piece);
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(got));
    });
  const name = fc.constantFrom(
    ...['Host', 'content-length', 'accept', 'X-A', 'connection', 'expect', 'x_b', '__proto__', 'a b', 'a;'],
    ...['transfer-encoding', 'constructor', '', 'COOKIE', 'user-agent', 'ballast-deadline-ms', 'upgrade'],
  );
  const value = fc.oneof(
    fc.constantFrom(
      '3',
      'x',
      'keep-alive',
      'close',
      'chunked',
      'gzip',
      ' 3',
      '3 ',
      '3, 3',
      '\t',
      '',
      '100-continue',
    ),
    fc.string({ maxLength: 6, unit: 'binary' }),
  );
  const gap = fc.constantFrom(': ', ': ', ': ', ':', ':  ', ' : ', ':\t');
  const end = fc.constantFrom('\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\r\n ');
  const line = fc.tuple(name, gap, value, end).map((parts) => parts.join(''));
  const heads = fc
    .array(line, { maxLength: 4 })
    .map(
      (lines) => `POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\n${lines.join('')}content-length: 3\r\n\r\n`,
    );
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(heads, async (text) => {
      const head = read(text);
      if (!head) return;
      taken += 1;
      const answer = await ask(`${text}abc`);
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      const seen = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as object;
      expect(seen).toEqual({
        method: 'POST',
        url: '/v2/models/m/infer',
        headers: { ...head.headers },
        body: 'abc',
      });
    }),
    { numRuns: 400 },
  );
  expect(taken).toBeGreaterThan(20);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
