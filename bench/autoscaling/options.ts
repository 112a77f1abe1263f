/** The command line of `npm run bench:autoscaling`. */
import { parseArgs } from 'node:util';
import { parseService, parseStartup } from '../../simulator/distributions.ts';
import { isPolicyName, policyNames } from '../../simulator/policies/catalogue.ts';
import type { TraceForm } from '../../simulator/traffic/parse.ts';
import type { Setting } from './task.ts';

export const help = `Usage: npm run bench:autoscaling -- [options]

Replays traffic through the simulator: Ballast's own decide() beside HPA, KEDA, Knative's KPA, Ray Serve and an oracle.

  --trace FILE       a trace (may be given several times): a rate per line, "time,count" rows, a row per request,
                     "function,day,minute,count", Azure's row per function, JSON (lines, a list, Prometheus); .gz too.
                     Without it: ../shared/traces and synthetic shapes
  --shape NAME       a synthetic shape: constant, ramp, step, spike, diurnal-shape, mmpp (may be given several times);
                     "more": 32 others of 16 kinds, from crowds-1 to few-2
  --form FORM        what the file is, where it is misread: per-second, per-minute, per-request
  --series NAME      one of several series in the file (default: their sum)
  --kind KIND        the target that a trace is held to: smooth, bursty, step, spike (default: by how fast it rises)
  --from S --hours H a part of the trace; of one longer than 6 h the first 6 h are taken
  --scale X          rate times X
  --policy NAME      ${policyNames}
                     (several: with commas or given again). The oracle always runs
  --service NAME     resnet34 (154 ms, default), fast (21 ms), a mean and scv: 80ms, 80ms:0.3, or a file
                     of npm run bench:measure-pods: measured/wine.service.json
  --slo MS           the promise, milliseconds (default: 500 for resnet34, 100 for fast, else 3.25 × the mean)
  --percentile P     of the requests: p50, p90, p95, p99 (default)
  --startup S        start-up of a pod: 8-18s (uniform, default), 12s, or such a file
  --slots N          requests that a pod serves at once (1)
  --balancing B      gateway (default), random, round-robin, p2c
  --shed WHEN        SLA, Timeout or both (default)
  --min N --max N    replicas (1, 120)   --cluster N  pods that the cluster has room for (10000)
  --loss X --lag S   share of the readings that Ballast does not get, and their delay in seconds (0, 0)
  --seeds N          (5)
  --faro             Faro's benchmark instead: ten jobs on 24 to 40 replicas (../shared/traces/faro); 5 seeds take minutes
  --quick            two seeds, few policies
  --json             results as JSON on standard output (tables go to standard error)
  --readme           targets and tables are put into bench/autoscaling/README.md
  --results FILE     nothing is replayed: the rows of earlier runs (results.json; several: the later one's row counts)
  --out DIR          plots (SVG and PNG) and results.json are written there

Exit code 0 when every target is met, 1 when one is missed, 2 for wrong options or a trace that cannot be read.
`;

export interface Options {
  readonly traces: readonly string[];
  readonly shapes: readonly string[];
  readonly form: TraceForm | undefined;
  readonly series: string | undefined;
  readonly kind: 'smooth' | 'bursty' | 'step' | 'spike' | undefined;
  readonly from: number;
  readonly hours: number | undefined;
  readonly scale: number;
  readonly policies: readonly string[];
  readonly setting: Setting;
  readonly sheds: readonly ('Timeout' | 'SLA')[];
  readonly seeds: number;
  readonly faro: boolean;
  readonly json: boolean;
  readonly readme: boolean;
  readonly results: readonly string[];
  readonly out: string | undefined;
}

/** An option that cannot be: its message is what the user reads. */
export class OptionError extends Error {}

const defaultPolicies = [
  'ballast',
  'hpa-cpu50',
  'hpa-cpu60',
  'hpa-cpu70',
  'hpa-rps70',
  'keda70',
  'kpa50',
  'kpa60',
  'kpa70',
  'kpa80',
  'ray',
  'ray1',
];
const quickPolicies = ['ballast', 'hpa-cpu60', 'hpa-rps70', 'kpa70', 'ray1'];

function oneOf<T extends string>(
  name: string,
  value: string | undefined,
  allowed: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((one) => one.toLowerCase() === value.toLowerCase());
  if (found === undefined) throw new OptionError(`--${name} ${value}: must be ${allowed.join(', ')}`);
  return found;
}

