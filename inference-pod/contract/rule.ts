/** One rule of `spec.contract` in the terms of its tensor, or a ContractError that says why it cannot hold there. */
import type { ContractSpec } from '../../crds/types.ts';
import type { TensorSpec } from '../../protocol/datatypes.ts';
import { quote } from '../../protocol/errors.ts';
import {
  addDecimals,
  ceilingOf,
  compareDecimals,
  type Decimal,
  floorOf,
  parseDecimal,
  subtractDecimals,
  wholeOf,
} from './decimal.ts';
import { floatKind, integerRange } from './numbers.ts';
import { knownWidth } from './table.ts';
import { type Breach, ContractError, type NumberRule, type Rule, type Side } from './types.ts';

type InputRule = NonNullable<ContractSpec['inputs']>[number];
type OutputRule = NonNullable<ContractSpec['outputs']>[number];
/** A rule as it is written, of an input or an output. */
export type WrittenRule = InputRule & Pick<OutputRule, 'maxRepeats'>;

const defaultTolerance = '0.001';
/** Without an action an input that breaks its rule is refused, and an output is let out with a mark. */
const defaultAction = { input: 'Reject', output: 'Flag' } as const;

/** Compiles one rule; `path` names it in errors. */
export const compileRule = (written: WrittenRule, side: Side, spec: TensorSpec, path: string): Rule => {
  const fail = (why: string): never => {
    throw new ContractError(`${path}: ${side} '${spec.name}' ${why}`);
  };
  const decimal = (field: 'min' | 'max' | 'sumTo' | 'tolerance', text: string | undefined) =>
    text === undefined
      ? undefined
      : (parseDecimal(text) ?? fail(`has ${field} ${quote(text)}, which is no number`));
  const isNumber = integerRange(spec.datatype) !== undefined || floatKind(spec.datatype) !== undefined;
  const { min, max, sumTo, allowNaN, values, maxLength, tolerance = defaultTolerance } = written;
  if (spec.datatype === 'BF16') fail('is BF16, which a contract cannot check');
  for (const field of ['min', 'max', 'sumTo', 'tolerance', 'allowNaN'] as const)
    if (!isNumber && written[field] !== undefined)
      fail(`is ${spec.datatype}, and ${field} is about numbers: remove it`);
  if (maxLength !== undefined && spec.datatype !== 'BYTES')
    fail(`is ${spec.datatype}, and maxLength is about strings: remove it`);
  if (allowNaN === true && floatKind(spec.datatype) === undefined)
    fail(`is ${spec.datatype}, which has no NaN: remove allowNaN`);
  if (allowNaN === true && sumTo !== undefined)
    fail('may hold NaN, and a row with NaN has no sum: remove sumTo or allowNaN');
  if (values !== undefined && (min !== undefined || max !== undefined || maxLength !== undefined))
    fail('has values, which already name all that is allowed: remove min, max and maxLength');
  if (written.tolerance !== undefined && (sumTo === undefined || tolerance.startsWith('-')))
    fail('has a tolerance, which belongs to sumTo and must not be negative');
  const checksNothing =
    floatKind(spec.datatype) === undefined &&
    [min, max, sumTo, values, maxLength, written.maxRepeats].every((field) => field === undefined);
  if (checksNothing) fail(`is ${spec.datatype}, and the rule checks nothing: add what must hold`);

  const sum = decimal('sumTo', sumTo);
  const off = decimal('tolerance', tolerance);
  const columns = columnsOf(written.columns, spec, fail);
  const count = columns === undefined ? '' : ` ${columns.length === 1 ? 'column' : 'columns'}`;
  const words: Partial<Record<Breach, string>> = {
    columns: `column ${columns?.at(-1) ?? 0}`,
    ...(floatKind(spec.datatype) === undefined ? {} : { finite: 'a finite number' }),
    ...(floatKind(spec.datatype) === undefined || allowNaN === true ? {} : { allowNaN: 'a number' }),
    ...(min === undefined ? {} : { min: `at least ${min}` }),
    ...(max === undefined ? {} : { max: `at most ${max}` }),
    ...(values === undefined ? {} : { values: `one of ${listOf(values)}` }),
    ...(maxLength === undefined ? {} : { maxLength: `at most ${maxLength}` }),
    ...(sumTo === undefined
      ? {}
      : {
          sumTo: `${sumTo} ± ${tolerance}${count === '' ? '' : ` over${count} ${columns?.join(', ').slice(0, 60)}`}`,
        }),
  };
  return {
    side,
    spec,
    action: written.action ?? defaultAction[side],
    columns,
    numbers: isNumber ? numbersOf(decimal('min', min), decimal('max', max), written, spec, fail) : undefined,
    values: values === undefined ? undefined : new Set(values.map((text) => elementOf(text, spec, fail))),
    maxLength,
    sum:
      sum === undefined || off === undefined
        ? undefined
        : {
            wanted: Number(sumTo),
            tolerance: Number(tolerance),
            whole:
              integerRange(spec.datatype) === undefined
                ? undefined
                : { min: ceilingOf(subtractDecimals(sum, off)), max: floorOf(addDecimals(sum, off)) },
          },
    words,
  };
};

