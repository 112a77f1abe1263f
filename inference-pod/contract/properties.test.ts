/** The compiled loops against a check that is written as plainly as possible. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Datatype } from '../../protocol/datatypes.ts';
import { halfTable } from './numbers.ts';
import { dataOf, inputContract, tensorOf, verdictOf, type WrittenOutput } from './testing/build.ts';

type Element = number | bigint | string;
type WrittenInput = Omit<WrittenOutput, 'maxRepeats' | 'name'>;

const rounding: Partial<Record<Datatype, (value: number) => number>> = {
  FP16: Math.f16round,
  FP32: Math.fround,
  FP64: Number,
};

/** Fields of the rule that one row breaks, in no order. */
function* plainly(rule: WrittenInput, datatype: Datatype, row: readonly Element[]): Generator<string> {
  const round = rounding[datatype];
  const columns = rule.columns ?? [...row.keys()];
  const number = (text: string) => (round === undefined ? Number(text) : round(Number(text)));
  // Doubles sum to what their order makes of it, and the contract's order is ascending; whole numbers are summed exactly.
  const isWhole = integers[datatype] !== undefined;
  let total: number | bigint = isWhole ? 0n : 0;
  let isSum = true;
  for (const column of [...new Set(columns)].sort((a, b) => a - b)) {
    const value = row[column] as Element;
    total = typeof total === 'bigint' ? total + BigInt(value) : total + Number(value);
    if (typeof value === 'string') {
      if (rule.values !== undefined && !rule.values.includes(value)) yield 'values';
      if (rule.maxLength !== undefined && [...value].length > rule.maxLength) yield 'maxLength';
      continue;
    }
    if (Number.isNaN(value)) {
      if (rule.allowNaN !== true) yield 'allowNaN';
      isSum &&= rule.allowNaN === true;
      continue;
    }
    if (round !== undefined && !Number.isFinite(value)) {
      yield 'finite';
      isSum = false;
      continue;
    }
    if (rule.min !== undefined && value < exactly(rule.min, number)) yield 'min';
    else if (rule.max !== undefined && value > exactly(rule.max, number)) yield 'max';
    else if (rule.values?.some((text) => isEqual(exactly(text, number), value)) === false) yield 'values';
  }
  const tolerance = Number(rule.tolerance ?? '0.001');
  if (rule.sumTo === undefined || !isSum) return;
  const off = typeof total === 'bigint' ? Number(total - BigInt(rule.sumTo)) : total - Number(rule.sumTo);
  if (!(Math.abs(off) <= tolerance)) yield 'sumTo';
}
/** A bigint and a number compare exactly in JavaScript, but for `===`. */
const isEqual = (a: number | bigint, b: number | bigint) => !(a < b) && !(a > b);
const exactly = (text: string, number: (text: string) => number): number | bigint =>
  /^-?\d+$/.test(text) ? BigInt(text) : number(text);

const near = (edge: bigint) => fc.bigInt({ min: edge - 3n, max: edge + 3n });
const integers: Partial<Record<Datatype, [bigint, bigint]>> = {
  UINT8: [0n, 255n],
  INT16: [-32_768n, 32_767n],
  UINT32: [0n, 4_294_967_295n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
  UINT64: [0n, 2n ** 64n - 1n],
};
const datatypes: readonly Datatype[] = [
  'FP16',
  'FP32',
  'FP64',
  'UINT8',
  'INT16',
  'UINT32',
  'INT64',
  'UINT64',
  'BYTES',
];

/** Whole numbers of a range, close to its edges and to where doubles have gaps. */
const wholeNumbers = ([low, high]: readonly [bigint, bigint]) =>
  fc
    .oneof(...[0n, low, high, 2n ** 53n, -(2n ** 53n)].map(near))
    .filter((value) => value >= low && value <= high);

/** Elements of a datatype, often at its edges and close to each other. */
const elementOf = (datatype: Datatype): fc.Arbitrary<Element> => {
  if (datatype === 'BYTES')
    return fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\ud83d'), maxLength: 4 });
  const range = integers[datatype];
  if (range !== undefined) {
    const value = wholeNumbers(range);
    return datatype === 'INT64' || datatype === 'UINT64' ? value : value.map(Number);
  }
  const special = fc.constantFrom(
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -0,
    0,
    0.1,
    1,
  );
  return fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: -4, max: 4 }).map((n) => n / 4) },
    { weight: 1, arbitrary: special },
  );
};

/** A bound as people write it, close to the elements. */
const boundOf = (datatype: Datatype): fc.Arbitrary<string> => {
  const range = integers[datatype];
  if (range === undefined) return fc.constantFrom('-1', '-0.25', '0', '0.1', '1e-1', '0.5', '1', '1.75');
  return wholeNumbers(range).map(String);
};

