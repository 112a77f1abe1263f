/** The strict reader agrees with JSON.parse about what is JSON, and says where it is none. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { JsonReader } from './reader.ts';

const skip = (text: string) => {
  const reader = new JsonReader(Buffer.from(text));
  reader.skipValue();
  reader.next();
  if (reader.at !== reader.end) throw reader.malformed('nothing more');
};
const isJson = (text: string) => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** Valid JSON with one character put in, taken out or changed: most of it is no JSON any more. */
const damaged = fc
  .tuple(
    fc.json({ maxDepth: 4 }),
    fc.nat(),
    fc.constantFrom('', ...'{}[],:"\\ \n\t01-+.eEnutf\u0001é/'),
    fc.nat({ max: 2 }),
  )
  .map(([text, at, put, removed]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + put + text.slice(place + removed);
  });

describe('what is JSON', () => {
  test.each([
    ['any JSON', fc.json({ maxDepth: 6, stringUnit: 'binary' })],
    ['spaced JSON', fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value, null, '\t'))],
    ['damaged JSON', damaged],
  ])('%s', (_name, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (text) => {
        let words: string | undefined;
        try {
          skip(text);
        } catch (error) {
          words = String(error);
        }
        const isRight = isJson(text)
          ? words === undefined
          : words?.startsWith('ProtocolError: failed to parse the request JSON buffer: ');
        if (isRight !== true) throw new Error(`${text}: ${words}`);
      }),
      { numRuns: 1500 },
    );
  });
  test('strings come back as JSON.parse reads them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const written = JSON.stringify(text);
        for (const form of [written, ` ${written}`]) {
          const reader = new JsonReader(Buffer.from(form));
          if (reader.string() !== JSON.parse(form)) throw new Error(form);
        }
      }),
      { numRuns: 1000 },
    );
    expect(new JsonReader(Buffer.from('"\\u00e9\\n\\ud83d\\ude00\\/"')).string()).toBe('é\n😀/');
  });
  test('strings seen before are not taken for others', () => {
    const texts = Array.from({ length: 2000 }, (_, i) => `name-${i % 700}`);
    for (const text of texts) expect(new JsonReader(Buffer.from(`"${text}"`)).string()).toBe(text);
  });
});

describe('where it is none', () => {
  test.each([
    ['', 'found the end, wanted a value, at position 0 (line 1, column 1)'],
    ['[1,', 'found the end, wanted a value, at position 3 (line 1, column 4)'],
    ['{"a" 1}', 'found "1", wanted \':\', at position 5 (line 1, column 6)'],
    ['{"a":1,}', 'found "}", wanted a key in quotes, at position 7 (line 1, column 8)'],
    ['[1 2]', "found \"2\", wanted ',' or ']', at position 3 (line 1, column 4)"],
    ['{"a":1 "b"}', "found \"\\\"\", wanted ',' or '}', at position 7 (line 1, column 8)"],
    ['[\n 1,\n nul]', 'found "n", wanted a value, at position 7 (line 3, column 2)'],
    ['["é", x]', 'found "x", wanted a value, at position 7 (line 1, column 7)'],
    ['[01]', "found \"1\", wanted ',' or ']', at position 2 (line 1, column 3)"],
    ['[1.]', 'found "]", wanted a digit, at position 3 (line 1, column 4)'],
    ['["a', "found the end, wanted '\"' at the end of the string, at position 3 (line 1, column 4)"],
    ['["\t"]', 'found "\\t", wanted no control character in a string, at position 2 (line 1, column 3)'],
    ['["\\x"]', 'found "x", wanted an escape that JSON knows, at position 3 (line 1, column 4)'],
    ['["\\u12g4"]', 'found "u", wanted an escape that JSON knows, at position 3 (line 1, column 4)'],
    ['[] []', 'found "[", wanted nothing more, at position 3 (line 1, column 4)'],
    ['[NaN]', 'found "N", wanted a value, at position 1 (line 1, column 2)'],
  ])('%j', (text, words) => {
    expect(() => skip(text)).toThrow(`failed to parse the request JSON buffer: ${words}`);
  });
});

test('64 levels are read, 65 are not, brackets in strings do not count', () => {
  skip(`${'['.repeat(64)}${']'.repeat(64)}`);
  skip(`["${'['.repeat(100)}"]`);
  for (const open of ['[', '{"a":'])
    expect(() => skip(open.repeat(65))).toThrow('nested deeper than 64 levels');
  expect(() => skip('['.repeat(1_000_000))).toThrow('nested deeper than 64 levels');
});
