/** What the gateway is told by its environment, parsed once into a frozen value. What it does not know is a start error. */
import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);
const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/** Every setting, by its variable. Durations and sizes carry their unit in the name. */
const settings = z.object({
  /** Namespace whose models are served; default the service account's own, or that of the kubeconfig's context. */
  BALLAST_GATEWAY_NAMESPACE: z.string().min(1).optional(),
  /** Name of this pod: tells its place among the gateways. */
  BALLAST_POD_NAME: z.string().default(''),
  BALLAST_LISTEN_HOST: z.string().min(1).default('0.0.0.0'),
  BALLAST_OPS_PORT: port.default(8081),
  /** Memory limit of the container; a quarter of it may hold bodies of waiting requests. */
  BALLAST_MEMORY_LIMIT_BYTES: count(1, Number.MAX_SAFE_INTEGER).optional(),
  /** Requests of one model that may wait. */
  BALLAST_GATEWAY_MAX_WAITING: count(1, 1_000_000).default(4_096),
  /** Connections of clients to one model. */
  BALLAST_GATEWAY_MAX_CONNECTIONS: count(1, 1_000_000).default(8_192),
  /** How long a request that names no deadline waits for the first pod of a model that sleeps. */
  BALLAST_GATEWAY_MAX_HOLD_MS: count(1, 3_600_000).default(60_000),
  /** How long it goes on after SIGTERM before it stops listening: until no Service sends anybody here. */
  BALLAST_GATEWAY_DRAIN_DELAY_MS: count(0, 600_000).default(5_000),
  /** How long running requests may then take. */
  BALLAST_GATEWAY_DRAIN_TIMEOUT_MS: count(0, 3_600_000).default(45_000),
  BALLAST_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

export interface GatewayConfig {
  readonly namespace: string | undefined;
  readonly podName: string;
  readonly listenHost: string;
  readonly opsPort: number;
  readonly maxHeldBytes: number;
  readonly maxWaiting: number;
  readonly maxConnections: number;
  readonly maxHoldMs: number;
  readonly drainDelayMs: number;
  readonly drainTimeoutMs: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly kubeconfig: string | undefined;
  /** In-cluster address of the API server. */
  readonly inCluster: { readonly host?: string; readonly port?: string } | undefined;
}

/** A setting that does not parse; the message says which and what would do. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

const defaultMemoryBytes = 512 * 1024 * 1024;

/** Parses the environment; `KUBECONFIG` and the in-cluster variables of Kubernetes are read too. */
export function parseConfig(environment: NodeJS.ProcessEnv): GatewayConfig {
  for (const variable of Object.keys(environment))
    if (variable.startsWith('BALLAST_GATEWAY_') && !Object.hasOwn(settings.shape, variable))
      throw new ConfigError(
        `unknown variable ${variable}; known are ${Object.keys(settings.shape).join(', ')}`,
      );
  const parsed = settings.safeParse(environment);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const variable = String(issue?.path[0] ?? '');
    throw new ConfigError(
      `${variable} "${environment[variable] ?? ''}": ${issue?.message ?? 'does not parse'}`,
    );
  }
  const { data } = parsed;
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: servicePort, KUBECONFIG } = environment;
  return Object.freeze({
    namespace: data.BALLAST_GATEWAY_NAMESPACE,
    podName: data.BALLAST_POD_NAME,
    listenHost: data.BALLAST_LISTEN_HOST,
    opsPort: data.BALLAST_OPS_PORT,
    maxHeldBytes: Math.floor((data.BALLAST_MEMORY_LIMIT_BYTES ?? defaultMemoryBytes) / 4),
    maxWaiting: data.BALLAST_GATEWAY_MAX_WAITING,
    maxConnections: data.BALLAST_GATEWAY_MAX_CONNECTIONS,
    maxHoldMs: data.BALLAST_GATEWAY_MAX_HOLD_MS,
    drainDelayMs: data.BALLAST_GATEWAY_DRAIN_DELAY_MS,
    drainTimeoutMs: data.BALLAST_GATEWAY_DRAIN_TIMEOUT_MS,
    logLevel: data.BALLAST_LOG_LEVEL,
    kubeconfig: KUBECONFIG === '' ? undefined : KUBECONFIG,
    inCluster:
      host === undefined ? undefined : { host, ...(servicePort === undefined ? {} : { port: servicePort }) },
  });
}
