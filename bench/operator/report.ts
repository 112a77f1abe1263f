/** The figures of one N as lines of text, and whether the targets are met. */
import { breakdown, isEvent, isLease, isWrite } from './audit.ts';
import type { LimitRun } from './limit-run.ts';
import { type OperatorRun, type Phase, writesOf } from './operator-run.ts';

export interface Pair {
  readonly operator: OperatorRun;
  /** Undefined where it was not asked for. */
  readonly limit: LimitRun | undefined;
}

/** What issue B asks for. Ratio and memory are asked at 1,000, and hold below it all the more. */
const targets = { ratio: 1.5, writes: 12, rssMb: 250, restartSeconds: 15 } as const;
const targetCount = 1_000;

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)] ?? Number.NaN;

const one = (value: number) => value.toFixed(1);
const cpuText = (cpu: Readonly<Record<string, number>>) =>
  Object.entries(cpu)
    .map(([name, seconds]) => `${name} ${one(seconds)}`)
    .join(', ');

/** Prints everything; returns how many targets were missed. */
export function printReport(count: number, pairs: readonly Pair[], say: (line: string) => void): number {
  const last = pairs.at(-1);
  if (last === undefined) return 0;
  const { operator, limit } = last;
  const of = (pick: (pair: Pair) => number) => median(pairs.map(pick));
  const line = (name: string, text: string) => say(`  ${name.padEnd(44)} ${text}`);
  const each = (requests: number) => (requests / count).toFixed(2);
  let missed = 0;
  const verdict = (name: string, text: string, met: boolean) => {
    if (!met) missed += 1;
    line(name, `${text}  ${met ? 'MET' : 'MISSED'}`);
  };
  const lag = (phase: Phase) => `p99 ${one(phase.lagP99Ms)} ms, most ${one(phase.lagMaxMs)} ms`;

  say(`${count} ModelDeployments${pairs.length > 1 ? `, medians of ${pairs.length} runs` : ''}`);
  line('created within', `${one(of((pair) => pair.operator.createdSeconds))} s`);
  const beside = (seconds: (run: LimitRun) => number) =>
    limit === undefined
      ? ''
      : ` (limit ${one(of((pair) => (pair.limit === undefined ? Number.NaN : seconds(pair.limit))))} s)`;
  const childrenSeconds = of((pair) => pair.operator.childrenSeconds);
  line('every child exists', `${one(childrenSeconds)} s${beside((run) => run.childrenSeconds)}`);
  const readySeconds = of((pair) => pair.operator.readySeconds);
  line('all Ready', `${one(readySeconds)} s${beside((run) => run.readySeconds)}`);
  if (limit !== undefined) {
    const ratio = of((pair) => pair.operator.readySeconds / (pair.limit?.readySeconds ?? Number.NaN));
    verdict(`ratio to the limit, at most ${targets.ratio}`, ratio.toFixed(2), ratio <= targets.ratio);
  }
  const { requests } = operator.toReady;
  const writes = of((pair) => writesOf(pair.operator.toReady.requests).length) / count;
  verdict(
    `writes per ModelDeployment, at most ${targets.writes}`,
    `${writes.toFixed(2)} (until at rest ${each(writesOf([...requests, ...operator.settling.requests]).length)})`,
    writes <= targets.writes,
  );
  line(
    'requests per ModelDeployment',
    `${each(requests.length)}, of which ${each(requests.filter((request) => !isWrite(request)).length)} reads and ${each(requests.filter((request) => isWrite(request) && isEvent(request)).length)} writes of Events`,
  );
  for (const text of breakdown(
    requests.filter((request) => !isLease(request)),
    count,
  ))
    say(`      ${text}`);
  line('reconciles per ModelDeployment', each(operator.reconciles));
  line('CPU of the operator to all Ready', `${one(of((pair) => pair.operator.toReady.cpuSeconds))} s`);
  line('CPU of the control plane', `${cpuText(operator.planeCpuSeconds)} s`);
  if (limit !== undefined)
    line(
      'the same for the limit',
      `${cpuText(limit.planeCpuSeconds)} s, and its client ${one(limit.clientCpuSeconds)} s`,
    );
  line('event loop lag to all Ready', lag(operator.toReady));
  const peak = Math.max(...pairs.map((pair) => pair.operator.peakRssMb));
  verdict(
    `RSS, at most ${targets.rssMb} MB`,
    `all Ready ${operator.readyRssMb.toFixed(0)} MB, peak ${peak.toFixed(0)} MB`,
    peak <= targets.rssMb || count > targetCount,
  );
  if (operator.rest !== undefined) {
    const { rest } = operator;
    const unrest = rest.requests.filter((request) => isWrite(request) && !isLease(request));
    verdict(
      `writes in ${Math.round(rest.seconds)} s of rest but the Lease's, 0`,
      String(unrest.length),
      unrest.length === 0,
    );
    if (unrest.length > 0) for (const text of breakdown(unrest, 1)) say(`      ${text}`);
    line(
      'other requests at rest',
      `${rest.requests.filter(isLease).length} of the Lease, ${rest.requests.filter((request) => !isWrite(request) && !isLease(request)).length} reads and watches`,
    );
    line(
      'at rest',
      `${((rest.cpuSeconds / rest.seconds) * 100).toFixed(1)} % of a core, event loop lag ${lag(rest)}`,
    );
  }
  if (operator.restart !== undefined) {
    const { restart } = operator;
    const after = restart.requests.filter((request) => isWrite(request) && !isLease(request));
    verdict(
      `restart to all reconciled, at most ${targets.restartSeconds} s, 0 writes`,
      `${one(restart.seconds)} s, ${after.length} writes`,
      restart.seconds <= targets.restartSeconds && after.length === 0,
    );
    if (after.length > 0) for (const text of breakdown(after, 1)) say(`      ${text}`);
    line('CPU of the restart', `${one(restart.cpuSeconds)} s`);
  }
  for (const text of operator.complaints.slice(0, 5)) line('the operator complained', text);
  if (operator.complaints.length > 5) line('', `and ${operator.complaints.length - 5} more`);
  return missed;
}