const listOf = (values: readonly string[]): string => {
  const shown = values.slice(0, 5).map((value) => (value.length > 20 ? `${value.slice(0, 19)}…` : value));
  const more = values.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
};

const columnsOf = (
  columns: readonly number[] | undefined,
  spec: TensorSpec,
  fail: (why: string) => never,
): Int32Array | undefined => {
  if (columns === undefined) return undefined;
  const width = knownWidth(spec);
  const sorted = Int32Array.from(new Set(columns)).sort();
  const last = sorted.at(-1) ?? 0;
  if (width !== undefined && last >= width)
    fail(
      `has ${width === 1 ? 'one column, number 0' : `${width} columns, numbered 0 to ${width - 1}`}: there is no column ${last}`,
    );
  return sorted;
};

const numbersOf = (
  min: Decimal | undefined,
  max: Decimal | undefined,
  written: WrittenRule,
  spec: TensorSpec,
  fail: (why: string) => never,
): NumberRule => {
  if (min !== undefined && max !== undefined && compareDecimals(min, max) > 0)
    fail(`has min ${written.min} and max ${written.max}: min must not be larger than max`);
  const range = integerRange(spec.datatype);
  if (range !== undefined) {
    const low = min === undefined ? undefined : ceilingOf(min);
    const high = max === undefined ? undefined : floorOf(max);
    if (
      (low ?? range[0]) > (high ?? range[1]) ||
      (low ?? range[0]) > range[1] ||
      (high ?? range[1]) < range[0]
    )
      fail(`is ${spec.datatype}, and none of its numbers is ${rangeText(written)}`);
    return {
      isFloat: false,
      allowNaN: false,
      min: low === undefined ? Number.NEGATIVE_INFINITY : Number(low),
      max: high === undefined ? Number.POSITIVE_INFINITY : Number(high),
      bigMin: low,
      bigMax: high,
    };
  }
  const kind = floatKind(spec.datatype);
  const round = (text: string | undefined, other: number) =>
    text === undefined ? other : (kind?.round(Number(text)) ?? other);
  const low = round(written.min, Number.NEGATIVE_INFINITY);
  const high = round(written.max, Number.POSITIVE_INFINITY);
  if (low === Number.POSITIVE_INFINITY || high === Number.NEGATIVE_INFINITY)
    fail(`is ${spec.datatype}, and none of its numbers is ${rangeText(written)}`);
  return {
    isFloat: true,
    allowNaN: written.allowNaN === true,
    min: low,
    max: high,
    bigMin: undefined,
    bigMax: undefined,
  };
};

const rangeText = ({ min, max }: WrittenRule): string =>
  [min === undefined ? '' : `at least ${min}`, max === undefined ? '' : `at most ${max}`]
    .filter((text) => text !== '')
    .join(' and ');

const elementOf = (
  text: string,
  { datatype }: TensorSpec,
  fail: (why: string) => never,
): number | bigint | string => {
  if (datatype === 'BYTES') return text;
  if (datatype === 'BOOL') {
    if (text === 'true' || text === '1') return 1;
    if (text === 'false' || text === '0') return 0;
    return fail(`is BOOL, and its values are true and false, not ${quote(text)}`);
  }
  const impossible = () => fail(`is ${datatype}, which ${quote(text)} in values is not`);
  const decimal = parseDecimal(text) ?? impossible();
  const range = integerRange(datatype);
  if (range === undefined) {
    const value = floatKind(datatype)?.round(Number(text)) ?? Number.NaN;
    return Number.isFinite(value) ? value : impossible();
  }
  const whole = wholeOf(decimal);
  if (whole === undefined || whole < range[0] || whole > range[1]) return impossible();
  return datatype === 'INT64' || datatype === 'UINT64' ? whole : Number(whole);
};
