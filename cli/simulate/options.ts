/** Options of `ballast simulate`. */
import { parseArgs } from 'node:util';
import type { Seconds } from '../../simulator/distributions.ts';
import { parseService, parseStartup } from '../../simulator/distributions.ts';
import type { TraceForm } from '../../simulator/traffic/parse.ts';
import { optionErrorText } from '../option-error.ts';

export const simulateHelp = `Usage: ballast simulate -f MANIFEST --trace FILE --service-time TIME [options]

Replays traffic through a ModelDeployment without a cluster: the operator's own scaling decision, simulated pods and
gateway. Prints what callers would have seen, how many replicas would have run and what they would have cost.

  -f, --filename FILE    the ModelDeployment (YAML)
  --name NAME            which one, where the file holds several
  --trace FILE           one rate per line (requests/s), "time,count" rows, a row per request with its time,
                         "function,day,minute,count", or JSON lines; .gz too
  --form FORM            what the trace is, where it is misread: per-second, per-minute, per-request
  --series NAME          one of several series in the trace (default: their sum)
  --from S, --hours H    a part of the trace: from second S on, H hours (default: at most 24)
  --scale X              its rate times X (default: 1)
  --service-time TIME    what one request takes of a pod: 12ms, or with its squared coefficient of variation 12ms:0.3.
                         "ballast why" tells it of a model that runs, and so does "ballast load" at a low rate
  --startup TIME         from a pod's creation to ready: 12s, or 8-18s for anything between (default: 8-18s)
  --slots N              requests that a pod serves at once (default: 1)
  --initial N            replicas at the beginning (default: what the first minute needs)
  --price P              per replica and hour, instead of spec.cost.perReplicaHour
  --seed N               the same seed draws the same arrivals and service times (default: 1)
  --json                 one JSON object instead of text
  -h, --help             this text

Exit code 0 when every promise was kept, 1 when one was not, 2 for wrong options or files.
`;

export interface SimulateOptions {
  readonly file: string;
  readonly name: string | undefined;
  readonly trace: string;
  readonly form: TraceForm | undefined;
  readonly series: string | undefined;
  readonly fromSeconds: number;
  readonly hours: number;
  readonly scale: number;
  readonly service: Seconds;
  readonly startup: Seconds;
  readonly startupText: string;
  readonly slots: number;
  readonly initial: number | undefined;
  readonly price: number | undefined;
  readonly seed: number;
  readonly json: boolean;
}

function numberOf(name: string, text: string | undefined, least: number, most: number, whole = false) {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value <= most) || (whole && !Number.isInteger(value)))
    throw new TypeError(
      `--${name} is "${text}": give ${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`,
    );
  return value;
}

const forms = ['per-second', 'per-minute', 'per-request'] as const;

function formOf(text: string | undefined): TraceForm | undefined {
  if (text === undefined) return undefined;
  const form = forms.find((one) => one === text);
  if (form === undefined) throw new TypeError(`--form is "${text}": give ${forms.join(', ')}`);
  return form;
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  return parseArgs({
    args,
    options: {
      help: { type: 'boolean', short: 'h' },
      json: { type: 'boolean' },
      filename: { type: 'string', short: 'f' },
      name: text,
      trace: text,
      form: text,
      series: text,
      from: text,
      hours: text,
      scale: text,
      'service-time': text,
      startup: text,
      slots: text,
      initial: text,
      price: text,
      seed: text,
    },
  }).values;
}

/** The options; `help` when that is asked for; a string says what is wrong. */
export function readSimulateOptions(args: string[]): SimulateOptions | 'help' | { readonly wrong: string } {
  try {
    const values = parse(args);
    if (values.help === true) return 'help';
    const { filename, trace, 'service-time': serviceText, startup: startupText = '8-18s' } = values;
    if (filename === undefined) return { wrong: 'give the ModelDeployment with -f FILE' };
    if (trace === undefined) return { wrong: 'give the traffic with --trace FILE' };
    if (serviceText === undefined)
      return {
        wrong: 'give what one request takes of a pod with --service-time, such as 12ms: no manifest tells it',
      };
    const service = parseService(serviceText);
    if (service === undefined)
      return { wrong: `--service-time is "${serviceText}": give a time such as 12ms, 0.2s or 12ms:0.3` };
    const startup = parseStartup(startupText);
    if (startup === undefined)
      return { wrong: `--startup is "${startupText}": give a time such as 12s or 8-18s` };
    return {
      file: filename,
      name: values.name,
      trace,
      form: formOf(values.form),
      series: values.series,
      fromSeconds: numberOf('from', values.from, 0, 1e9) ?? 0,
      hours: numberOf('hours', values.hours, 0.01, 1_000) ?? 24,
      scale: numberOf('scale', values.scale, 1e-6, 1e6) ?? 1,
      service: service.seconds,
      startup,
      startupText,
      slots: numberOf('slots', values.slots, 1, 1_024, true) ?? 1,
      initial: numberOf('initial', values.initial, 0, 1_000, true),
      price: numberOf('price', values.price, 0, 1e6),
      seed: numberOf('seed', values.seed, 0, 1e9, true) ?? 1,
      json: values.json === true,
    };
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code;
    const parsing = typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS');
    if (parsing || error instanceof TypeError) return { wrong: optionErrorText(error) };
    throw error;
  }
}