function numberOf(
  name: string,
  value: string | undefined,
  least: number,
  most: number,
  whole = false,
): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value.trim() === '' || !(number >= least && number <= most) || (whole && !Number.isInteger(number)))
    throw new OptionError(
      `--${name} ${value}: must be ${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`,
    );
  return number;
}

/** The options, or undefined when help is asked for; throws `OptionError`. */
export function readOptions(args: string[]): Options | undefined {
  const text = { type: 'string' } as const;
  const many = { type: 'string', multiple: true } as const;
  let values: ReturnType<typeof parse>['values'];
  const parse = () =>
    parseArgs({
      args,
      options: {
        help: { type: 'boolean', short: 'h' },
        quick: { type: 'boolean' },
        readme: { type: 'boolean' },
        results: many,
        faro: { type: 'boolean' },
        json: { type: 'boolean' },
        trace: many,
        shape: many,
        policy: many,
        form: text,
        series: text,
        kind: text,
        from: text,
        hours: text,
        scale: text,
        service: text,
        slo: text,
        percentile: text,
        startup: text,
        slots: text,
        balancing: text,
        shed: text,
        min: text,
        max: text,
        cluster: text,
        loss: text,
        lag: text,
        seeds: text,
        out: text,
      },
    });
  try {
    ({ values } = parse());
  } catch (error) {
    throw new OptionError(
      error instanceof Error ? error.message.replace(/\. To specify .*$/s, '') : String(error),
    );
  }
  if (values.help === true) return undefined;
  const quick = values.quick === true;
  const policies = (values.policy ?? [])
    .flatMap((one) => one.split(','))
    .map((one) => one.trim().toLowerCase());
  for (const policy of policies)
    if (!isPolicyName(policy))
      throw new OptionError(`--policy ${policy}: there is none; there are ${policyNames}`);
  const serviceName = values.service ?? 'resnet34';
  const service = parseService(serviceName);
  if (service === undefined)
    throw new OptionError(
      `--service ${serviceName}: must be resnet34, fast, like 80ms or 80ms:0.3, or a file of npm run bench:measure-pods`,
    );
  const startup = values.startup ?? '8-18s';
  if (parseStartup(startup) === undefined)
    throw new OptionError(
      `--startup ${startup}: must be like 12s or 8-18s, or a file of npm run bench:measure-pods`,
    );
  const shed = oneOf('shed', values.shed, ['SLA', 'Timeout', 'both'] as const) ?? 'both';
  const minReplicas = numberOf('min', values.min, 0, 1_000, true) ?? 1;
  const maxReplicas = numberOf('max', values.max, 1, 2_000, true) ?? 120;
  if (minReplicas > maxReplicas)
    throw new OptionError(`--min ${minReplicas} is more than --max ${maxReplicas}`);
  return {
    traces: values.trace ?? [],
    shapes: values.shape ?? [],
    form: oneOf('form', values.form, ['per-second', 'per-minute', 'per-request'] as const),
    series: values.series,
    kind: oneOf('kind', values.kind, ['smooth', 'bursty', 'step', 'spike'] as const),
    from: numberOf('from', values.from, 0, 1e9) ?? 0,
    hours: numberOf('hours', values.hours, 0.01, 1_000),
    scale: numberOf('scale', values.scale, 1e-6, 1e6) ?? 1,
    policies: policies.length > 0 ? policies : quick ? quickPolicies : defaultPolicies,
    setting: {
      service: serviceName,
      startup,
      sloMs: numberOf('slo', values.slo, 1, 600_000) ?? service.sloMs,
      percentile: oneOf('percentile', values.percentile, ['p50', 'p90', 'p95', 'p99'] as const) ?? 'p99',
      slots: numberOf('slots', values.slots, 1, 1_024, true) ?? 1,
      balancing:
        oneOf('balancing', values.balancing, ['gateway', 'random', 'round-robin', 'p2c'] as const) ??
        'gateway',
      shedAt: 'SLA',
      minReplicas,
      maxReplicas,
      clusterPods: numberOf('cluster', values.cluster, 1, 100_000, true) ?? 10_000,
      loss: numberOf('loss', values.loss, 0, 1) ?? 0,
      lag: numberOf('lag', values.lag, 0, 600, true) ?? 0,
    },
    sheds: shed === 'both' ? ['SLA', 'Timeout'] : [shed],
    seeds: numberOf('seeds', values.seeds, 1, 100, true) ?? (quick ? 2 : 5),
    faro: values.faro === true,
    json: values.json === true,
    readme: values.readme === true,
    results: values.results ?? [],
    out: values.out,
  };
}
