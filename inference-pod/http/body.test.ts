/** Bodies that are made to hurt whoever reads them. */
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { ProtocolError } from '../../protocol/errors.ts';
import { ownsMemory } from '../../protocol/raw-tensor.ts';
import { BodyAborted, readBody } from './body.ts';

type Request = Parameters<typeof readBody>[0];
const requestOf = (encoding?: string) => {
  const stream = new PassThrough({ highWaterMark: 1 << 20 }) as unknown as PassThrough & Request;
  Object.assign(stream, {
    headers: encoding === undefined ? {} : { 'content-encoding': encoding },
    complete: true,
  });
  return stream;
};

test('bytes that come one by one are put together, in order', async () => {
  const request = requestOf();
  const body = readBody(request, 1_000_000);
  const sent = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7) % 251));
  const pieces = [1, 1, 5000, 1, 4096, 4097, 3];
  for (let at = 0, i = 0; at < sent.length; i += 1) {
    const size = pieces[i % 7] ?? 1;
    request.write(sent.subarray(at, at + size));
    at += size;
  }
  request.end();
  expect((await body).equals(sent)).toBe(true);
});

test.each([0, 1, 113, 116])(
  'elements behind %i bytes of JSON lie where elements may, in memory of their own',
  async (json) => {
    const request = requestOf();
    request.headers['inference-header-content-length'] = String(json);
    const sent = Buffer.alloc(100_000, 7);
    const first = Buffer.from(new Uint8Array(sent.subarray(0, 65_536)).buffer);
    const body = readBody(request, 1_000_000);
    request.write(first);
    request.end(sent.subarray(65_536));
    const whole = await body;
    expect(whole.equals(sent)).toBe(true);
    expect((whole.byteOffset + json) % 8).toBe(0);
    expect(ownsMemory(whole)).toBe(true);
    // What it came in is given back at once.
    expect(first.buffer.byteLength).toBe(0);
    expect(sent.buffer.byteLength).toBe(100_000);
  },
);

test('a body byte by byte takes about its own size in memory', async () => {
  const request = requestOf();
  const body = readBody(request, 20_000_000);
  const before = process.memoryUsage();
  const one = Buffer.alloc(1, 0x20);
  // Emitted, not written: what is measured is the reader and not the stream.
  // Now and then a larger one: pieces that are as small as that only on the whole are taken.
  for (let i = 0; i < 600_000; i += 1) request.emit('data', i % 16 === 0 ? Buffer.alloc(300) : one);
  const after = process.memoryUsage();
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(60_000_000);
  request.emit('end');
  expect((await body).length).toBe(600_000 + 37_500 * 299);
});

test('a body of nothing but single bytes is refused in the end', async () => {
  const request = requestOf();
  const body = readBody(request, 4_000_000);
  body.catch(() => undefined);
  for (let i = 0; i <= 8_192; i += 1) request.emit('data', Buffer.alloc(1));
  await expect(body).rejects.toMatchObject({ status: 413, message: expect.stringMatching(/8192 pieces/) });
});

test('what is told grows, and a refusal ends the reading with its own words', async () => {
  const told: number[] = [];
  const request = requestOf();
  const body = readBody(request, 10_000_000, (bytes) => {
    told.push(bytes);
    if (bytes > 1_000_000) throw new ProtocolError(429, 'too much is held');
  });
  body.catch(() => undefined);
  for (let i = 0; i < 40; i += 1) request.write(Buffer.alloc(50_000));
  request.end();
  await expect(body).rejects.toThrow('too much is held');
  expect(told.at(-1)).toBeGreaterThan(1_000_000);
  expect(told.at(-1)).toBeLessThan(1_200_000);
  expect(told).toEqual([...told].sort((a, b) => a - b));
});

test.each(['gzip', 'deflate'])('a %s bomb is told of while it unfolds', async (encoding) => {
  const bomb =
    encoding === 'gzip'
      ? gzipSync(Buffer.alloc(30_000_000))
      : (await import('node:zlib')).deflateSync(Buffer.alloc(30_000_000));
  const told: number[] = [];
  const request = requestOf(encoding);
  const body = readBody(request, 20_000_000, (bytes) => {
    told.push(bytes);
    if (bytes > 2_000_000) throw new ProtocolError(429, 'too much is held');
  });
  request.end(bomb);
  await expect(body).rejects.toThrow('too much is held');
  expect(told.at(-1)).toBeLessThan(2_200_000);

  const limited = requestOf(encoding);
  limited.end(bomb);
  await expect(readBody(limited, 20_000_000)).rejects.toThrow('larger than 20000000 bytes');
});

test('gzip in several members, broken gzip, and a client that leaves', async () => {
  const members = requestOf('gzip');
  members.end(Buffer.concat([gzipSync('{"a"'), gzipSync(':1}')]));
  expect(String(await readBody(members, 1000))).toBe('{"a":1}');

  const cut = requestOf('gzip');
  cut.end(gzipSync(Buffer.alloc(1000)).subarray(0, 20));
  await expect(readBody(cut, 10_000)).rejects.toThrow('no valid gzip data');

  const gone = requestOf();
  Object.assign(gone, { complete: false });
  const body = readBody(gone, 1000);
  gone.write('{');
  gone.destroy();
  await expect(body).rejects.toBeInstanceOf(BodyAborted);
});
