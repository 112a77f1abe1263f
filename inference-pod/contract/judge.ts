/** The slow and thorough look at a tensor that broke a rule: what, where, got, wanted. Only tensors with a finding come here. */
import { quote } from '../../protocol/errors.ts';
import { shortestFloat32 } from '../../protocol/float32.ts';
import { halfTable } from './numbers.ts';
import { indexOf, placeOf } from './table.ts';
import type { Action, Breach, Finding, Rule, Table } from './types.ts';

/** Takes findings in: counts all of them, keeps the first few. */
export interface Findings {
  count(rule: Rule, breach: Breach): void;
  /** False when enough findings with this action are kept already. */
  wants(action: Action): boolean;
  keep(finding: Finding): void;
}

type Element = number | bigint | string;

const reader = ({ data }: Table, { spec }: Rule): ((at: number) => Element) => {
  if (spec.datatype !== 'FP16') return (at) => data[at] ?? Number.NaN;
  const halves = halfTable();
  return (at) => halves[(data as Uint16Array)[at] ?? 0] ?? Number.NaN;
};

/** Number of characters as people count them: a surrogate pair is one. */
export const codePoints = (text: string): number => {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
};

const numberBreach = (rule: Rule, value: Element): Breach | undefined => {
  const bounds = rule.numbers;
  if (bounds === undefined) return undefined;
  if (typeof value === 'bigint') {
    if (bounds.bigMin !== undefined && value < bounds.bigMin) return 'min';
    return bounds.bigMax !== undefined && value > bounds.bigMax ? 'max' : undefined;
  }
  if (typeof value !== 'number') return undefined;
  if (Number.isNaN(value)) return bounds.allowNaN ? undefined : 'allowNaN';
  if (bounds.isFloat && !Number.isFinite(value)) return 'finite';
  if (value < bounds.min) return 'min';
  return value > bounds.max ? 'max' : undefined;
};

/** What one element breaks; undefined when it keeps the rule. */
const breachOf = (rule: Rule, value: Element): Breach | undefined => {
  const breach = numberBreach(rule, value);
  if (breach !== undefined) return breach;
  const isMissing = typeof value === 'number' && Number.isNaN(value);
  if (rule.values !== undefined && !isMissing && !rule.values.has(value)) return 'values';
  if (rule.maxLength !== undefined && typeof value === 'string')
    return value.length > rule.maxLength && codePoints(value) > rule.maxLength ? 'maxLength' : undefined;
  return undefined;
};

/** Looks at every element and every row that the rule is about. */
export const judge = (rule: Rule, table: Table, findings: Findings): void => {
  const { rows, width } = table;
  const at = reader(table, rule);
  const { side, action, spec } = rule;
  const found = (breach: Breach, row: number | undefined, column: number | undefined, got: string) => {
    findings.count(rule, breach);
    if (!findings.wants(action)) return;
    const index = row === undefined ? [] : indexOf(table, row, column);
    const place = placeOf(table, index, column === undefined);
    const wanted = rule.words[breach] ?? '';
    findings.keep({ side, tensor: spec.name, breach, action, index, place, got, wanted });
  };
  const { columns, sum } = rule;
  const isMissing = (column: number) => column >= width;
  if (rows > 0 && columns?.some(isMissing) === true)
    found('columns', undefined, undefined, `${width} column${width === 1 ? '' : 's'}`);
  const count = columns?.length ?? width;
  for (let row = 0; row < rows; row += 1) {
    let total = 0;
    let isWhole = true;
    for (let position = 0; position < count; position += 1) {
      const column = columns === undefined ? position : (columns[position] ?? 0);
      if (isMissing(column)) {
        isWhole = false;
        continue;
      }
      const value = at(row * width + column);
      const breach = breachOf(rule, value);
      if (breach !== undefined) found(breach, row, column, shown(rule, value));
      // What is no number is told as such, and spoils the sum of its row.
      if (breach === 'allowNaN' || breach === 'finite') isWhole = false;
      total += Number(value);
    }
    if (sum !== undefined && isWhole && !(Math.abs(total - sum.wanted) <= sum.tolerance))
      found('sumTo', row, undefined, `a sum of ${shortSum(total)}`);
  }
};

const shown = (rule: Rule, value: Element): string => {
  if (rule.maxLength !== undefined && typeof value === 'string') return `${codePoints(value)} characters`;
  if (rule.spec.datatype === 'BOOL') return value === 0 ? 'false' : 'true';
  if (rule.spec.datatype === 'FP32' && typeof value === 'number') return String(shortestFloat32(value));
  return quote(value);
};

/** A sum as people read it: the last digits of a sum of floats are noise. */
const shortSum = (total: number): string => String(Number(total.toPrecision(7)));