const ruleOf = (datatype: Datatype, width: number): fc.Arbitrary<WrittenInput> => {
  const columns = fc.option(
    fc.array(fc.integer({ min: 0, max: width - 1 }), { minLength: 1, maxLength: 3 }),
    { nil: undefined },
  );
  const action = fc.constantFrom('Reject' as const, 'Flag' as const);
  const bound = fc.option(boundOf(datatype), { nil: undefined });
  const allowNaN = integers[datatype] === undefined ? fc.boolean() : fc.constant(undefined);
  const values = (element: fc.Arbitrary<string>) => fc.array(element, { minLength: 1, maxLength: 4 });
  if (datatype === 'BYTES')
    return fc.oneof(
      fc.record({ columns, action, maxLength: fc.integer({ min: 0, max: 4 }) }),
      fc.record({ columns, action, values: values(elementOf('BYTES') as fc.Arbitrary<string>) }),
    );
  return fc.oneof(
    fc.record({ columns, action, min: bound, max: bound, allowNaN }),
    fc.record({ columns, action, values: values(boundOf(datatype)), allowNaN }),
    fc.record({ columns, action, sumTo: boundOf(datatype), tolerance: fc.constantFrom('0', '0.3') }),
  ) as fc.Arbitrary<WrittenInput>;
};

interface Case {
  readonly datatype: Datatype;
  readonly shape: [rows: number, width: number];
  readonly spec: [rows: number, width: number];
  readonly values: Element[];
  readonly rules: WrittenInput[];
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    datatype: fc.constantFrom(...datatypes),
    rows: fc.integer({ min: 0, max: 4 }),
    width: fc.integer({ min: 1, max: 4 }),
    isFixed: fc.boolean(),
  })
  .chain(({ datatype, rows, width, isFixed }) =>
    fc.record({
      datatype: fc.constant(datatype),
      shape: fc.constant<Case['shape']>([rows, width]),
      spec: fc.constant<Case['spec']>([-1, isFixed ? width : -1]),
      values: fc.array(elementOf(datatype), { minLength: rows * width, maxLength: rows * width }),
      rules: fc.array(ruleOf(datatype, width), { minLength: 1, maxLength: 3 }),
    }),
  );

/** Found by chance: in the contract's order doubles round the second row's sum down to what is wanted. */
const roundedSums: Case = {
  datatype: 'UINT64',
  shape: [4, 4],
  spec: [-1, 4],
  values: [
    ...[0n, 18446744073709551612n, 18446744073709551612n, 0n],
    ...[9007199254740990n, 9007199254740989n, 3n, 1n],
    ...[9007199254740989n, 0n, 9007199254740989n, 0n],
    ...[0n, 9007199254740989n, 18446744073709551612n, 18446744073709551612n],
  ],
  rules: [
    { columns: [3, 2, 0], action: 'Reject', sumTo: '9007199254740992', tolerance: '0' },
    { action: 'Reject', values: ['0'] },
  ],
};

test('compiled checks find what plain ones find, no more and no less', () => {
  let broken = 0;
  fc.assert(
    fc.property(cases, ({ datatype, shape, spec, values, rules }) => {
      let bed: ReturnType<typeof inputContract>;
      try {
        bed = inputContract({ datatype, shape: spec }, rules.map(withoutUndefined));
      } catch {
        // Rules that cannot hold are refused: `rule.test.ts`.
        return;
      }
      const [rows = 0, width = 0] = shape;
      const data = dataOf(datatype, values);
      const halves = halfTable();
      const kept = Array.from(data as ArrayLike<Element>, (value) =>
        datatype === 'FP16' ? (halves[Number(value)] as number) : value,
      );
      const wanted: Record<string, number> = {};
      for (const rule of rules)
        for (let row = 0; row < rows; row += 1)
          for (const field of plainly(rule, datatype, kept.slice(row * width, (row + 1) * width))) {
            const key = `x ${field} ${rule.action}`;
            wanted[key] = (wanted[key] ?? 0) + 1;
          }
      const verdict = verdictOf(bed, tensorOf(datatype, shape, values));
      expect(bed.counted).toEqual(wanted);
      const keys = Object.keys(wanted);
      if (keys.some((key) => key.endsWith('Reject'))) expect(verdict).toMatch(/^400 /);
      else if (keys.length > 0) expect(verdict).toMatch(/^flagged; /);
      else expect(verdict).toBeUndefined();
      broken += keys.length > 0 ? 1 : 0;
    }),
    { numRuns: 2_000, examples: [[roundedSums]] },
  );
  // Neither all good nor all bad, or nothing was compared.
  expect(broken).toBeGreaterThan(400);
  expect(broken).toBeLessThan(1_900);
});

const withoutUndefined = (rule: WrittenInput): WrittenInput =>
  Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined));
