/** What the operator is told by flags and environment, parsed once into a frozen value. What it does not know is a start error. */
import { hostname } from 'node:os';
import { z } from 'zod';
import { durationMs, durationPattern } from '../crds/values.ts';

const duration = z
  .string()
  .regex(new RegExp(durationPattern), 'write a whole number and a unit, such as 30s');
const port = z.coerce.number().int().min(0).max(65_535);
const list = z
  .string()
  .transform((text) => text.split(',').map((item) => item.trim()))
  .transform((items) => items.filter((item) => item !== ''));
const namespaces = list
  .refine((items) => items.every((item) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(item)), {
    message: 'write names of namespaces with commas between, such as team-a,team-b',
  })
  .transform((items) => [...new Set(items)]);
const onOff = z.enum(['true', 'false']).transform((text) => text === 'true');

/** Every setting: flag `--file-roots` is `BALLAST_OPERATOR_FILE_ROOTS` in the environment; the flag wins. */
const settings = z.strictObject({
  /** Path of a kubeconfig; without it the pod's service account is used. */
  kubeconfig: z.string().optional(),
  /** Context of the kubeconfig. */
  context: z.string().optional(),
  /** Namespaces to watch, comma-separated; empty: all. With a list no request is cluster-scoped, and Roles suffice. */
  watchNamespaces: namespaces.default([]),
  /** Who this installation is, NAMESPACE/RELEASE: with it each namespace is claimed by a Lease. Empty: no claims, as for development. */
  installation: z
    .string()
    .regex(/^$|^[a-z0-9][-a-z0-9]*\/[a-z0-9][-.a-z0-9]*$/, 'write NAMESPACE/RELEASE')
    .default(''),
  /** Whether nodes may be listed and watched: their labels tell prices. */
  readNodes: onOff.default(false),
  /** Label of nodes that holds their price per hour, a decimal number. */
  nodePriceLabel: z.string().min(1).max(317).default('eks-node-viewer/instance-price'),
  /** Image of inference pods whose ModelDeployment names none. */
  image: z.string().min(1).default('ballast/inference-pod:0.1.0'),
  /** Image of gateways: the operator's own, which holds both programs. */
  gatewayImage: z.string().min(1).default('ballast/operator:0.1.0'),
  /** Pods of each namespace's gateway. With one, requests fail while it is replaced. */
  gatewayReplicas: z.coerce.number().int().min(1).max(100).default(2),
  /** PriorityClass of the pods that keep room for scaling.headroom, below every model's priority; empty: none. */
  headroomPriorityClass: z.string().max(253).default(''),
  /** YAML file of defaults for what ModelDeployments leave out; followed while the operator runs. */
  defaultsFile: z.string().min(1).optional(),
  /** Directories of that image with models, comma-separated. */
  fileRoots: list.default(['/samples']),
  /** How long the Deployment of a replaced revision is kept at 0 replicas. */
  bakeTime: duration.default('1m'),
  /** Whether several operators share the work of one by a Lease. */
  leaderElect: onOff.default(true),
  /** Namespace of the Lease; empty: the operator's own. */
  leaseNamespace: z.string().default(''),
  /** Address and port of /livez, /readyz and /metrics; port 0 takes a free one. */
  opsHost: z.string().default('0.0.0.0'),
  opsPort: port.default(8081),
  /** ModelDeployments reconciled at the same time. */
  workers: z.coerce.number().int().min(1).max(64).default(32),
  /** Calls per second to the API server, and burst. */
  qps: z.coerce.number().min(1).max(10_000).default(200),
  burst: z.coerce.number().min(1).max(20_000).default(400),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  /** Name of this process in the Lease and in events. */
  identity: z.string().min(1).default(`${hostname()}-${process.pid}`),
});

export type Settings = z.output<typeof settings>;

/** Settings as the operator uses them. */
export interface OperatorConfig extends Omit<Settings, 'bakeTime'> {
  readonly bakeTimeMs: number;
  /** In-cluster address of the API server. */
  readonly inCluster: { readonly host?: string; readonly port?: string } | undefined;
}

const environmentPrefix = 'BALLAST_OPERATOR_';
const names = Object.keys(settings.shape) as (keyof Settings)[];
const environmentName = (name: string) =>
  `${environmentPrefix}${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
const flagName = (name: string) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** A setting that does not exist or does not parse; the message says which and what would do. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

function fromEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const known = new Map(names.map((name) => [environmentName(name), name]));
  const values: Record<string, string> = {};
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(environmentPrefix) || value === undefined) continue;
    const name = known.get(variable);
    if (name === undefined)
      throw new ConfigError(`unknown variable ${variable}; known are ${[...known.keys()].join(', ')}`);
    values[name] = value;
  }
  return values;
}

function fromFlags(flags: readonly string[]): Record<string, string> {
  const known = new Map(names.map((name) => [flagName(name), name]));
  const values: Record<string, string> = {};
  for (let index = 0; index < flags.length; index++) {
    const [flag = '', inline] = (flags[index] ?? '').split(/=(.*)/s, 2);
    const name = known.get(flag);
    if (name === undefined)
      throw new ConfigError(`unknown flag ${flags[index]}; known are ${[...known.keys()].join(', ')}`);
    const value = inline ?? flags[++index];
    if (value === undefined) throw new ConfigError(`${flag} needs a value`);
    values[name] = value;
  }
  return values;
}

/** Parses settings; `KUBECONFIG` and the in-cluster variables of Kubernetes are read too. */
export function parseConfig(
  flags: readonly string[] = process.argv.slice(2),
  environment: NodeJS.ProcessEnv = process.env,
): OperatorConfig {
  const given = { ...fromEnvironment(environment), ...fromFlags(flags) };
  const parsed = settings.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = String(issue?.path[0] ?? '');
    throw new ConfigError(`${flagName(name)} "${given[name] ?? ''}": ${issue?.message ?? 'does not parse'}`);
  }
  const { bakeTime, ...rest } = parsed.data;
  const kubeconfig = rest.kubeconfig ?? environment.KUBECONFIG;
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: servicePort } = environment;
  return Object.freeze({
    ...rest,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    bakeTimeMs: durationMs(bakeTime),
    inCluster:
      host === undefined ? undefined : { host, ...(servicePort === undefined ? {} : { port: servicePort }) },
  });
}
