/** The figures that the fault tests measured, carried from jest's workers to the table at the end: the worst of all seeds. */
import { appendFileSync, readFileSync } from 'node:fs';

export interface Measure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly bound: number | undefined;
  /** Which of several seeds' values is the worst one. */
  readonly worst: 'max' | 'min';
}

interface Row {
  readonly test: string;
  readonly fault: string;
  readonly measures: readonly Measure[];
}

export interface Figure {
  readonly test: string;
  readonly fault: string;
  readonly runs: number;
  readonly text: string;
}

/** Environment variable with the file that holds the rows of this run. */
export const rowsVariable = 'BALLAST_FAULT_ROWS';

/** A value that must not be larger than the bound; without one it is only told. */
export const most = (what: string, value: number, unit = '', bound?: number): Measure => ({
  what,
  value,
  unit,
  bound,
  worst: 'max',
});

/** A value that must not be smaller than the bound. */
export const least = (what: string, value: number, unit = '', bound?: number): Measure => ({
  what,
  value,
  unit,
  bound,
  worst: 'min',
});

/** Notes what a test measured; throws when a bound is broken, so that table and verdict cannot differ. */
export function note(test: string, fault: string, ...measures: Measure[]): void {
  for (const { what, value, unit, bound, worst } of measures) {
    const kept = bound === undefined || (worst === 'max' ? value <= bound : value >= bound);
    if (!kept) throw new Error(`${test} ${fault}: ${what} is ${value} ${unit}, the bound is ${bound}`);
  }
  const path = process.env[rowsVariable];
  if (path !== undefined) appendFileSync(path, `${JSON.stringify({ test, fault, measures })}\n`);
}

/** One figure per test and fault, in the order of the tests' numbers. */
export function readFigures(path: string): Figure[] {
  const groups = new Map<string, Row[]>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue;
    const row = JSON.parse(line) as Row;
    const key = `${row.test} ${row.fault}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const figures: Figure[] = [];
  for (const rows of groups.values()) {
    const first = rows[0];
    if (first === undefined) continue;
    const text = first.measures.map((_, index) => worstOf(rows.map((row) => row.measures[index]))).join(', ');
    figures.push({ test: first.test, fault: first.fault, runs: rows.length, text });
  }
  const order = ({ test }: Figure) => Number(/\d+/.exec(test)?.[0] ?? 0);
  return figures.sort((a, b) => order(a) - order(b) || a.fault.localeCompare(b.fault));
}

function worstOf(measures: readonly (Measure | undefined)[]): string {
  const known = measures.filter((measure) => measure !== undefined);
  const first = known[0];
  if (first === undefined) return '';
  const values = known.map(({ value }) => value);
  const worst = first.worst === 'max' ? Math.max(...values) : Math.min(...values);
  const sign = first.worst === 'max' ? '≤' : '≥';
  const shown = Number.isInteger(worst) ? String(worst) : worst.toFixed(worst < 1 ? 3 : 1);
  const bound = first.bound === undefined ? '' : ` (bound ${first.bound})`;
  return `${first.what} ${known.length > 1 ? `${sign} ` : ''}${shown}${first.unit === '' ? '' : ` ${first.unit}`}${bound}`;
}

/** Fixed seeds, printed in the names of tests; more with `BALLAST_FAULT_SEEDS=500`. */
export function seeds(usual: number): number[] {
  const wanted = Number(process.env.BALLAST_FAULT_SEEDS ?? usual);
  return Array.from({ length: Math.max(1, wanted) }, (_, index) => index + 1);
}
