/** The slow and thorough look at a tensor that broke a rule: what, where, got, wanted. Only tensors with a finding come here. */
import { quote } from '../../protocol/errors.ts';
import { shortestFloat32 } from '../../protocol/float32.ts';
import { halfTable } from './numbers.ts';
import { indexOf, placeOf } from './table.ts';
import type { Action, Breach, Finding, Rule, SumRule, Table } from './types.ts';

/** Takes findings in: counts all of them, keeps the first few. */
export interface Findings {
  /** `isCut`: there may be more, which were not looked at. */
  count(rule: Rule, breach: Breach, times: number, isCut: boolean): void;
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

/** How often one request is counted to break one rule: beyond that it is only known to be bad, whatever its size. */
const maxCounted = 10_000;

/** Counts what one rule finds, and words the first few. */
class Account {
  readonly #rule: Rule;
  readonly #table: Table;
  readonly #findings: Findings;
  readonly #counts = new Map<Breach, number>();
  #total = 0;
  /** False once enough is worded: a caller who sends millions of bad values must not make us write about each. */
  isWording: boolean;

  constructor(rule: Rule, table: Table, findings: Findings) {
    this.#rule = rule;
    this.#table = table;
    this.#findings = findings;
    this.isWording = findings.wants(rule.action);
  }

  /** True when a rule was broken so often that the rest is not looked at. */
  get isFull(): boolean {
    return this.#total >= maxCounted;
  }

  add(breach: Breach): void {
    this.#total += 1;
    this.#counts.set(breach, (this.#counts.get(breach) ?? 0) + 1);
  }

  word(breach: Breach, row: number | undefined, column: number | undefined, got: string): void {
    const { side, action, spec, words } = this.#rule;
    const index = row === undefined ? [] : indexOf(this.#table, row, column);
    const place = placeOf(this.#table, index, column === undefined);
    const wanted = words[breach] ?? '';
    this.#findings.keep({ side, tensor: spec.name, breach, action, index, place, got, wanted });
    this.isWording = this.#findings.wants(action);
  }

  end(): void {
    for (const [breach, count] of this.#counts) this.#findings.count(this.#rule, breach, count, this.isFull);
  }
}

/** Looks at every element and every row that the rule is about. */
export const judge = (rule: Rule, table: Table, findings: Findings): void => {
  const { rows, width } = table;
  const at = reader(table, rule);
  const { columns, sum } = rule;
  const account = new Account(rule, table, findings);
  const present = columns?.filter((column) => column < width);
  const isWide = present?.length === columns?.length;
  if (rows > 0 && !isWide) {
    account.add('columns');
    if (account.isWording)
      account.word('columns', undefined, undefined, `${width} column${width === 1 ? '' : 's'}`);
  }
  const count = present?.length ?? width;
  for (let row = 0; row < rows && !account.isFull; row += 1) {
    let total: number | bigint = 0;
    let size = 0;
    let isWhole = isWide;
    for (let position = 0; position < count && !account.isFull; position += 1) {
      const column = present === undefined ? position : (present[position] ?? 0);
      const value = at(row * width + column);
      const breach = breachOf(rule, value);
      if (breach !== undefined) {
        account.add(breach);
        if (account.isWording) account.word(breach, row, column, shown(rule, value));
        // What is no number is told as such, and spoils the sum of its row.
        if (breach === 'allowNaN' || breach === 'finite') isWhole = false;
      }
      if (sum === undefined) continue;
      total += Number(value);
      size += Math.abs(Number(value));
    }
    if (sum === undefined || !isWhole || account.isFull) continue;
    if (sum.whole !== undefined && !(size <= Number.MAX_SAFE_INTEGER)) {
      // Doubles were rounded on the way, and differently in each order of the columns.
      total = 0n;
      for (let position = 0; position < count; position += 1)
        total += BigInt(at(row * width + (present === undefined ? position : (present[position] ?? 0))));
    }
    if (!isSum(total, sum)) {
      account.add('sumTo');
      if (account.isWording) account.word('sumTo', row, undefined, `a sum of ${shownSum(total, sum)}`);
    }
  }
  account.end();
};

const shown = (rule: Rule, value: Element): string => {
  if (rule.maxLength !== undefined && typeof value === 'string') return `${codePoints(value)} characters`;
  if (rule.spec.datatype === 'BOOL') return value === 0 ? 'false' : 'true';
  if (rule.spec.datatype === 'FP32' && typeof value === 'number') return String(shortestFloat32(value));
  return quote(value);
};

/** JavaScript compares a number with a bigint exactly. */
const isSum = (total: number | bigint, { wanted, tolerance, whole }: SumRule): boolean =>
  whole === undefined
    ? Math.abs(Number(total) - wanted) <= tolerance
    : total >= whole.min && total <= whole.max;

/** A sum as people read it: the last digits of a sum of floats are noise. */
const shownSum = (total: number | bigint, { whole }: SumRule): string =>
  whole === undefined ? String(Number(Number(total).toPrecision(7))) : String(total);
