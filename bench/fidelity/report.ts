/** Tables of real runs beside simulated ones, and whether they say the same. */
import type { LiveOutcome } from './live-run.ts';
import type { Simulated } from './simulated.ts';

type Row = Pick<
  Simulated,
  'requests' | 'violations' | 'replicaSeconds' | 'peakReplicas' | 'p50Ms' | 'p99Ms' | 'stretch' | 'situations'
>;

const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
const percent = (share: number, digits = 2) => `${(100 * share).toFixed(digits)} %`;
const width = 50;
const cells = (name: string, row: Row, spread = '') =>
  [
    name.padEnd(width),
    String(Math.round(row.requests)).padStart(8),
    percent(row.violations).padStart(9),
    percent(row.situations.whileStarting).padStart(9),
    row.replicaSeconds.toFixed(0).padStart(9),
    row.peakReplicas.toFixed(1).padStart(5),
    row.p50Ms.toFixed(0).padStart(6),
    row.p99Ms.toFixed(0).padStart(6),
    row.stretch.toFixed(2).padStart(9),
    ` ${spread}`,
  ].join(' ');

/** `at starts`: the part of what was violated in seconds in which a pod started or was new; `service ×`: times that before the run. */
export const header = [
  ''.padEnd(width),
  'requests'.padStart(8),
  'violated'.padStart(9),
  'at starts'.padStart(9),
  'replica-s'.padStart(9),
  'peak'.padStart(5),
  'p50 ms'.padStart(6),
  'p99 ms'.padStart(6),
  'service ×'.padStart(9),
].join(' ');

/** One live run; `podServiceSeconds` is what the pods' service took before it. */
export const liveRow = (name: string, outcome: LiveOutcome, podServiceSeconds: number): string =>
  cells(name, { ...outcome, stretch: outcome.serviceSeconds / podServiceSeconds });

/** The mean of simulations, and how far the seeds lie apart. */
export function simulatedRow(name: string, outcomes: readonly Simulated[]): string {
  const range = (values: readonly number[], digits: number) =>
    `${Math.min(...values).toFixed(digits)}-${Math.max(...values).toFixed(digits)}`;
  const of = (key: Exclude<keyof Row, 'situations'>) => mean(outcomes.map((one) => one[key]));
  const row: Row = {
    requests: of('requests'),
    violations: of('violations'),
    replicaSeconds: of('replicaSeconds'),
    peakReplicas: of('peakReplicas'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    stretch: of('stretch'),
    situations: {
      whileStarting: mean(outcomes.map(({ situations }) => situations.whileStarting)),
      settled: mean(outcomes.map(({ situations }) => situations.settled)),
      startingTime: mean(outcomes.map(({ situations }) => situations.startingTime)),
    },
  };
  const violated = outcomes.map(({ violations }) => 100 * violations);
  const cost = outcomes.map(({ replicaSeconds }) => replicaSeconds);
  return cells(name, row, `${outcomes.length} seeds: ${range(violated, 2)} %, ${range(cost, 0)}`);
}

/** How far the simulator is from the real run, in words. */
export function difference(live: LiveOutcome, outcomes: readonly Simulated[]): string {
  const violations = mean(outcomes.map((one) => one.violations));
  const cost = mean(outcomes.map((one) => one.replicaSeconds));
  const points = 100 * (violations - live.violations);
  const share = 100 * (cost / live.replicaSeconds - 1);
  const sign = (value: number, digits: number) => `${value >= 0 ? '+' : ''}${value.toFixed(digits)}`;
  return `simulated less real: violations ${sign(points, 2)} percentage points, replica-seconds ${sign(share, 1)} %`;
}
