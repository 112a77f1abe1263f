/** What the columns of a row must sum to. */
import { expect, test } from '@jest/globals';
import type { Datatype } from '../../protocol/datatypes.ts';
import { inputContract, tensorOf, verdictOf, type WrittenOutput } from './testing/build.ts';

type Row = [
  what: string,
  datatype: Datatype,
  shape: readonly number[],
  values: readonly (number | bigint)[],
  rule: Omit<WrittenOutput, 'maxRepeats'>,
  wanted: string | undefined,
];

const rows: Row[] = [
  ['rows without columns have a sum of 0', 'FP32', [2, 0], [], { sumTo: '0' }, undefined],
  [
    'a sum',
    'FP32',
    [2, 3],
    [0.2, 0.3, 0.5, 0.1, 0.1, 0.1],
    { sumTo: '1' },
    "400 input 'x', row 1 is a sum of 0.3, wanted 1 ± 0.001 (rule sumTo)",
  ],
  [
    'a sum within its tolerance',
    'FP64',
    [1, 2],
    [0.5, 0.6],
    { sumTo: '1', tolerance: '0.100001' },
    undefined,
  ],
  [
    'a sum of columns',
    'FP64',
    [1, 3],
    [9, 0.5, 0.2],
    { columns: [1, 2], sumTo: '1' },
    "400 input 'x', row 0 is a sum of 0.7, wanted 1 ± 0.001 over columns 1, 2 (rule sumTo)",
  ],
  ['a column named twice counts once', 'FP64', [1, 2], [1, 9], { columns: [0, 0], sumTo: '1' }, undefined],
  ['a sum of 64-bit integers', 'INT64', [1, 2], [3n, 4n], { sumTo: '7', tolerance: '0' }, undefined],
  [
    'a sum that doubles would round down to what is wanted',
    'UINT64',
    [1, 3],
    [9_007_199_254_740_990n, 3n, 1n],
    { sumTo: '9007199254740992', tolerance: '0' },
    "400 input 'x', row 0 is a sum of 9007199254740994, wanted 9007199254740992 ± 0 (rule sumTo)",
  ],
  [
    'a sum beyond 2^53 that is as wanted',
    'INT64',
    [1, 3],
    [9_007_199_254_740_992n, 1n, 1n],
    { sumTo: '9007199254740994', tolerance: '0' },
    undefined,
  ],
  [
    'a small sum of large numbers',
    'INT64',
    [1, 3],
    [2n ** 62n, 7n, -(2n ** 62n)],
    { columns: [2, 0], sumTo: '0', tolerance: '0' },
    undefined,
  ],
  [
    'a sum of whole numbers on the edge of a tolerance that doubles do not hit',
    'UINT8',
    [1, 1],
    [1],
    { sumTo: '1.1', tolerance: '0.1' },
    undefined,
  ],
  [
    'a large sum, every digit of it',
    'UINT32',
    [1, 2],
    [4_294_967_295, 4_294_967_295],
    { sumTo: '1' },
    "400 input 'x', row 0 is a sum of 8589934590, wanted 1 ± 0.001 (rule sumTo)",
  ],
  [
    'a row with NaN has no sum',
    'FP32',
    [1, 2],
    [Number.NaN, 1],
    { sumTo: '5' },
    "400 input 'x', row 0, column 0 is NaN, wanted a number (rule allowNaN)",
  ],
  [
    'a sum beyond all numbers',
    'FP64',
    [1, 2],
    [1e308, 1e308],
    { sumTo: '1' },
    "400 input 'x', row 0 is a sum of Infinity, wanted 1 ± 0.001 (rule sumTo)",
  ],
  [
    'the sum of a row of three dimensions',
    'FP32',
    [1, 2, 2],
    [1, 0, 1, 1],
    { sumTo: '1' },
    "400 input 'x', row [0,1] is a sum of 2, wanted 1 ± 0.001 (rule sumTo)",
  ],
];

test.each(rows)('%s', (_, datatype, shape, values, rule, wanted) => {
  const bed = inputContract({ datatype, shape: shape.map(() => -1) }, [rule]);
  expect(verdictOf(bed, tensorOf(datatype, shape, values))).toBe(wanted);
  // The slow and thorough look, which another rule's finding brings about, sees the same.
  const both = inputContract({ datatype, shape: shape.map(() => -1) }, [
    rule,
    { values: ['77'], action: 'Flag' },
  ]);
  const verdict = verdictOf(both, tensorOf(datatype, shape, values));
  const hasElements = values.length > 0;
  expect(verdict).toEqual(wanted ?? (hasElements ? expect.stringMatching(/^flagged; values/) : undefined));
});
