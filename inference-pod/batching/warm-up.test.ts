/** What warm-up runs, on a runner and a clock of the test's own. */
import { expect, test } from '@jest/globals';
import type { Runner } from '../runner/runner.ts';
import { warmUp } from './warm-up.ts';

interface Model {
  /** CPU milliseconds of a run, the first of its size being number 1. */
  readonly cpuMs: (rows: number, run: number) => number;
  /** What neighbours take of the clock besides. */
  readonly stolenMs?: (rows: number) => number;
}

/** Warms a model up whose output is its input; says what was run. */
const warm = async ({ cpuMs, stolenMs = () => 0 }: Model) => {
  const clock = { ms: 0 };
  const runs = new Map<number, number>();
  const runner: Runner = {
    busySinceMs: undefined,
    stop: () => Promise.resolve(),
    run: (inputs) => {
      const rows = inputs[0]?.shape[0] ?? 0;
      const run = (runs.get(rows) ?? 0) + 1;
      runs.set(rows, run);
      const ms = cpuMs(rows, run);
      clock.ms += ms + stolenMs(rows);
      return Promise.resolve({ outputs: inputs, runMs: ms, cpuMs: ms });
    },
  };
  const result = await warmUp(runner, {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
    outputs: ['x'],
    mayBatch: true,
    maxRows: 32,
    budgetMs: 100_000,
    nowMs: () => clock.ms,
  });
  return { ...result, ran: [...runs.keys()].sort((a, b) => a - b) };
};

test('of a model that gains nothing by two rows no larger batch is run: onnxruntime would keep its memory', async () => {
  const { ran, remark } = await warm({ cpuMs: (rows) => 7 * rows });
  expect(ran).toEqual([1, 2]);
  expect(remark).toMatch(/^batches of up to 1 rows/);
});

test('one that gains is measured until two doublings gain no more', async () => {
  const { ran, remark } = await warm({ cpuMs: (rows) => Math.max(4, rows) });
  expect(ran).toEqual([1, 2, 4, 8, 16]);
  expect(remark).toMatch(/^batches of up to 4 rows/);
});

test('runs that neighbours slow by what they do to the caches do not hide a gain: the fastest of each size counts', async () => {
  const { ran, remark } = await warm({
    cpuMs: (rows, run) => (rows === 2 && run !== 3 ? 3 : 1) * (4 + rows / 10),
  });
  expect(ran).toEqual([1, 2, 4, 8, 16, 32]);
  expect(remark).toMatch(/^batches of up to 32 rows/);
});

test('neighbours that take the core from some runs do not hide a gain, and their time is known as the clock tells it', async () => {
  const { ran, remark, costs, cpuCosts } = await warm({
    cpuMs: (rows) => 4 + rows / 10,
    stolenMs: (rows) => (rows === 2 ? 30 : 0),
  });
  expect(ran).toEqual([1, 2, 4, 8, 16, 32]);
  expect(remark).toMatch(/^batches of up to 32 rows/);
  expect(costs.get(2)).toBeCloseTo(34.2, 5);
  expect(cpuCosts.get(2)).toBeCloseTo(4.2, 5);
});
