/** `--faro`: ten jobs on a cluster that is too small for them, beside the figures that Faro published. */
import { existsSync, readFileSync } from 'node:fs';
import { readTrace } from '../../simulator/traffic/file.ts';
import type { FleetResult, FleetTask } from './faro-task.ts';
import { OptionError } from './options.ts';
import { runAll } from './pool.ts';
import { meanOf, shown } from './summary.ts';

const caps = [24, 28, 32, 36, 40];
/** The targets, percent of the requests within 720 ms, by what bounds the queue. */
const wanted = { SLA: [78, 90, 96.8, 98.7, 99.3], Timeout: [72, 87, 95.9, 98.2, 99.2] } as const;

interface Published {
  readonly file: string;
  readonly n: number;
  readonly policy: string;
  readonly req_slo: number;
}

/** The best of Faro's own policies and its FairShare (figures that were not there are NaN, which is no JSON) on this input in its simulator, from the published results. */
function published(path: string): (cap: number) => { best: string; fairShare: string } {
  const rows = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8').replace(/\bNaN\b/g, 'null')) as Published[])
    : [];
  const simulated = rows.filter(({ file }) => file.includes('resnet34-sim_top9'));
  return (cap) => {
    const here = simulated.filter(({ n }) => n === cap);
    const most = (part: readonly Published[]) =>
      part.length === 0 ? '' : Math.max(...part.map(({ req_slo }) => req_slo)).toFixed(2);
    return {
      best: most(here.filter(({ policy }) => policy.startsWith('Faro'))),
      fairShare: most(here.filter(({ policy }) => policy === 'FairShare')),
    };
  };
}

/** Replays the benchmark and prints it; the rows are returned for JSON. */
export async function faro(
  directory: string,
  sheds: readonly ('SLA' | 'Timeout')[],
  seeds: number,
  out: { write(text: string): unknown },
  progress: (total: number) => (done: number) => void,
): Promise<FleetResult[]> {
  const file = `${directory}/faro/input.jsonl`;
  if (!existsSync(file)) throw new OptionError(`--faro: ${file} is not there`);
  const traces = readTrace(file).series.map((name) => ({ ...readTrace(file, undefined, name).trace, name }));
  const theirs = published(`${directory}/faro/published_results.json`);
  const tasks: FleetTask[] = [];
  for (const shedAt of sheds)
    for (const cap of caps)
      for (const policy of ['fair-share', 'ballast'] as const)
        for (let seed = 1; seed <= seeds; seed += 1) tasks.push({ traces, cap, policy, shedAt, seed });
  const results = await runAll(tasks, progress(tasks.length));
  for (const shedAt of sheds) {
    out.write(
      `\n## Faro's benchmark, shedAt: ${shedAt}${shedAt === 'SLA' ? ' (queue of 50, bounded by the deadline too)' : ' (first in, first out, queue of 50)'}\n\nten jobs, 6 h, ${seeds} seeds; percent of the requests within 720 ms, worst job in brackets\n\n| replicas | fair share here | (published) | ballast | mean replicas | changes | best Faro (published) | target |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n`,
    );
    for (const [index, cap] of caps.entries()) {
      const of = (policy: FleetTask['policy']) =>
        results.filter(({ task }) => task.cap === cap && task.policy === policy && task.shedAt === shedAt);
      const figure = (policy: FleetTask['policy'], pick: (result: FleetResult) => number) =>
        meanOf(of(policy).map(pick));
      const kept = (policy: FleetTask['policy']) => figure(policy, ({ outcome }) => 100 * outcome.kept);
      const worst = (policy: FleetTask['policy']) =>
        figure(policy, ({ outcome }) => 100 * outcome.worstKept).mean.toFixed(1);
      const target = wanted[shedAt][index] as number;
      const { mean } = kept('ballast');
      const verdict = mean >= target ? 'MET' : `MISSED by ${(target - mean).toFixed(2)}`;
      const { best, fairShare } = theirs(cap);
      out.write(
        `| ${cap} | ${shown(kept('fair-share'), 2)} (${worst('fair-share')}) | ${fairShare} | ${shown(kept('ballast'), 2)} (${worst('ballast')}) | ${figure('ballast', ({ outcome }) => outcome.meanReplicas).mean.toFixed(1)} | ${figure('ballast', ({ outcome }) => outcome.actions).mean.toFixed(0)} | ${best} | ${target}: ${verdict} |\n`,
      );
    }
  }
  return results;
}
