/** Numbers from bytes are those that `Number` reads from their text, to the last bit. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { allocate } from '../datatypes.ts';
import { readers } from './elements.ts';
import { JsonReader } from './reader.ts';

const read = (datatype: 'FP32' | 'FP64', texts: readonly string[]) => {
  // Something follows, as in a body: four digits at a time are read only where more bytes are there.
  const bytes = Buffer.from(`[${texts.join(',')}]                        `);
  const reader = new JsonReader(bytes);
  reader.at = 1;
  const out = allocate(datatype, texts.length);
  return {
    bad: readers[datatype](reader, out, 0, texts.length),
    out: [...(out as Float64Array)],
    at: reader.at,
  };
};

/** Plain comparison: `expect` costs more than all the rest. */
const mustEqual = (
  name: string,
  texts: readonly string[],
  got: readonly number[],
  want: readonly number[],
) => {
  const place = want.findIndex((value, i) => !Object.is(value, got[i]));
  if (place >= 0 || got.length !== want.length)
    throw new Error(`${name} of ${texts[place]} is ${got[place]}, Number says ${want[place]}`);
};

/** Both ways of reading, against Number. */
const agrees = (texts: readonly string[]) => {
  const doubles = texts.map(Number);
  const firstBad = (values: readonly number[]) => values.findIndex((value) => !Number.isFinite(value));
  for (const [datatype, wanted] of [
    ['FP64', doubles],
    ['FP32', doubles.map(Math.fround)],
  ] as const) {
    const { bad, out } = read(datatype, texts);
    mustEqual(`first refused ${datatype}`, texts, [bad], [firstBad(wanted)]);
    if (bad === -1) mustEqual(datatype, texts, out, wanted);
  }
};

const digits = (min: number, max: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: min, maxLength: max });
const whole = fc.oneof(
  fc.constant('0'),
  fc.tuple(fc.constantFrom(...'123456789'), digits(0, 25)).map(([first, rest]) => first + rest),
);
const anyNumber = fc
  .tuple(
    fc.constantFrom('', '-'),
    whole,
    fc.oneof(
      fc.constant(''),
      digits(1, 30).map((text) => `.${text}`),
    ),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant('') },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), fc.integer({ min: 0, max: 330 }))
          .map(([e, sign, value]) => `${e}${sign}${value}`),
      },
    ),
  )
  .map((parts) => parts.join(''));

describe('agrees with Number', () => {
  const finite = { noNaN: true, noDefaultInfinity: true } as const;
  const cases: Record<string, fc.Arbitrary<string>> = {
    'shortest doubles': fc.double(finite).map((value) => JSON.stringify(value)),
    'FP32 written as doubles, as Python does': fc.float(finite).map((value) => JSON.stringify(value)),
    'usual FP32 written as doubles': fc
      .double({ ...finite, min: -10, max: 10 })
      .map((value) => JSON.stringify(Math.fround(value))),
    'doubles of everyday size': fc.double({ ...finite, min: -1e6, max: 1e6 }).map(String),
    subnormals: fc.double({ ...finite, min: -1e-307, max: 1e-307 }).map((value) => JSON.stringify(value)),
    'FP32 subnormals': fc
      .double({ ...finite, min: -1e-37, max: 1e-37 })
      .map((value) => JSON.stringify(value)),
    'anything that the grammar allows': anyNumber,
    'halfway between two FP32, and a little beside': fc
      .tuple(
        fc.float({ ...finite, min: Math.fround(1e-3), max: 1e6 }),
        fc.constantFrom('', '0', '1', '00000000000001'),
      )
      .map(([value, more]) => {
        const bits = new Int32Array(Float32Array.of(value).buffer);
        const above = new Float32Array(Int32Array.of((bits[0] ?? 0) + 1).buffer)[0] ?? 0;
        const middle = (value + above) / 2;
        const text = middle.toFixed(30).replace(/0+$/, '');
        return `${text.endsWith('.') ? `${text}0` : text}${more}`;
      }),
    'halfway between two doubles': fc
      .tuple(
        fc.bigInt({ min: 2n ** 53n, max: 2n ** 54n - 2n }),
        fc.constantFrom('', '.0', '.5', '.00000000000000001'),
      )
      .map(([value, more]) => `${value | 1n}${more}`),
  };
  test.each(Object.entries(cases))('%s', (_name, arbitrary) => {
    fc.assert(
      fc.property(fc.array(arbitrary, { minLength: 1, maxLength: 8 }), (texts) => agrees(texts)),
      { numRuns: 1000 },
    );
  });
  test.each([
    '0',
    '-0',
    '0.0',
    '-0.0',
    '0e5',
    '0e-400',
    '0.1',
    '9007199254740993',
    '9007199254740992.5',
    '1e22',
    '1e23',
    '1e-22',
    '1e-23',
    '123456789012345678',
    '1234567890123456789',
    '0.1234567890123456789',
    '4.9e-324',
    '2.4703282292062328e-324',
    '1.7976931348623157e308',
    '1.7976931348623159e308',
    '3.4028234663852886e38',
    '3.4028235677973366e38',
    '1e39',
    '1e400',
    '1.401298464324817e-45',
    '7.006492321624085e-46',
    '7.0e-46',
    '0.000000000000000000000000000000000000000000001',
    '1.00000005960464477539',
    '1.000000059604644775390625',
    '1.0000000596046447753906251',
    '1e0',
    '1E+1',
    '1.5e3',
  ])('%s', (text) => agrees([text]));
});

describe('is no number', () => {
  test.each([
    '',
    '-',
    '+1',
    '01',
    '-01',
    '00',
    '.5',
    '1.',
    '1.e3',
    '1e',
    '1e+',
    '1.5e',
    '--1',
    'NaN',
    'Infinity',
    '-Infinity',
    'null',
    '"1"',
    'true',
    '[]',
    '0x10',
    '1.2345.6',
  ])('%s', (text) => {
    for (const datatype of ['FP32', 'FP64'] as const) {
      const { bad, at } = read(datatype, [text, '2']);
      // Refused at once, or in front of what follows the number.
      expect([0, -2]).toContain(bad);
      if (bad === 0) expect(at).toBe(1);
    }
  });
});
