/** Prints a model's figures as a table. */

import { rawBatches } from './limits.ts';
import { type MeasuredModel, medianOf, medianRaw } from './measure.ts';
import type { OverloadFigures } from './overload.ts';

const ms = (value: number) => value.toFixed(value < 10 ? 2 : 0);
const cell = (text: string, width: number) => text.padStart(width);

/** One model: limits, then every server at every number of connections. */
export function printModel({ model, series, starts, raw }: MeasuredModel): void {
  console.log(`\n${model.name} (${model.megabytes.toFixed(1)} MB)`);
  for (const kind of ['node', 'python'] as const) {
    const rates = rawBatches.map((batch) => {
      const values = raw.map((round) => ({ rate: round[kind][batch] ?? 0 }));
      return `batch ${batch}: ${medianOf(values, 'rate').toFixed(0)}`;
    });
    console.log(`  onnxruntime by ${kind}, rows/s   ${rates.join('   ')}`);
  }
  console.log(
    `  ${'server'.padEnd(10)}${'body'.padEnd(8)}${cell('conns', 6)}${cell('requests/s', 12)}${cell('(spread)', 16)}${cell('of raw', 8)}${cell('p50 ms', 9)}${cell('p99 ms', 9)}${cell('CPU µs', 9)}${cell('failed', 8)}`,
  );
  const rawOne = medianRaw(raw, 1);
  for (const { contender, form, connections, rounds } of series) {
    const rates = rounds.map(({ requestsPerSecond }) => requestsPerSecond);
    const rate = medianOf(rounds, 'requestsPerSecond');
    const spread = `(${Math.min(...rates).toFixed(0)}–${Math.max(...rates).toFixed(0)})`;
    const failed = rounds.reduce((sum, one) => sum + one.failed, 0);
    console.log(
      `  ${contender.padEnd(10)}${form.padEnd(8)}${cell(String(connections), 6)}${cell(rate.toFixed(0), 12)}${cell(spread, 16)}${cell(`${((rate / rawOne) * 100).toFixed(0)} %`, 8)}${cell(ms(medianOf(rounds, 'p50Ms')), 9)}${cell(ms(medianOf(rounds, 'p99Ms')), 9)}${cell(medianOf(rounds, 'cpuMicros').toFixed(0), 9)}${cell(String(failed), 8)}`,
    );
  }
  for (const { contender, startMs, rssMb } of starts)
    console.log(
      `  ${contender.padEnd(10)}first answer after ${startMs.toFixed(0)} ms, ${rssMb.toFixed(0)} MB resident`,
    );
}

/** Goodput and refusals by offered load. */
export function printOverload(figures: readonly OverloadFigures[]): void {
  console.log('  offered at random moments, ballast, binary:');
  for (const { share, offeredPerSecond, goodPerSecond, byStatus, p50Ms, p99Ms } of figures) {
    const statuses = Object.entries(byStatus).map(([status, count]) => `${status}: ${count}`);
    console.log(
      `  ${cell(`${(share * 100).toFixed(0)} %`, 6)}${cell(offeredPerSecond.toFixed(0), 7)}/s offered${cell(goodPerSecond.toFixed(0), 7)}/s in time; accepted p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)} ms; ${statuses.join(', ')}`,
    );
  }
}
