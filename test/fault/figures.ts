/** The figures that the fault tests measured, carried from jest's workers to the table at the end. */
import { appendFileSync, readFileSync } from 'node:fs';

export interface Figure {
  readonly test: string;
  readonly fault: string;
  /** What was measured, with the bound that it must keep. */
  readonly figure: string;
}

/** Environment variable with the file that holds the rows of this run. */
export const rowsVariable = 'BALLAST_FAULT_ROWS';

/** Notes a figure of a test that passed. */
export function note(test: string, fault: string, figure: string): void {
  const path = process.env[rowsVariable];
  if (path !== undefined) appendFileSync(path, `${JSON.stringify({ test, fault, figure })}\n`);
}

/** Rows of this run, in the order of the tests' numbers. */
export function readRows(path: string): Figure[] {
  const order = ({ test }: Figure) => Number(/\d+/.exec(test)?.[0] ?? 0);
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Figure)
    .sort((a, b) => order(a) - order(b) || a.fault.localeCompare(b.fault));
}

/** Fixed seeds, printed in the names of tests; more with `BALLAST_FAULT_SEEDS=500`. */
export function seeds(usual: number): number[] {
  const wanted = Number(process.env.BALLAST_FAULT_SEEDS ?? usual);
  return Array.from({ length: Math.max(1, wanted) }, (_, index) => index + 1);
}
