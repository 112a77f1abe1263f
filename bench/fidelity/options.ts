/** The command line of `npm run bench:fidelity`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

export const help = `Usage: npm run bench:fidelity -- [options]

The same minutes of a real trace through real pods on the embedded cluster, with the real operator, gateway and load, and
through the simulator with the service and start-up times that were measured of these pods just before.

  --minutes N    (10)
  --trace FILE   (../shared/traces/autothrottle/bursty.txt)
  --from S       where in the trace the minutes begin, seconds (0)
  --peak X       pods that the busiest second keeps busy: what the machine must have cores for (0.7)
  --promise X    promised p99 in multiples of the mean service time (2.5)
  --steps N      size of the model: products of 384 × 384 matrices per request (12)
  --path PATH    Gateway (default) or Direct
  --shed WHEN    SLA (default) or Timeout
  --max N        most replicas (8)
  --fixed N      no scaling: N replicas all the time, so that what differs is balancing, queues and service alone; not with --kube
  --seeds N      of the simulator (5); the first has the same arrivals as the real run
  --kube         instead, on a real cluster of test/kube: Ballast, then the real HorizontalPodAutoscaler on the same pods and
                 minutes; prints whether the simulator ranks and places the two as the real ones. Needs root, see test/kube
  --hpa N        CPU utilisation that the HorizontalPodAutoscaler is told, percent of a core (30: so little load calls for
                 several replicas)
  --record FILE  with --kube: what the HorizontalPodAutoscaler saw and did at each of its looks, as lines of JSON
  --json         the figures as one line of JSON at the end

Why so little: these are processes of one machine, and a request is arithmetic on one core. Where more pods are busy than
there are cores, they take each other's time, which no node of a cluster that grants what it promises does. A tight promise
asks for several replicas all the same.
`;

export interface FidelityOptions {
  readonly minutes: number;
  readonly trace: string;
  readonly from: number;
  readonly peak: number;
  readonly promise: number;
  readonly steps: number;
  readonly path: 'Gateway' | 'Direct';
  readonly shed: 'SLA' | 'Timeout';
  readonly max: number;
  /** Replicas of a run without scaling. */
  readonly fixed: number | undefined;
  readonly seeds: number;
  readonly kube: boolean;
  readonly hpa: number;
  readonly record: string | undefined;
  readonly json: boolean;
}

const root = join(import.meta.dirname, '../..');

/** The options, or undefined when help is asked for; throws a TypeError that a user can read. */
export function readOptions(args: string[]): FidelityOptions | undefined {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', short: 'h' },
      json: { type: 'boolean', default: false },
      kube: { type: 'boolean', default: false },
      hpa: text('30'),
      record: { type: 'string' },
      minutes: text('10'),
      trace: text(join(root, '../shared/traces/autothrottle/bursty.txt')),
      from: text('0'),
      peak: text('0.7'),
      promise: text('2.5'),
      steps: text('12'),
      path: text('Gateway'),
      shed: text('SLA'),
      max: text('8'),
      fixed: { type: 'string' },
      seeds: text('5'),
    },
  });
  if (values.help === true) return undefined;
  const wholes = ['steps', 'max', 'seeds', 'hpa', 'fixed'] as const;
  const number = (name: 'minutes' | 'from' | 'peak' | 'promise' | (typeof wholes)[number]) => {
    const value = Number(values[name]);
    const whole = wholes.some((one) => one === name);
    if (!(name === 'from' ? value >= 0 : value > 0) || (whole && !Number.isInteger(value)))
      throw new TypeError(`--${name} ${values[name]}: must be a ${whole ? 'whole ' : ''}number above 0`);
    return value;
  };
  const oneOf = <T extends string>(name: string, value: string, allowed: readonly T[]): T => {
    const found = allowed.find((one) => one === value);
    if (found === undefined) throw new TypeError(`--${name} ${value}: must be ${allowed.join(' or ')}`);
    return found;
  };
  if (values.kube && values.fixed !== undefined) throw new TypeError('--fixed: not with --kube');
  if (!existsSync(values.trace)) throw new TypeError(`--trace ${values.trace}: there is no such file`);
  return {
    minutes: number('minutes'),
    trace: values.trace,
    from: number('from'),
    peak: number('peak'),
    promise: number('promise'),
    steps: number('steps'),
    path: oneOf('path', values.path, ['Gateway', 'Direct'] as const),
    shed: oneOf('shed', values.shed, ['SLA', 'Timeout'] as const),
    max: number('max'),
    fixed: values.fixed === undefined ? undefined : number('fixed'),
    seeds: number('seeds'),
    kube: values.kube,
    hpa: number('hpa'),
    record: values.record,
    json: values.json,
  };
}
