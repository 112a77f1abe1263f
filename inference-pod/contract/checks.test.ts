import { describe, expect, test } from '@jest/globals';
import type { Datatype } from '../../protocol/datatypes.ts';
import { inputContract, tensorOf, verdictOf, type WrittenOutput } from './testing/build.ts';

type Values = readonly (number | bigint | string)[];
type Row = [
  what: string,
  datatype: Datatype,
  shape: readonly number[],
  values: Values,
  rule: Omit<WrittenOutput, 'maxRepeats'>,
  wanted: string | undefined,
];

const big = 9_007_199_254_740_993n;
const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: minus } = Number;

/** The model takes tensors of any size in these tests, unless a row says otherwise. */
const open = (shape: readonly number[]) => shape.map(() => -1);

const rows: Row[] = [
  ['a number within', 'FP32', [1, 2], [0, 1], { min: '0', max: '1' }, undefined],
  [
    'a number above',
    'FP32',
    [1, 2],
    [0, 1.5],
    { max: '1' },
    "400 input 'x', row 0, column 1 is 1.5, wanted at most 1 (rule max)",
  ],
  [
    'a number below',
    'FP64',
    [2, 1],
    [0, -1],
    { min: '-0.5' },
    "400 input 'x', row 1, column 0 is -1, wanted at least -0.5 (rule min)",
  ],
  [
    'NaN',
    'FP32',
    [1, 1],
    [nan],
    { min: '0' },
    "400 input 'x', row 0, column 0 is NaN, wanted a number (rule allowNaN)",
  ],
  [
    'NaN where nothing else is asked',
    'FP64',
    [1, 1],
    [nan],
    {},
    "400 input 'x', row 0, column 0 is NaN, wanted a number (rule allowNaN)",
  ],
  ['NaN that may be', 'FP32', [1, 2], [nan, 1], { max: '1', allowNaN: true }, undefined],
  [
    'a number beside NaN that may be',
    'FP32',
    [1, 2],
    [nan, 2],
    { max: '1', allowNaN: true },
    "400 input 'x', row 0, column 1 is 2, wanted at most 1 (rule max)",
  ],
  [
    'an infinity',
    'FP32',
    [1, 1],
    [infinity],
    {},
    "400 input 'x', row 0, column 0 is Infinity, wanted a finite number (rule finite)",
  ],
  [
    'an infinity below, where NaN may be',
    'FP64',
    [1, 1],
    [minus],
    { allowNaN: true },
    "400 input 'x', row 0, column 0 is -Infinity, wanted a finite number (rule finite)",
  ],
  ['the largest numbers', 'FP32', [1, 2], [3.4028234663852886e38, -3.4028234663852886e38], {}, undefined],
  ['the largest doubles', 'FP64', [1, 2], [Number.MAX_VALUE, -Number.MAX_VALUE], {}, undefined],
  ['minus zero is zero', 'FP32', [1, 1], [-0], { min: '0', max: '0' }, undefined],
  ['minus zero among values', 'FP64', [1, 1], [-0], { values: ['0'] }, undefined],
  ['the nearest FP32 of a bound', 'FP32', [1, 2], [0.1, 0.7], { min: '0.1', max: '0.7' }, undefined],
  ['the nearest FP16 of a bound', 'FP16', [1, 2], [0.1, 0.7], { min: '0.1', max: '0.7' }, undefined],
  [
    'an FP16 above',
    'FP16',
    [1, 1],
    [2],
    { max: '1' },
    "400 input 'x', row 0, column 0 is 2, wanted at most 1 (rule max)",
  ],
  [
    'an FP16 that is NaN',
    'FP16',
    [1, 1],
    [nan],
    {},
    "400 input 'x', row 0, column 0 is NaN, wanted a number (rule allowNaN)",
  ],
  ['FP16 values', 'FP16', [1, 2], [0.1, 0.2], { values: ['0.1', '0.2'] }, undefined],
  [
    'a float value that is none of them',
    'FP32',
    [1, 1],
    [0.25],
    { values: ['0.1'] },
    "400 input 'x', row 0, column 0 is 0.25, wanted one of 0.1 (rule values)",
  ],
  ['an integer beyond 2^53 within its bound', 'INT64', [1], [big], { max: '9007199254740993' }, undefined],
  [
    'an integer one above a bound beyond 2^53',
    'INT64',
    [1],
    [big],
    { max: '9007199254740992' },
    "400 input 'x', row 0 is 9007199254740993, wanted at most 9007199254740992 (rule max)",
  ],
  [
    'an integer one below a bound beyond 2^53',
    'INT64',
    [1],
    [-big],
    { min: '-9007199254740992' },
    "400 input 'x', row 0 is -9007199254740993, wanted at least -9007199254740992 (rule min)",
  ],
  [
    'the largest UINT64',
    'UINT64',
    [1],
    [18_446_744_073_709_551_615n],
    { max: '18446744073709551614' },
    "400 input 'x', row 0 is 18446744073709551615, wanted at most 18446744073709551614 (rule max)",
  ],
  [
    'the largest UINT64 against a small bound',
    'UINT64',
    [1],
    [18_446_744_073_709_551_615n],
    { max: '5' },
    "400 input 'x', row 0 is 18446744073709551615, wanted at most 5 (rule max)",
  ],
  [
    'a 64-bit value beyond 2^53',
    'INT64',
    [2],
    [big, big - 1n],
    { values: ['9007199254740993'] },
    "400 input 'x', row 1 is 9007199254740992, wanted one of 9007199254740993 (rule values)",
  ],
  ['a whole number written with an exponent', 'INT64', [1], [100n], { values: ['1e2'] }, undefined],
  [
    'a bound between two integers',
    'INT32',
    [2],
    [1, 2],
    { max: '1.5' },
    "400 input 'x', row 1 is 2, wanted at most 1.5 (rule max)",
  ],
  [
    'a byte',
    'UINT8',
    [1],
    [255],
    { max: '254' },
    "400 input 'x', row 0 is 255, wanted at most 254 (rule max)",
  ],
  [
    'truth',
    'BOOL',
    [2],
    [1, 0],
    { values: ['true'] },
    "400 input 'x', row 1 is false, wanted one of true (rule values)",
  ],
  ['a string among values', 'BYTES', [2], ['red', ''], { values: ['red', ''] }, undefined],
  [
    'a string that is none of them',
    'BYTES',
    [1],
    ['Red'],
    { values: ['red', 'white'] },
    `400 input 'x', row 0 is "Red", wanted one of red, white (rule values)`,
  ],
  ['surrogate pairs are one character each', 'BYTES', [1], ['😀😀'], { maxLength: 2 }, undefined],
  [
    'a string that is too long',
    'BYTES',
    [1],
    ['😀😀a'],
    { maxLength: 2 },
    "400 input 'x', row 0 is 3 characters, wanted at most 2 (rule maxLength)",
  ],
  [
    'half a surrogate pair counts',
    'BYTES',
    [1],
    ['\ud83d\ud83d'],
    { maxLength: 1 },
    "400 input 'x', row 0 is 2 characters, wanted at most 1 (rule maxLength)",
  ],
  ['an empty tensor', 'FP32', [0, 3], [], { min: '1', sumTo: '1' }, undefined],
  ['rows without columns', 'FP32', [2, 0], [], { min: '1' }, undefined],
  ['a scalar', 'FP32', [], [2], { max: '1' }, "400 input 'x' is 2, wanted at most 1 (rule max)"],
  [
    'a column',
    'FP32',
    [2, 3],
    [9, 1, 9, 9, 5, 9],
    { columns: [1], max: '2' },
    "400 input 'x', row 1, column 1 is 5, wanted at most 2 (rule max)",
  ],
  ['a column at its bounds', 'FP32', [1, 3], [9, 2, 9], { columns: [1], min: '2', max: '2' }, undefined],
  [
    'a column just above',
    'FP32',
    [1, 2],
    [9, 2.000000238418579],
    { columns: [1], max: '2' },
    "400 input 'x', row 0, column 1 is 2.0000002, wanted at most 2 (rule max)",
  ],
  [
    'a column just below',
    'FP32',
    [1, 2],
    [9, 1.9999998807907104],
    { columns: [1], min: '2' },
    "400 input 'x', row 0, column 1 is 1.9999999, wanted at least 2 (rule min)",
  ],
  [
    'a number just above',
    'FP64',
    [1, 1],
    [2.0000000000000004],
    { max: '2' },
    "400 input 'x', row 0, column 0 is 2.0000000000000004, wanted at most 2 (rule max)",
  ],
  [
    'a number just below',
    'FP64',
    [1, 1],
    [1.9999999999999998],
    { min: '2' },
    "400 input 'x', row 0, column 0 is 1.9999999999999998, wanted at least 2 (rule min)",
  ],
  [
    'a column that this request has not',
    'FP32',
    [1, 2],
    [1, 1],
    { columns: [0, 2], max: '2' },
    "400 input 'x' is 2 columns, wanted column 2 (rule columns)",
  ],
  [
    'three dimensions',
    'FP32',
    [1, 2, 2],
    [0, 0, 0, 7],
    { max: '1' },
    "400 input 'x', element [0,1,1] is 7, wanted at most 1 (rule max)",
  ],
  [
    'an FP32 as it was written',
    'FP32',
    [1, 1],
    [1.7],
    { max: '1.6' },
    "400 input 'x', row 0, column 0 is 1.7, wanted at most 1.6 (rule max)",
  ],
  [
    'a flag',
    'FP32',
    [1, 1],
    [2],
    { max: '1', action: 'Flag' },
    'flagged; max input x[0,0]: 2, wanted at most 1',
  ],
];

