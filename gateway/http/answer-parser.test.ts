import { describe, expect, test } from '@jest/globals';
import { AnswerError, AnswerParser } from './answer-parser.ts';

interface Read {
  status: number;
  headers: string[];
  body: string;
  isWhole: boolean;
  keepsAlive: boolean;
}

/** Feeds the text in pieces of so many bytes. */
const read = (text: string, pieceBytes = 1_000_000, isHead = false, closes = false): Read => {
  const got: Read = { status: 0, headers: [], body: '', isWhole: false, keepsAlive: false };
  const parser = new AnswerParser({
    head: (status, _text, headers) => Object.assign(got, { status, headers }),
    body: (chunk, isLast) => {
      got.body += chunk.toString('latin1');
      if (isLast) got.isWhole = true;
    },
    end: () => {
      got.isWhole = true;
    },
  });
  parser.begin(isHead);
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += pieceBytes) parser.write(bytes.subarray(at, at + pieceBytes));
  if (closes) parser.ended();
  got.keepsAlive = parser.keepsAlive;
  return got;
};

const ok = 'HTTP/1.1 200 OK\r\n';

describe('AnswerParser', () => {
  test.each([
    ['content-length', `${ok}Content-Length: 5\r\nX-A: b\r\n\r\nhello`, 'hello', true],
    [
      'chunks, with extensions and trailers',
      `${ok}Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nT: 1\r\n\r\n`,
      'hello',
      true,
    ],
    ['no body', `${ok}Content-Length: 0\r\n\r\n`, '', true],
    ['204, whatever it says', 'HTTP/1.1 204 No Content\r\n\r\n', '', true],
    [
      'interim answers before it',
      `HTTP/1.1 100 Continue\r\n\r\n${ok}content-length: 2\r\n\r\nok`,
      'ok',
      true,
    ],
    ['a connection that closes', `${ok}Connection: close\r\ncontent-length: 2\r\n\r\nok`, 'ok', false],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok', 'ok', false],
  ])('reads %s, in one piece and byte by byte', (_name, text, body, keepsAlive) => {
    for (const pieceBytes of [1_000_000, 7, 1])
      expect(read(text, pieceBytes)).toMatchObject({ body, isWhole: true, keepsAlive });
  });

  test('an answer in crumbs is broken off; as many chunks of an honest size, and many answers of one byte, are not', () => {
    const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`;
    expect(() => read(chunked + '1\r\nx\r\n'.repeat(9_000))).toThrow(AnswerError);
    const honest = read(`${chunked}${`10\r\n${'x'.repeat(16)}\r\n`.repeat(9_000)}0\r\n\r\n`);
    expect([honest.isWhole, honest.body.length]).toEqual([true, 144_000]);
    let answers = 0;
    const parser = new AnswerParser({
      head: () => undefined,
      body: () => undefined,
      end: () => {
        answers += 1;
      },
    });
    for (let i = 0; i < 9_000; i += 1) {
      parser.begin(false);
      parser.write(Buffer.from(`${chunked}1\r\nx\r\n`));
      parser.write(Buffer.from('0\r\n\r\n'));
    }
    expect(answers).toBe(9_000);
  });

  test('chunks that come together are passed on together, and the last of them ends the answer', () => {
    const got: [string, boolean][] = [];
    let ends = 0;
    const parser = new AnswerParser({
      head: () => undefined,
      body: (chunk, isLast) => void got.push([chunk.toString(), isLast]),
      end: () => {
        ends += 1;
      },
    });
    parser.begin(false);
    const chunks = (count: number) => '1\r\nx\r\n'.repeat(count);
    parser.write(Buffer.from(`${ok}transfer-encoding: chunked\r\n\r\n${chunks(1000)}3\r\nab`));
    parser.write(Buffer.from(`c\r\n${chunks(2)}0\r\n\r\n`));
    expect(got).toEqual([
      [`${'x'.repeat(1000)}ab`, false],
      ['cxx', true],
    ]);
    expect(ends).toBe(0);
  });

  test('an answer without a length ends with the connection', () => {
    const text = `${ok}\r\nuntil the end`;
    expect(read(text)).toMatchObject({ body: 'until the end', isWhole: false });
    expect(read(text, 3, false, true)).toMatchObject({ isWhole: true, keepsAlive: false });
  });

  test('an answer that breaks off is not whole', () => {
    expect(read(`${ok}content-length: 9\r\n\r\nhel`, 9, false, true).isWhole).toBe(false);
    expect(read(`${ok}transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n`, 9, false, true).isWhole).toBe(false);
  });

  test('the answer to HEAD has no body', () => {
    expect(read(`${ok}content-length: 100\r\n\r\n`, 9, true)).toMatchObject({
      isWhole: true,
      keepsAlive: true,
    });
  });

  test('headers of this hop stay here, those that Connection names too', () => {
    const { headers } = read(
      `${ok}Connection: keep-alive, X-Mine\r\nKeep-Alive: timeout=75\r\nX-Mine: 1\r\nProxy-Authenticate: x\r\nUpgrade: h2c\r\nSet-Cookie: a\r\nSet-Cookie: b\r\ncontent-length: 0\r\n\r\n`,
    );
    expect(headers).toEqual(['Set-Cookie', 'a', 'Set-Cookie', 'b', 'content-length', '0']);
  });

  test.each([
    ['both lengths', `${ok}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n`],
    ['two lengths', `${ok}content-length: 3\r\ncontent-length: 4\r\n\r\n`],
    ['a length that is none', `${ok}content-length: 3, 3\r\n\r\n`],
    ['a coding that is not chunked', `${ok}transfer-encoding: gzip, chunked\r\n\r\n`],
    ['a folded header', `${ok}x: a\r\n b\r\ncontent-length: 0\r\n\r\n`],
    ['a space before the colon', `${ok}content-length : 3\r\n\r\nabc`],
    ['a bare line feed in a header', `${ok}x: a\nb: c\r\n\r\n`],
    ['a chunk without a size', `${ok}transfer-encoding: chunked\r\n\r\nxyz\r\n`],
    ['a chunk that is longer than it says', `${ok}transfer-encoding: chunked\r\n\r\n2\r\nhello\r\n`],
    ['a negative size', `${ok}transfer-encoding: chunked\r\n\r\n-2\r\n`],
    ['bytes behind the answer', `${ok}content-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n`],
    ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['headers without end', `${ok}x: ${'a'.repeat(70_000)}`],
    ['interim answers without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(33)],
    ['trailers without end', `${ok}transfer-encoding: chunked\r\n\r\n0\r\n${'x: y\r\n'.repeat(20_000)}`],
    ['a chunk extension without end', `${ok}transfer-encoding: chunked\r\n\r\n2;${'a'.repeat(70_000)}`],
  ])('refuses %s', (_name, text) => {
    expect(() => read(text, 1_000)).toThrow(AnswerError);
  });
});
