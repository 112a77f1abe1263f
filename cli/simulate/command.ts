/** `ballast simulate`: what a ModelDeployment would have done under given traffic, and cost. */
import { percentFraction } from '../../crds/values.ts';
import { shareOf } from '../../operator/model/scaling/sizing.ts';
import { BallastPolicy } from '../../simulator/policies/ballast.ts';
import type { Outcome } from '../../simulator/replay.ts';
import { replay } from '../../simulator/replay.ts';
import type { Trace } from '../../simulator/traffic/arrivals.ts';
import { cut, durationOf, meanRate } from '../../simulator/traffic/arrivals.ts';
import { readTrace } from '../../simulator/traffic/file.ts';
import { TraceError } from '../../simulator/traffic/parse.ts';
import type { SimulateOptions } from './options.ts';
import { readSimulateOptions, simulateHelp } from './options.ts';
import { areaPlot, columnCount, columnsOf, shareLine } from './terminal-plot.ts';
import type { Manifest, World } from './world.ts';
import { ManifestError, readManifest, worldOf } from './world.ts';

interface Out {
  write(text: string): unknown;
  readonly columns?: number;
}

/** A change of the count that is worth telling. */
interface Change {
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly why: string;
}

const clock = (seconds: number) =>
  [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');

const percent = (share: number) => `${(100 * share).toFixed(share > 0 && share < 0.001 ? 3 : 2)} %`;

interface Simulated {
  readonly outcome: Outcome;
  readonly changes: readonly Change[];
  /** Latency at each promise's percentile, milliseconds. */
  readonly measured: readonly {
    readonly percentile: string;
    readonly targetMs: number;
    readonly ms: number;
    readonly kept: boolean;
  }[];
  /** Share of the requests that were refused or timed out, beside the promised one; absent where none is promised. */
  readonly errors?: { readonly promised: string; readonly share: number; readonly kept: boolean };
}

function simulate(world: World, errorRate: string | undefined): Simulated {
  const policy = new BallastPolicy(world.input, world.config.seed);
  const changes: Change[] = [];
  let before = world.config.initialReplicas;
  const outcome = replay(world.config, policy, (deployment) => {
    if (deployment.replicas === before) return;
    changes.push({ at: deployment.now, from: before, to: deployment.replicas, why: policy.why ?? '' });
    before = deployment.replicas;
  });
  const shares = new Map([
    ['p50', outcome.p50Ms],
    ['p90', outcome.p90Ms],
    ['p95', outcome.p95Ms],
    ['p99', outcome.p99Ms],
  ]);
  // What was refused counts as late; the longest promise is counted request by request.
  const spoiled = outcome.refused + outcome.expired;
  const measured = world.targets.map(({ percentile, targetMs }, index) => {
    const ms = shares.get(percentile) ?? 0;
    const last = index === world.targets.length - 1;
    const kept = last
      ? outcome.violations <= 1 - shareOf[percentile]
      : ms <= targetMs && spoiled <= 1 - shareOf[percentile];
    return { percentile, targetMs, ms, kept };
  });
  if (errorRate === undefined) return { outcome, changes, measured };
  const errors = { promised: errorRate, share: spoiled, kept: spoiled <= percentFraction(errorRate) };
  return { outcome, changes, measured, errors };
}

/** The changes that were largest, in their order. */
const largest = (changes: readonly Change[], count: number) =>
  changes
    .toSorted((one, other) => Math.abs(other.to - other.from) - Math.abs(one.to - one.from))
    .slice(0, count)
    .sort((one, other) => one.at - other.at);

function plot({ outcome }: Simulated, columns: number): string[] {
  const width = Math.max(20, Math.min(160, columns - 10));
  const { points } = outcome;
  const shares = points.map(({ bad, requests }) => (requests === 0 ? 0 : bad / requests));
  const end = clock(points.length * 10);
  return [
    ...areaPlot(
      'requests per second',
      columnsOf(
        points.map(({ rate }) => rate),
        width,
        'mean',
      ),
      5,
    ),
    '',
    ...areaPlot(
      'replicas',
      columnsOf(
        points.map(({ asked }) => asked),
        width,
        'most',
      ),
      5,
    ),
    '',
    'late or refused   · none   ░ up to 1 %   ▒ 10 %   ▓ 50 %   █ more',
    shareLine(columnsOf(shares, width, 'most')),
    `       00:00:00${end.padStart(Math.max(end.length + 1, columnCount(points.length, width) - 8))}`,
  ];
}

function tell(
  out: Out,
  manifest: Manifest,
  world: World,
  note: string,
  simulated: Simulated,
  options: SimulateOptions,
): void {
  const { outcome, measured, changes, errors } = simulated;
  const { trace } = world.config;
  const hours = outcome.replicaSeconds / 3_600;
  const length = durationOf(trace);
  const price =
    options.price ??
    (manifest.spec.cost?.perReplicaHour === undefined
      ? undefined
      : Number(manifest.spec.cost.perReplicaHour));
  const money = (replicaHours: number) =>
    price === undefined ? '' : `, ${(replicaHours * price).toFixed(2)} at ${price} per replica and hour`;
  const peak = (outcome.peakReplicas * length) / 3_600;
  const lines = [
    `${manifest.name} under ${trace.name} (${note}; ${clock(length)}, mean ${meanRate(trace).toFixed(1)} req/s)`,
    `assumed: ${options.service.name} a request, ${options.slots} at once, pods ready after ${options.startupText}; requests go ${world.path}; seed ${options.seed}`,
    '',
    ...plot(simulated, out.columns ?? 100),
    '',
    `${outcome.requests} requests: ${percent(outcome.late)} late, ${percent(outcome.refused)} refused, ${percent(outcome.expired)} timed out`,
    ...measured.map(
      ({ percentile, targetMs, ms, kept }) =>
        `${kept ? 'kept  ' : 'BROKEN'} ${percentile} ≤ ${targetMs} ms: the answered ones had ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`,
    ),
    ...(errors === undefined
      ? []
      : [
          `${errors.kept ? 'kept  ' : 'BROKEN'} errorRate ≤ ${errors.promised}: ${percent(errors.share)} were refused or timed out`,
        ]),
    `${hours.toFixed(1)} replica-hours${money(hours)}; mean ${(outcome.replicaSeconds / length).toFixed(1)}, most ${outcome.peakReplicas}; always ${outcome.peakReplicas} would be ${peak.toFixed(1)}${money(peak)}`,
    `${outcome.actions} ${outcome.actions === 1 ? 'change' : 'changes'} of the count, ${outcome.flaps} of them up, down and up again within two minutes`,
    ...(changes.length === 0 ? [] : ['', 'the largest changes:']),
    ...largest(changes, 5).map(({ at, from, to, why }) => `  ${clock(at)}  ${from} → ${to}  ${why}`),
  ];
  out.write(`${lines.join('\n')}\n`);
}

/** Runs the command; resolves to the exit code. */
export async function simulateCommand(args: string[], out: Out = process.stdout): Promise<number> {
  const options = readSimulateOptions(args);
  if (options === 'help') {
    out.write(simulateHelp);
    return 0;
  }
  if ('wrong' in options) {
    out.write(`ballast simulate: ${options.wrong}\n"ballast simulate --help" tells all options.\n`);
    return 2;
  }
  let manifest: Manifest;
  let trace: Trace;
  let note: string;
  try {
    manifest = readManifest(options.file, options.name);
    const parsed = readTrace(options.trace, options.form, options.series);
    const length = durationOf(parsed.trace);
    if (options.fromSeconds >= length)
      throw new TraceError(`--from ${options.fromSeconds}: the trace ends after ${length} s`);
    trace = cut(
      parsed.trace,
      options.fromSeconds,
      Math.min(options.hours * 3_600, length - options.fromSeconds),
      options.scale,
    );
    note = parsed.note;
  } catch (error) {
    if (!(error instanceof ManifestError || error instanceof TraceError)) throw error;
    out.write(`ballast simulate: ${error.message}\n`);
    return 2;
  }
  const world = worldOf(manifest, trace, options);
  const simulated = simulate(world, manifest.spec.sla?.errorRate);
  if (options.json) {
    const { points, ...figures } = simulated.outcome;
    out.write(
      `${JSON.stringify({ name: manifest.name, trace: trace.name, ...figures, promises: simulated.measured, errors: simulated.errors, changes: simulated.changes, points })}\n`,
    );
  } else tell(out, manifest, world, note, simulated, options);
  const { measured, errors } = simulated;
  return measured.every(({ kept }) => kept) && errors?.kept !== false ? 0 : 1;
}
