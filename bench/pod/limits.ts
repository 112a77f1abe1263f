/** What onnxruntime itself does on the servers' core: rows per second by batch size, and the right answer to one row. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { rowOf } from './exchange.ts';
import type { BenchModel } from './models.ts';
import { cores } from './server-process.ts';

/** Batch sizes of the limit. */
export const rawBatches = [1, 8, 32] as const;

export type RowsPerSecond = Readonly<Record<number, number>>;

function pinned(argv: readonly string[], input: unknown): unknown {
  const run = spawnSync('taskset', ['-c', cores.server, ...argv], {
    input: JSON.stringify(input),
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  const line = run.stdout?.trim().split('\n').at(-1) ?? '';
  if (run.status !== 0 || line === '') throw new Error(`${argv.join(' ')}: ${run.stderr}`);
  return JSON.parse(line);
}

/** Node's onnxruntime. */
export function rawNode(model: BenchModel, seconds: number): RowsPerSecond {
  const argument = JSON.stringify([model, rawBatches, seconds]);
  const said = pinned([process.execPath, join(import.meta.dirname, 'raw.ts'), argument], {
    row: rowOf(model),
  });
  return (said as { rowsPerSecond: RowsPerSecond }).rowsPerSecond;
}

/** Python's onnxruntime, and its answer, with which every server's is compared. */
export function rawPython(
  model: BenchModel,
  seconds: number,
  venv: string,
): { rowsPerSecond: RowsPerSecond; answer: number[]; output: string } {
  const script = join(import.meta.dirname, 'peers/raw.py');
  const argv = [join(venv, 'bin/python'), script, model.path, JSON.stringify(rawBatches), String(seconds)];
  return pinned(argv, { row: nest(rowOf(model), [1, ...model.input.row]) }) as {
    rowsPerSecond: RowsPerSecond;
    answer: number[];
    output: string;
  };
}

function nest(values: readonly number[], dims: readonly number[]): unknown {
  if (dims.length <= 1) return values;
  const size = values.length / (dims[0] ?? 1);
  return Array.from({ length: dims[0] ?? 1 }, (_, i) =>
    nest(values.slice(i * size, (i + 1) * size), dims.slice(1)),
  );
}
