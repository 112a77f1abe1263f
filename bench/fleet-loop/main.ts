/**
 * `npm run bench:fleet-loop [-- --pods N --deployments N --seconds N --case NAME]`: the fleet loop over 50,000 simulated pods of
 * 1,000 deployments for 30 s, each case in a process of its own: `busy`, `calm`, `gateway`, `burst`; MET or MISSED beside each limit.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { type Case, type Figures, runCase } from './run.ts';

const { values } = parseArgs({
  options: {
    pods: { type: 'string', default: '50000' },
    deployments: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '30' },
    /** One of the cases alone; with `--child` in this process. */
    case: { type: 'string' },
    child: { type: 'boolean', default: false },
  },
});
const deployments = Number(values.deployments);
const base: Case = {
  deployments,
  podsEach: Math.ceil(Number(values.pods) / deployments),
  seconds: Number(values.seconds),
  busyShare: 1,
  gateways: false,
  bursts: 0,
};
const cases: Readonly<Record<string, readonly [title: string, Case]>> = {
  busy: ['every pod gets 36 requests per second, by a Service', base],
  calm: ['one deployment in twenty gets requests, the others rest', { ...base, busyShare: 0.05 }],
  gateway: ['every pod gets 36 requests per second, by gateways', { ...base, gateways: true }],
  burst: ['every pod is busy; ten deployments get three times as many', { ...base, bursts: 10 }],
};

if (values.child) {
  const found = cases[values.case ?? ''];
  if (found === undefined) throw new TypeError(`--case is one of ${Object.keys(cases).join(', ')}`);
  process.stdout.write(`${JSON.stringify(await runCase(found[1]))}\n`);
  process.exit(0);
}

let missed = 0;
function limit(name: string, value: number, most: number, unit: string): void {
  const met = value <= most;
  if (!met) missed += 1;
  const digits = value < 10 ? 2 : 0;
  console.log(
    `  ${met ? 'MET   ' : 'MISSED'} ${name.padEnd(34)} ${value.toFixed(digits)} ${unit}, at most ${most} ${unit}`,
  );
}
const note = (name: string, text: string) => console.log(`         ${name.padEnd(34)} ${text}`);

for (const [name, [title]] of Object.entries(cases)) {
  if (values.case !== undefined && values.case !== name) continue;
  const { pods, seconds } = values;
  const child = spawnSync(
    process.execPath,
    [
      // As the operator runs, with a limit that this many pods need: its 192 MB are for some thousand.
      '--max-semi-space-size=2',
      '--max-old-space-size=512',
      import.meta.filename,
      '--child',
      '--case',
      name,
      '--pods',
      pods,
      '--deployments',
      `${deployments}`,
      '--seconds',
      seconds,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (child.status !== 0) throw new Error(`the case ${name} ended with ${child.status ?? child.signal}`);
  const figures = JSON.parse(child.stdout, (_, value) => value ?? Number.POSITIVE_INFINITY) as Figures;
  console.log(`${name}: ${pods} pods in ${deployments} ModelDeployments, ${title}`);
  limit('pulls of pods', figures.pullsPerSecond, 3_000, 'per second');
  limit('CPU of probe and decisions', 100 * figures.cpuShare, 100, '% of a core');
  limit('memory of the process', figures.rssMb, 800, 'MB');
  limit('longest work at a stretch, p99', figures.stretchP99Ms, 20, 'ms');
  limit('a whole round, CPU time', figures.roundCpuMs, 500, 'ms');
  limit('counts below what the load needs', figures.lowered, 0, 'deployments');
  const bursts = figures.burstSeconds.toSorted((one, other) => one - other);
  if (bursts.length > 0) {
    limit('burst to decision, nine of ten', bursts[8] ?? Number.NaN, 2, 's');
    note('burst to decision, all', bursts.map((one) => one.toFixed(1)).join(' '));
  }
  note('longest work at a stretch', `${figures.stretchMaxMs.toFixed(0)} ms`);
  note('decided anew in the last round', `${figures.decided}`);
  note('pods with a fresh reading', `${(100 * figures.freshShare).toFixed(1)} %`);
  if (figures.gatewayPullsPerSecond > 0)
    note('pulls of gateways', `${figures.gatewayPullsPerSecond.toFixed(0)} per second`);
  note('reconciles asked for', `${figures.wokenPerSecond.toFixed(1)} per second`);
}
process.exitCode = missed === 0 ? 0 : 1;
