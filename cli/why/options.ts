/** Options of `ballast why`. */
import { parseArgs } from 'node:util';

export const whyHelp = `Usage: ballast why NAME [options]

Says why a ModelDeployment has as many replicas as it has: what is decided at present and from which figures, whether the
promise is kept, what stands in the way, and the last ten changes of the count with their reasons. It reads and changes nothing.

  -n, --namespace NS     namespace (default: that of the kubeconfig)
  -o, --output FORM      text (default) or json
  --kubeconfig FILE      default: KUBECONFIG, else the embedded cluster that "npm start" runs
  -h, --help             this text

Exit code 0 when it was explained, 1 when there is no such ModelDeployment or no cluster answers, 2 for wrong options.
`;

export interface WhyOptions {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly json: boolean;
  readonly kubeconfig: string | undefined;
}

/** The options, or that help is asked for; throws a TypeError in plain words. A resource prefix (`md/wine`) is taken off. */
export function parseWhyOptions(args: string[]): WhyOptions | 'help' {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      namespace: { type: 'string', short: 'n' },
      output: { type: 'string', short: 'o', default: 'text' },
      kubeconfig: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return 'help';
  const [given, ...more] = positionals;
  if (given === undefined) throw new TypeError('name a ModelDeployment: kubectl get md -A shows them');
  if (more.length > 0) throw new TypeError(`one name at a time, and there are ${positionals.length}`);
  const { output, namespace, kubeconfig } = values;
  if (output !== 'text' && output !== 'json')
    throw new TypeError(`--output is "${output}": give text or json`);
  const name = given.replace(/^(md|modeldeployments?)(\.ballast\.dev)?\//, '');
  if (name === '') throw new TypeError(`"${given}" has no name after the slash`);
  return { name, namespace, json: output === 'json', kubeconfig };
}