describe('one input', () => {
  test.each(rows)('%s', (_, datatype, shape, values, rule, wanted) => {
    const bed = inputContract({ datatype, shape: open(shape) }, [rule]);
    expect(verdictOf(bed, tensorOf(datatype, shape, values))).toBe(wanted);
    // Twice: nothing of a request stays for the next one.
    expect(verdictOf(bed, tensorOf(datatype, shape, values))).toBe(wanted);
    expect(Object.values(bed.counted)).toEqual(wanted === undefined ? [] : [2]);
  });

  test('one dimension of a size that the model fixes is one row', () => {
    const bed = inputContract({ datatype: 'FP32', shape: [3] }, [{ columns: [2], max: '1' }, { sumTo: '0' }]);
    expect(verdictOf(bed, tensorOf('FP32', [3], [0, 0, 2]))).toBe(
      "400 input 'x', column 2 is 2, wanted at most 1 (rule max); input 'x' is a sum of 2, wanted 0 ± 0.001 (rule sumTo)",
    );
  });

  test('every rule holds, each with its own action, and all are counted', () => {
    const bed = inputContract({ datatype: 'FP32', shape: [-1, 3] }, [
      { min: '0', action: 'Flag' },
      { columns: [0], max: '1' },
      { columns: [2], values: ['7'], action: 'Flag' },
    ]);
    expect(verdictOf(bed, tensorOf('FP32', [1, 3], [0, -1, 8]))).toBe(
      'flagged; min input x[0,1]: -1, wanted at least 0; values input x[0,2]: 8, wanted one of 7',
    );
    expect(verdictOf(bed, tensorOf('FP32', [1, 3], [2, -1, 8]))).toBe(
      "400 input 'x', row 0, column 0 is 2, wanted at most 1 (rule max)",
    );
    expect(bed.counted).toEqual({ 'x min Flag': 2, 'x values Flag': 2, 'x max Reject': 1 });
  });

  test('what is told is bounded, what is counted is not, and flags do not hide what rejects', () => {
    const bed = inputContract({ datatype: 'FP32', shape: [-1, 1] }, [
      { max: '0', action: 'Flag' },
      { max: '0.5' },
    ]);
    const verdict = verdictOf(bed, tensorOf('FP32', [1000, 1], new Array<number>(1000).fill(1)));
    expect(verdict?.split('; ')).toHaveLength(9);
    expect(verdict).toMatch(/; and 992 more$/);
    expect(bed.counted).toEqual({ 'x max Flag': 1000, 'x max Reject': 1000 });
    const flagged = inputContract({ datatype: 'BYTES', shape: [-1] }, [{ maxLength: 1, action: 'Flag' }]);
    const header = verdictOf(flagged, tensorOf('BYTES', [1000], new Array<string>(1000).fill('ab')));
    expect(header?.length).toBeLessThanOrEqual(1_000);
    expect(header).toMatch(/; and 992 more$/);
  });

  test('a large tensor of nothing but bad values is not looked through to its end', () => {
    const bed = inputContract({ datatype: 'FP32', shape: [-1, 1] }, [{ max: '0' }]);
    const tensor = tensorOf('FP32', [50_000, 1], new Array<number>(50_000).fill(1));
    expect(verdictOf(bed, tensor)).toMatch(/; and at least 9992 more$/);
    expect(bed.counted).toEqual({ 'x max Reject': 10_000 });
  });

  test('what callers send cannot break out of the header', () => {
    const bed = inputContract({ datatype: 'BYTES', shape: [-1] }, [
      { values: ['a; b\r\nc', 'ü'], action: 'Flag' },
    ]);
    expect(verdictOf(bed, tensorOf('BYTES', [1], ['\r\nset-cookie: a;\u0000\u001b[31m😀']))).toBe(
      String.raw`flagged; values input x[0]: "\r\nset-cookie: a\u{3b}\u0000\u001b[31m\u{1f600}", wanted one of a\u{3b} b\u{d}\u{a}c, \u{fc}`,
    );
  });
});
