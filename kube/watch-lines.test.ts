import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isGone, isProtocolError } from './errors.ts';
import { linesOf, parseWatchEvent } from './watch-lines.ts';

async function* chunksOf(...parts: Uint8Array[]) {
  yield* parts;
}
const collect = async (chunks: AsyncIterable<Uint8Array>) => {
  const lines: string[] = [];
  for await (const line of linesOf(chunks, 'watch')) lines.push(line);
  return lines;
};

describe('lines of a watch', () => {
  test('property: however the bytes are cut, the lines are the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' })), fc.nat(7), async (texts, step) => {
        const lines = texts.map((text) => JSON.stringify(text));
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const parts: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += step + 1) parts.push(bytes.subarray(at, at + step + 1));
        expect(await collect(chunksOf(...parts))).toEqual(lines);
      }),
    );
  });

  test('a stream that ends inside an event is a protocol error', async () => {
    await expect(collect(chunksOf(Buffer.from('{"a":1}\n{"b"')))).rejects.toThrow('ended inside an event');
  });

  const malformed: Record<string, string> = {
    'no JSON': '{"type":"ADDED","object":{"meta',
    'no event': '[1]',
    'no object': '{"type":"ADDED"}',
    'unknown type': '{"type":"RENAMED","object":{"metadata":{"resourceVersion":"1"}}}',
    'no resourceVersion': '{"type":"ADDED","object":{"metadata":{}}}',
    null: 'null',
  };
  test.each(Object.entries(malformed))('%s is a protocol error, never skipped', (_name, line) => {
    let thrown: unknown;
    try {
      parseWatchEvent(line, 'watch Pod');
    } catch (error) {
      thrown = error;
    }
    expect(isProtocolError(thrown)).toBe(true);
  });

  test('an ERROR event becomes the error it carries', () => {
    let thrown: unknown;
    try {
      parseWatchEvent(
        '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}',
        'watch Pod',
      );
    } catch (error) {
      thrown = error;
    }
    expect(isGone(thrown)).toBe(true);
  });
});
