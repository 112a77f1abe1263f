/** The issue's targets, each held against the rows: MET, or MISSED and by how much. */
import type { Row } from './summary.ts';

export interface Verdict {
  readonly target: string;
  readonly met: boolean;
  readonly text: string;
}

const percent = (value: number) => `${value.toFixed(2)} %`;
const times = (value: number) => `${value.toFixed(3)}×`;

/** By how much a figure is over its limit. */
const over = (value: number, limit: number, unit: (value: number) => string) =>
  value <= limit ? '' : `, over by ${unit(value - limit)}`;

function smooth(row: Row, kpa: Row | undefined): Verdict {
  const { violations, overOracle } = row;
  const met = violations.mean <= 0.5 && overOracle.mean <= 1.25;
  const stretch = met ? ` (stretch 1.15×: ${overOracle.mean <= 1.15 ? 'MET' : 'missed'})` : '';
  const beside =
    kpa === undefined
      ? ''
      : `; KPA at 0.7 has ${percent(kpa.violations.mean)}, this is ${times(row.replicaSeconds.mean / kpa.replicaSeconds.mean)} its cost`;
  return {
    target: `${row.trace}: at most 0.5 % violations at no more than 1.25× the oracle`,
    met,
    text: `${percent(violations.mean)} at ${times(overOracle.mean)}${over(violations.mean, 0.5, percent)}${over(overOracle.mean, 1.25, times)}${stretch}${beside}`,
  };
}

function bursty(row: Row, kpa: Row, allKpa: readonly Row[]): Verdict {
  const cost = row.replicaSeconds.mean / kpa.replicaSeconds.mean;
  const met = row.violations.mean <= kpa.violations.mean && cost <= 0.88;
  // The best KPA of this trace: the cheapest of those with at most half a percent, else the one with the fewest violations.
  const good = allKpa.filter(({ violations }) => violations.mean <= 0.5);
  const best = (good.length > 0 ? good : allKpa).toSorted((one, other) =>
    good.length > 0
      ? one.replicaSeconds.mean - other.replicaSeconds.mean
      : one.violations.mean - other.violations.mean,
  )[0] as Row;
  return {
    target: `${row.trace}: no more violations than KPA at 0.7, at no more than 0.88× its replica-seconds`,
    met,
    text: `${percent(row.violations.mean)} to its ${percent(kpa.violations.mean)}${over(row.violations.mean, kpa.violations.mean, percent)}, at ${times(cost)} its cost${over(cost, 0.88, times)}; best KPA here ${best.policy}: ${percent(best.violations.mean)} at ${times(row.replicaSeconds.mean / best.replicaSeconds.mean)} its cost`,
  };
}

function recovery(row: Row, d90Seconds: number): Verdict {
  const limit = d90Seconds + 5;
  const seconds = row.recoverySeconds?.mean ?? Number.POSITIVE_INFINITY;
  const met = seconds <= limit && row.violations.mean <= 1;
  return {
    target: `${row.trace}: recovered within D90 + 5 s = ${limit.toFixed(0)} s with at most 1 % violations`,
    met,
    text: `${seconds.toFixed(0)} s and ${percent(row.violations.mean)}${over(seconds, limit, (value) => `${value.toFixed(0)} s`)}${over(row.violations.mean, 1, percent)}`,
  };
}

function againstHpa(row: Row, hpas: readonly Row[], factor: number): Verdict {
  const best = hpas.toSorted((one, other) => one.violations.mean - other.violations.mean)[0] as Row;
  const fewer = best.violations.mean / Math.max(1e-9, row.violations.mean);
  const cost = row.replicaSeconds.mean / best.replicaSeconds.mean;
  return {
    target: `${row.trace}: at least ${factor}× fewer violations than the best HPA at no more cost`,
    met: fewer >= factor && cost <= 1,
    text: `${fewer.toFixed(1)}× fewer (${percent(row.violations.mean)} to ${percent(best.violations.mean)} of ${best.policy})${fewer >= factor ? '' : `, short by ${(factor - fewer).toFixed(1)}×`}, at ${times(cost)} its cost${over(cost, 1, times)}`,
  };
}

/** Verdicts on all rows of one way of shedding. */
export function verdictsOf(
  rows: readonly Row[],
  kinds: ReadonlyMap<string, 'smooth' | 'bursty' | 'step' | 'spike'>,
  d90Seconds: number,
): Verdict[] {
  const verdicts: Verdict[] = [];
  for (const [trace, kind] of kinds) {
    const mine = rows.filter((row) => row.trace === trace);
    const ours = mine.find(({ policy }) => policy === 'ballast');
    if (ours === undefined) continue;
    const kpa = mine.find(({ policy }) => policy === 'kpa70');
    const hpas = mine.filter(({ policy }) => policy.startsWith('hpa'));
    if (kind === 'smooth') verdicts.push(smooth(ours, kpa));
    if (kind === 'bursty' && kpa !== undefined)
      verdicts.push(
        bursty(
          ours,
          kpa,
          mine.filter(({ policy }) => policy.startsWith('kpa')),
        ),
      );
    if (kind === 'step') verdicts.push(recovery(ours, d90Seconds));
    if ((kind === 'step' || kind === 'spike') && hpas.length > 0)
      verdicts.push(againstHpa(ours, hpas, kind === 'step' ? 5 : 3));
    if (trace === 'constant')
      verdicts.push({
        target: 'constant: no flap in calm',
        met: ours.flaps.mean === 0,
        text: `${ours.flaps.mean.toFixed(1)} flaps, ${ours.actionsPerHour.mean.toFixed(0)} changes an hour`,
      });
  }
  const decide = rows.flatMap(({ decideMs }) => (decideMs === undefined ? [] : [decideMs.mean]));
  if (decide.length > 0) {
    const most = Math.max(...decide);
    verdicts.push({
      target: 'decide() below 1 ms at the median',
      met: most < 1,
      text: `${most.toFixed(3)} ms in the worst trace`,
    });
  }
  return verdicts;
}
