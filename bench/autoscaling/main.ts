/** How well Ballast scales beside other autoscalers, on real and synthetic traffic: `npm run bench:autoscaling -- --help`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chance } from '../../simulator/chance.ts';
import { parseStartup } from '../../simulator/distributions.ts';
import { TraceError } from '../../simulator/traffic/parse.ts';
import { faro } from './faro.ts';
import type { Options } from './options.ts';
import { help, OptionError, readOptions } from './options.ts';
import { writePlots } from './plots.ts';
import { runAll } from './pool.ts';
import type { Noted } from './report.ts';
import { savedResults, shortOf, tablesOf, targetsOf, withBlock } from './report.ts';
import type { Row } from './summary.ts';
import { rowsOf, writtenRow } from './summary.ts';
import type { Result, Task } from './task.ts';
import type { Traffic } from './traffic.ts';
import { shared, trafficOf } from './traffic.ts';

function tasksOf(traffic: readonly Traffic[], options: Options): Task[] {
  const tasks: Task[] = [];
  for (const { trace } of traffic)
    for (let seed = 1; seed <= options.seeds; seed += 1) {
      tasks.push({ trace, policy: 'oracle', seed, setting: options.setting });
      for (const shedAt of options.sheds)
        for (const policy of options.policies)
          tasks.push({ trace, policy, seed, setting: { ...options.setting, shedAt } });
    }
  return tasks;
}

/** The start-up time that nine of ten pods stay within, seconds. */
function d90(startup: string): number {
  const distribution = parseStartup(startup);
  const random = chance(1, 9);
  const samples = Array.from({ length: 2_000 }, () => distribution?.sample(random) ?? 0);
  return samples.sort((one, other) => one - other)[1_799] ?? 0;
}

function progress(total: number): (done: number) => void {
  const startedMs = performance.now();
  let toldMs = 0;
  return (done) => {
    const nowMs = performance.now();
    if (done < total && nowMs - toldMs < (process.stderr.isTTY ? 200 : 15_000)) return;
    toldMs = nowMs;
    const seconds = Math.round((nowMs - startedMs) / 1_000);
    const left = Math.round((seconds / done) * (total - done));
    const line = `${done} of ${total} replays, ${seconds} s, ${left} s to go`;
    process.stderr.write(
      process.stderr.isTTY ? `\r${line.padEnd(60)}${done === total ? '\n' : ''}` : `${line}\n`,
    );
  };
}

/** Tables and verdicts on the targets, in Markdown. */
function print(out: NodeJS.WriteStream, traces: readonly Noted[], rows: readonly Row[], options: Options) {
  let allMet = true;
  const short = shortOf(traces, rows, options.setting.maxReplicas);
  if (short !== '') out.write(`\n${short}\n`);
  for (const shedAt of sheddings(rows, options)) {
    const { text, met } = targetsOf(traces, rows, shedAt, d90(options.setting.startup));
    out.write(
      `\n## shedAt: ${shedAt}${shedAt === 'Timeout' ? ' (the default)' : ''}\n\n${settingOf(options)}\n\n${tablesOf(traces, rows, shedAt, '###')}\n`,
    );
    if (text !== '') out.write(`\n### Targets with shedAt: ${shedAt}\n\n${text}\n`);
    allMet &&= met;
  }
  return allMet;
}

const sheddings = (rows: readonly Row[], { sheds }: Options) =>
  sheds.filter((shedAt) => rows.some((row) => row.shedAt === shedAt && row.policy !== 'oracle'));

const settingOf = ({ setting, seeds }: Options) =>
  `service ${setting.service}, promise ${setting.percentile} ≤ ${setting.sloMs} ms, start-up ${setting.startup}, ${setting.balancing} balancing, ${seeds} seeds; mean ± half of the 95 % interval`;

/** Puts the targets and tables into README.md, between the marks that it has for them. */
function writeReadme(traces: readonly Noted[], rows: readonly Row[], options: Options): void {
  const path = join(import.meta.dirname, 'README.md');
  let text = readFileSync(path, 'utf8');
  for (const shedAt of sheddings(rows, options)) {
    const targets = targetsOf(traces, rows, shedAt, d90(options.setting.startup)).text;
    const tables = `${settingOf(options)}\n\n${tablesOf(traces, rows, shedAt, '####')}`;
    text = withBlock(withBlock(text, `targets-${shedAt}`, targets), `tables-${shedAt}`, tables);
  }
  writeFileSync(path, text);
  process.stderr.write(`wrote ${path}\n`);
}

/** Before the run, which takes minutes: a folder that cannot be made would lose its results. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new OptionError(`--out ${path}: ${(error as Error).message}`);
  }
}

async function run(options: Options): Promise<void> {
  if (options.faro) {
    const out = options.json ? process.stderr : process.stdout;
    const results = await faro(shared, options.sheds, options.seeds, out, progress);
    if (options.json) process.stdout.write(`${JSON.stringify(results, undefined, 1)}\n`);
    return;
  }
  if (options.results.length > 0) {
    const { traces, rows } = savedResults(options.results);
    if (options.readme) writeReadme(traces, rows, options);
    if (!print(process.stdout, traces, rows, options)) process.exitCode = 1;
    return;
  }
  if (options.out !== undefined) makeFolder(options.out);
  const traffic = trafficOf(options);
  const tasks = tasksOf(traffic, options);
  const results: Result[] = await runAll(tasks, progress(tasks.length));
  const steps = new Set(
    traffic.flatMap(({ trace }) => (trace.stepAtSeconds === undefined ? [] : [trace.name])),
  );
  const rows = rowsOf(results, steps);
  const traces = traffic.map(({ trace, kind, note }) => ({ name: trace.name, kind, note }));
  if (options.readme) writeReadme(traces, rows, options);
  const allMet = print(options.json ? process.stderr : process.stdout, traces, rows, options);
  if (!allMet) process.exitCode = 1;
  const document = {
    setting: options.setting,
    seeds: options.seeds,
    traces,
    rows: rows.map(writtenRow),
  };
  if (options.json) process.stdout.write(`${JSON.stringify(document, undefined, 1)}\n`);
  if (options.out !== undefined) {
    writeFileSync(join(options.out, 'results.json'), `${JSON.stringify(document, undefined, 1)}\n`);
    const files = writePlots(options.out, traffic, results, options);
    process.stderr.write(`wrote results.json and ${files.length} plots to ${options.out}\n`);
  }
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(help);
  else await run(options);
} catch (error) {
  if (!(error instanceof OptionError || error instanceof TraceError)) throw error;
  process.stderr.write(`bench:autoscaling: ${error.message}\n`);
  process.exitCode = 2;
}
