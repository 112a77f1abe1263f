/** jest reporter: prints the table of figures when all fault tests have run. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readFigures, rowsVariable } from './figures.ts';

export default class FigureTable {
  readonly #path = join(mkdtempSync(join(tmpdir(), 'ballast-fault-')), 'rows');

  onRunStart(): void {
    writeFileSync(this.#path, '');
    process.env[rowsVariable] = this.#path;
  }

  onRunComplete(): void {
    if (!existsSync(this.#path)) return;
    const figures = readFigures(this.#path);
    rmSync(dirname(this.#path), { recursive: true, force: true });
    const width = Math.max(0, ...figures.map(({ fault }) => fault.length));
    process.stderr.write('\nFault tests: the worst of all runs (and the bound)\n');
    for (const { test, fault, runs, text } of figures) {
      const seeds = runs === 1 ? '' : `${runs} runs`;
      process.stderr.write(`${test.padEnd(4)} ${fault.padEnd(width)} ${seeds.padStart(7)}  ${text}\n`);
    }
  }
}
