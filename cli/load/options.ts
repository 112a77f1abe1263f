/** Options of `ballast load`. */
import { parseArgs } from 'node:util';

export const loadHelp = `Usage: npm run load -- MODEL [options]
       ballast load MODEL [options]

Sends inference requests to a model at a steady average rate, whether or not earlier ones were answered (open loop,
exponential gaps), and prints latency percentiles and errors. Latency counts from the moment at which a request was
due, so a server that stalls cannot hide it. Once a second a line tells how it goes.

  MODEL                name of a ModelDeployment; with --url, of the model that the server serves
  --rps N              requests per second, on average (default: 50)
  --seconds S          how long to send (default: 30, with --trace all of it)
  --trace FILE         the traffic of a trace instead of a steady rate, in any form that "ballast simulate" reads
  --from S, --scale X  of the trace: begin at second S (default: 0), its rates times X (default: 1)
  --connections N      connections at most (default: 64); each is closed after about two seconds, so that replicas
                       that are added meanwhile get their share
  --timeout MS         a request that takes longer counts as an error (default: 10000)
  --request FILE       body of every request, an Open Inference Protocol V2 JSON request (default: the sample's own,
                       else one made from the model's metadata)
  --url URL            send there instead of asking the cluster, such as http://127.0.0.1:8080
  --namespace NS       namespace of the ModelDeployment (default: the kubeconfig's, else "default")
  --kubeconfig FILE    default: $KUBECONFIG, else .ballast/kubeconfig in the checkout
  --seed N             the same seed sends at the same moments (default: 1)
  --allow-remote       also send to addresses that are not loopback: a load test of somebody's servers
  --json               print one JSON object at the end instead of text
  -h, --help           this text

Exit code 0 when at least one request was answered 2xx, 1 when none was or the model cannot be found, 2 for wrong options.
`;

export interface LoadOptions {
  readonly help: boolean;
  readonly model: string;
  readonly rps: number;
  readonly seconds: number;
  /** A trace gives rate and length instead. */
  readonly trace:
    | {
        readonly file: string;
        readonly from: number;
        readonly scale: number;
        readonly seconds: number | undefined;
      }
    | undefined;
  readonly connections: number;
  readonly timeoutMs: number;
  readonly request: string | undefined;
  readonly url: string | undefined;
  readonly namespace: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly seed: number;
  readonly allowRemote: boolean;
  readonly json: boolean;
}

function numeric(name: string, text: string, least: number, most: number, whole: boolean): number {
  const value = Number(text);
  if (
    text.trim() === '' ||
    !Number.isFinite(value) ||
    value < least ||
    value > most ||
    (whole && !Number.isInteger(value))
  )
    throw new TypeError(
      `--${name} is "${text}": give ${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`,
    );
  return value;
}

/** Options of the command line; throws a TypeError whose message names the wrong word. */
export function parseLoadOptions(args: string[]): LoadOptions {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rps: { type: 'string' },
      seconds: { type: 'string' },
      trace: { type: 'string' },
      from: { type: 'string' },
      scale: { type: 'string' },
      connections: { type: 'string', default: '64' },
      timeout: { type: 'string', default: '10000' },
      request: { type: 'string' },
      url: { type: 'string' },
      namespace: { type: 'string', short: 'n' },
      kubeconfig: { type: 'string' },
      seed: { type: 'string', default: '1' },
      'allow-remote': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [model, ...more] = positionals;
  if (!values.help && model === undefined) throw new TypeError('name the model to send requests to');
  if (more.length > 0) throw new TypeError(`one model at a time: "${more[0]}" is one too many`);
  if (values.trace === undefined && (values.from ?? values.scale) !== undefined)
    throw new TypeError('--from and --scale are parts of a --trace: name its file');
  if (values.trace !== undefined && values.rps !== undefined)
    throw new TypeError(
      'a --trace has its own rates: --scale makes them larger or smaller, --rps goes without it',
    );
  const seconds = numeric('seconds', values.seconds ?? '30', 1, 86_400, false);
  return {
    help: values.help,
    model: model ?? '',
    rps: numeric('rps', values.rps ?? '50', 0.01, 100_000, false),
    seconds,
    trace:
      values.trace === undefined
        ? undefined
        : {
            file: values.trace,
            from: numeric('from', values.from ?? '0', 0, 1e9, false),
            scale: numeric('scale', values.scale ?? '1', 1e-6, 1e6, false),
            seconds: values.seconds === undefined ? undefined : seconds,
          },
    connections: numeric('connections', values.connections, 1, 4_096, true),
    timeoutMs: numeric('timeout', values.timeout, 1, 3_600_000, true),
    request: values.request,
    url: values.url,
    namespace: values.namespace,
    kubeconfig: values.kubeconfig,
    seed: numeric('seed', values.seed, 0, 4_294_967_295, true),
    allowRemote: values['allow-remote'],
    json: values.json,
  };
}
