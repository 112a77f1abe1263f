/** The pod's configuration: environment → zod → frozen. A BALLAST_ variable that nothing reads is an error that names it. */
import { availableParallelism } from 'node:os';
import * as z from 'zod';
import { podEnv, podPaths, podPorts } from '../crds/constants.ts';
import { contractSchema } from '../crds/spec/contract.ts';
import { readCgroupLimits } from './limits/cgroup.ts';

/** Variables that only this folder reads: limits of last resort and hooks for tests and closed networks. */
const ownEnv = {
  /** Comma-separated CIDRs of private model servers that may be fetched from, `http://` included. */
  allowModelCidr: 'BALLAST_ALLOW_MODEL_CIDR',
  /** Most bytes of all files of a model together. */
  maxModelBytes: 'BALLAST_MAX_MODEL_BYTES',
  /** How long one batch, or the loading of the model, may run before the pod ends itself. */
  hangLimitMs: 'BALLAST_HANG_LIMIT_MS',
  /** How long the pod goes on serving after SIGTERM until every proxy knows that it is gone. */
  drainDelayMs: 'BALLAST_DRAIN_DELAY_MS',
  /** How long the pod then waits for the requests that it has. */
  drainLimitMs: 'BALLAST_DRAIN_LIMIT_MS',
  logLevel: 'BALLAST_LOG_LEVEL',
  /** `Always`: models run on the runner's thread, however short their runs are. */
  runnerThread: 'BALLAST_RUNNER_THREAD',
  /** The same under a name that `runtime.env` may set, as for the next. */
  userLogLevel: 'LOG_LEVEL',
  /** Lines of the access log in one second for requests that went well; names that start with BALLAST_ are the operator's. */
  accessLogPerSecond: 'ACCESS_LOG_PER_SECOND',
  /** How model servers are reached, in the names that everybody knows; what the operator says goes before. */
  httpsProxy: 'HTTPS_PROXY',
  httpProxy: 'HTTP_PROXY',
  noProxy: 'NO_PROXY',
} as const;

const whole = (min: number, max: number) =>
  z.string().regex(/^\d+$/, 'must be a whole number').transform(Number).pipe(z.number().min(min).max(max));
const port = whole(0, 65_535);
/** JSON of a field of the ModelDeployment: the API server has checked it, and an operator of another release may have written it. */
const contract = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON' });
      return z.NEVER;
    }
  })
  .pipe(contractSchema);
const logLevel = z.enum(['error', 'warn', 'info', 'debug']);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits');

const schema = z.object({
  modelName: z.string().min(1).default('model'),
  modelUri: z.string().min(1).optional(),
  modelSha256: sha256.optional(),
  modelVersion: z.string().min(1).optional(),
  revision: z.string().default(''),
  modelDir: z.string().default(podPaths.model),
  configDir: z.string().default(podPaths.config),
  claimDir: z.string().default(podPaths.claim),
  fileRoots: z
    .string()
    .default('')
    .transform((text) => text.split(':').filter((part) => part !== '')),
  threads: whole(1, 128).optional(),
  maxBodyBytes: whole(1024, 2_147_483_647).default(16_777_216),
  contract: contract.optional(),
  cpuLimit: whole(1, 1_000_000).optional(),
  memoryLimit: whole(1, Number.MAX_SAFE_INTEGER).optional(),
  listenHost: z.string().min(1).default('0.0.0.0'),
  httpPort: port.default(podPorts.http),
  grpcPort: port.default(podPorts.grpc),
  opsPort: port.default(podPorts.ops),
  terminationLog: z.string().default(podPaths.terminationLog),
  podName: z.string().default(''),
  allowModelCidr: z
    .string()
    .default('')
    .transform((text) => text.split(',').filter((part) => part !== ''))
    .pipe(z.array(z.string().regex(/^[0-9a-fA-F.:]+\/\d{1,3}$/, 'must be CIDRs such as 10.0.0.0/8'))),
  maxModelBytes: whole(1, Number.MAX_SAFE_INTEGER).default(2 ** 36),
  hangLimitMs: whole(10, 86_400_000).default(30_000),
  drainDelayMs: whole(0, 600_000).default(5_000),
  drainLimitMs: whole(0, 3_600_000).default(20_000),
  maxInFlight: whole(1, 1_000_000).default(4_096),
  maxQueue: whole(1, 1_000_000).default(512),
  maxBatchRows: whole(1, 65_536).default(32),
  maxBatchDelayMs: whole(0, 10_000).default(0),
  warmUpMs: whole(0, 600_000).default(150),
  logLevel: logLevel.optional(),
  runnerThread: z.enum(['Auto', 'Always']).default('Auto'),
  userLogLevel: logLevel.default('info'),
  accessLogPerSecond: whole(0, 1_000_000).default(10),
  httpsProxy: z.string().optional(),
  httpProxy: z.string().optional(),
  noProxy: z
    .string()
    .default('')
    .transform((text) => text.split(',').map((part) => part.trim()))
    .transform((parts) => parts.filter((part) => part !== '')),
});

type Parsed = z.infer<typeof schema>;

export interface PodConfig
  extends Readonly<Omit<Parsed, 'threads' | 'cpuLimit' | 'memoryLimit' | 'logLevel' | 'userLogLevel'>> {
  readonly logLevel: z.infer<typeof logLevel>;
  /** Threads with which onnxruntime runs one batch. */
  readonly threads: number;
  /** Memory limit of the container in bytes; undefined when there is none. */
  readonly memoryLimitBytes: number | undefined;
}

/** The environment does not parse; the message names every variable that is wrong. */
export class ConfigError extends Error {}

const variables: Readonly<Record<string, string>> = { ...podEnv, ...ownEnv };
const known = new Set(Object.values(variables));

/** What Kubernetes adds by itself when a Service of the namespace is called ballast-something. */
const serviceLink = /_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?$/;
const isServiceLink = (name: string, value: string) =>
  serviceLink.test(name) || (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value));

/** Reads the configuration from an environment; `cgroupRoot` is where the cgroup file system is mounted. */
export const readConfig = (env: NodeJS.ProcessEnv, cgroupRoot = '/sys/fs/cgroup'): PodConfig => {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith('BALLAST_') && !known.has(name) && !isServiceLink(name, value ?? ''))
      problems.push(`${name} is not a variable of the inference pod`);
  }
  const raw: Record<string, string> = {};
  for (const [key, name] of Object.entries(variables)) {
    const value = env[name];
    // An empty value is how a pod template says "not given".
    if (value !== undefined && value !== '') raw[key] = value;
  }
  const result = schema.safeParse(raw);
  if (!result.success) {
    for (const issue of result.error.issues)
      problems.push(`${variables[String(issue.path[0])] ?? issue.path.join('.')}: ${issue.message}`);
  }
  if (problems.length > 0 || !result.success) throw new ConfigError(problems.join('; '));
  const { threads, cpuLimit, memoryLimit, userLogLevel, ...rest } = result.data;
  const cgroup = readCgroupLimits(cgroupRoot);
  const cpus = cpuLimit === undefined ? cgroup.cpus : cpuLimit / 1000;
  return Object.freeze({
    ...rest,
    logLevel: rest.logLevel ?? userLogLevel,
    // As spec.model.version says: the revision's hash is the version that callers see when no other is given.
    modelVersion: rest.modelVersion ?? (rest.revision === '' ? undefined : rest.revision),
    threads: threads ?? Math.max(1, Math.floor(cpus ?? availableParallelism())),
    memoryLimitBytes: memoryLimit ?? cgroup.memoryBytes,
  });
};
