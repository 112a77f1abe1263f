/** jest reporter: prints the table of figures when all fault tests have run. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readRows, rowsVariable } from './figures.ts';

export default class FigureTable {
  readonly #path = join(mkdtempSync(join(tmpdir(), 'ballast-fault-')), 'rows');

  onRunStart(): void {
    writeFileSync(this.#path, '');
    process.env[rowsVariable] = this.#path;
  }

  onRunComplete(): void {
    if (!existsSync(this.#path)) return;
    const rows = readRows(this.#path);
    rmSync(dirname(this.#path), { recursive: true, force: true });
    const width = Math.max(0, ...rows.map(({ fault }) => fault.length));
    process.stderr.write('\nFault tests: what was measured (and the bound)\n');
    for (const { test, fault, figure } of rows)
      process.stderr.write(`${test.padEnd(4)} ${fault.padEnd(width)}  ${figure}\n`);
  }
}
