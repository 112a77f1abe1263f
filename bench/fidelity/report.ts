/** Tables of real runs beside simulated ones. */
import type { Outcome } from '../../simulator/replay.ts';
import type { LiveOutcome } from './live-run.ts';

type Row = Pick<Outcome, 'requests' | 'violations' | 'replicaSeconds' | 'peakReplicas' | 'p50Ms' | 'p99Ms'>;

const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
const cells = (name: string, row: Row, spread = '') =>
  `${name.padEnd(44)} ${String(Math.round(row.requests)).padStart(7)} ${(100 * row.violations).toFixed(2).padStart(7)} % ${row.replicaSeconds.toFixed(0).padStart(8)} ${row.peakReplicas.toFixed(1).padStart(6)} ${row.p50Ms.toFixed(0).padStart(7)} ${row.p99Ms.toFixed(0).padStart(7)}  ${spread}`;

export const header = `${''.padEnd(44)} ${'requests'.padStart(7)} ${'violated'.padStart(8)} ${'replica-s'.padStart(9)} ${'peak'.padStart(6)} ${'p50 ms'.padStart(7)} ${'p99 ms'.padStart(7)}`;

/** One live run. */
export const liveRow = (name: string, outcome: LiveOutcome): string => cells(name, outcome);

/** The mean of simulations, and how far the seeds lie apart. */
export function simulatedRow(name: string, outcomes: readonly Outcome[]): string {
  const range = (values: readonly number[], digits: number) =>
    `${Math.min(...values).toFixed(digits)}-${Math.max(...values).toFixed(digits)}`;
  const of = (key: keyof Row) => mean(outcomes.map((one) => one[key]));
  const row: Row = {
    requests: of('requests'),
    violations: of('violations'),
    replicaSeconds: of('replicaSeconds'),
    peakReplicas: of('peakReplicas'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
  };
  const violated = outcomes.map(({ violations }) => 100 * violations);
  const cost = outcomes.map(({ replicaSeconds }) => replicaSeconds);
  return cells(name, row, `${outcomes.length} seeds: ${range(violated, 2)} %, ${range(cost, 0)}`);
}

/** How far the simulator is from the real run, in words. */
export function difference(live: LiveOutcome, outcomes: readonly Outcome[]): string {
  const violations = mean(outcomes.map((one) => one.violations));
  const cost = mean(outcomes.map((one) => one.replicaSeconds));
  const points = 100 * (violations - live.violations);
  const percent = 100 * (cost / live.replicaSeconds - 1);
  const sign = (value: number, digits: number) => `${value >= 0 ? '+' : ''}${value.toFixed(digits)}`;
  return `simulated less real: violations ${sign(points, 2)} percentage points, replica-seconds ${sign(percent, 1)} %`;
}
