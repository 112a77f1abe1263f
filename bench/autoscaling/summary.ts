/** Means over seeds with their 95 % intervals, and the tables of them. */
import type { Result } from './task.ts';

/** A mean and half of its 95 % interval (Student's t). */
export interface Mean {
  readonly mean: number;
  readonly half: number;
}

const student = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093,
];

/** The mean of some values; the interval is 0 with a single one. */
export function meanOf(values: readonly number[]): Mean {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  if (values.length < 2) return { mean, half: 0 };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, half: (student[values.length - 2] ?? 1.96) * Math.sqrt(variance / values.length) };
}

export interface Row {
  readonly trace: string;
  readonly shedAt: 'Timeout' | 'SLA';
  readonly policy: string;
  readonly seeds: number;
  /** Percent of all requests. */
  readonly violations: Mean;
  readonly refused: Mean;
  readonly replicaSeconds: Mean;
  /** Replica-seconds over the oracle's of the same seed. */
  readonly overOracle: Mean;
  readonly p99Ms: Mean;
  readonly peakReplicas: Mean;
  readonly actionsPerHour: Mean;
  readonly flaps: Mean;
  readonly badMinutes: Mean;
  /** Undefined where the trace has no step; infinite where one seed never recovered. */
  readonly recoverySeconds: Mean | undefined;
  readonly decideMs: Mean | undefined;
}

/** One row for each policy of each trace and way of shedding. */
export function rowsOf(results: readonly Result[], stepTraces: ReadonlySet<string>): Row[] {
  const groups = Map.groupBy(results, ({ trace, shedAt, policy }) => JSON.stringify([trace, shedAt, policy]));
  const rows: Row[] = [];
  for (const group of groups.values()) {
    const first = group[0] as Result;
    const figure = (pick: (result: Result) => number) => meanOf(group.map(pick));
    const oracle = (seed: number) =>
      results.find((one) => one.trace === first.trace && one.policy === 'oracle' && one.seed === seed)
        ?.outcome.replicaSeconds ?? Number.NaN;
    const hours = ({ outcome }: Result) => (outcome.points.length * 10) / 3_600;
    rows.push({
      trace: first.trace,
      shedAt: first.shedAt,
      policy: first.policy,
      seeds: group.length,
      violations: figure(({ outcome }) => 100 * outcome.violations),
      refused: figure(({ outcome }) => 100 * outcome.refused),
      replicaSeconds: figure(({ outcome }) => outcome.replicaSeconds),
      overOracle: figure(({ outcome, seed }) => outcome.replicaSeconds / oracle(seed)),
      p99Ms: figure(({ outcome }) => outcome.p99Ms),
      peakReplicas: figure(({ outcome }) => outcome.peakReplicas),
      actionsPerHour: figure((result) => result.outcome.actions / hours(result)),
      flaps: figure(({ outcome }) => outcome.flaps),
      badMinutes: figure(({ outcome }) => outcome.badMinutes),
      recoverySeconds: stepTraces.has(first.trace)
        ? figure(({ outcome }) => outcome.recoverySeconds ?? Number.POSITIVE_INFINITY)
        : undefined,
      decideMs: first.decideMs === undefined ? undefined : figure(({ decideMs }) => decideMs ?? 0),
    });
  }
  return rows;
}

/** The row as it is written down: of the oracle without what is not measured of it, where the table has blanks too. */
export function writtenRow(row: Row): Partial<Row> {
  if (row.policy !== 'oracle') return row;
  const { p99Ms, refused, badMinutes, actionsPerHour, flaps, recoverySeconds, ...measured } = row;
  return measured;
}

/** `1.23 ±0.04`. */
export function shown({ mean, half }: Mean, digits: number): string {
  if (!Number.isFinite(mean)) return 'never';
  return half === 0 ? mean.toFixed(digits) : `${mean.toFixed(digits)} ±${half.toFixed(digits)}`;
}

/** The table of one trace and way of shedding, in Markdown. */
export function tableOf(rows: readonly Row[]): string {
  const step = rows.some(({ recoverySeconds }) => recoverySeconds !== undefined);
  const head = [
    'policy',
    'violations %',
    '× oracle',
    'p99 ms',
    'refused %',
    'bad minutes',
    'peak',
    'actions/h',
    'flaps',
  ];
  if (step) head.push('recovery s');
  const lines = [head, head.map(() => '---')];
  for (const row of rows) {
    const isOracle = row.policy === 'oracle';
    const line = [
      row.policy,
      shown(row.violations, 2),
      shown(row.overOracle, 3),
      ...(isOracle
        ? ['', '', '', shown(row.peakReplicas, 0), '', '']
        : [
            shown(row.p99Ms, 0),
            shown(row.refused, 2),
            shown(row.badMinutes, 1),
            shown(row.peakReplicas, 0),
            shown(row.actionsPerHour, 0),
            shown(row.flaps, 1),
          ]),
    ];
    if (step) line.push(row.recoverySeconds === undefined || isOracle ? '' : shown(row.recoverySeconds, 0));
    lines.push(line);
  }
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map(
      (line) =>
        `| ${line.map((cell, column) => (cell === '---' ? '-'.repeat(widths[column] ?? 3) : cell.padEnd(widths[column] ?? 0))).join(' | ')} |`,
    )
    .join('\n');
}
