/** Options of `ballast start`. */
import { parseArgs } from 'node:util';
import { maxNameLength } from '../../crds/constants.ts';

export const startHelp = `Usage: npm start -- [MODEL.onnx] [options]

Starts, on loopback: an embedded Kubernetes API server with a kubelet that runs pods as local processes, the Ballast
operator, and one ModelDeployment: the sample model "wine", or your own ONNX file. Ctrl-C ends all of it.

  MODEL.onnx           serve this file; its inputs are read from the graph and an example request is printed
  --name NAME          name of the ModelDeployment (default: the file's name)
  --no-sample          start cluster and operator only
  --single-address     give every pod ports of its own on 127.0.0.1 instead of an address of its own
                       (the default where only 127.0.0.1 exists, as on macOS)
  --state-dir DIR      where kubeconfig, tools and logs are kept (default: .ballast in the checkout)
  --verbose            show the operator's log on the screen too (it is always in STATE-DIR/operator.log)
  -h, --help           this text
`;

export interface StartOptions {
  readonly help: boolean;
  readonly modelFile: string | undefined;
  readonly name: string | undefined;
  readonly sample: boolean;
  readonly singleAddress: boolean | undefined;
  readonly stateDir: string | undefined;
  readonly verbose: boolean;
}

/** Options of the command line; throws a TypeError whose message names the wrong word. */
export function parseStartOptions(args: string[]): StartOptions {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      name: { type: 'string' },
      'no-sample': { type: 'boolean', default: false },
      'single-address': { type: 'boolean' },
      'state-dir': { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  });
  if (positionals.length > 1)
    throw new TypeError(`one model file at a time: "${positionals[1]}" is one too many`);
  const modelFile = positionals[0];
  if (modelFile !== undefined && !modelFile.endsWith('.onnx')) {
    throw new TypeError(`"${modelFile}" is no .onnx file: export the model to ONNX first`);
  }
  const { name } = values;
  if (name !== undefined && (!/^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name) || name.length > maxNameLength)) {
    throw new TypeError(
      `--name is "${name}": give at most ${maxNameLength} lower-case letters, digits and "-", starting with a letter and ending with a letter or digit`,
    );
  }
  return {
    help: values.help,
    modelFile,
    name,
    sample: !values['no-sample'],
    singleAddress: values['single-address'],
    stateDir: values['state-dir'],
    verbose: values.verbose,
  };
}
