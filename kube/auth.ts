/**
 * Who we are and where the API server is: kubeconfig (tokens, client certificates, exec plug-ins, OIDC) or the pod's
 * service account. The only file that imports @kubernetes/client-node, and only for a kubeconfig that asks others for its
 * credentials: the import costs half a second and 80 MB (measured), which an operator inside a cluster never pays.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { delimiter, join } from 'node:path';
import { type Clock, realClock } from './clock.ts';
import type { Credentials, TlsMaterial } from './credentials.ts';
import { readPlainKubeconfig } from './kubeconfig.ts';

export interface Auth {
  /** `http(s)://host:port`, with a path where a proxy such as Rancher's needs one. */
  readonly server: string;
  /** Namespace of the context or of the pod. */
  readonly namespace: string;
  /** HTTP proxy towards the server. */
  readonly proxyUrl?: string;
  /** Fresh credentials: tokens rotate, exec plug-ins renew. Cheap to call for every request. */
  credentials(): Promise<Credentials>;
  /** Forgets what is cached, after a 401. */
  renew(): void;
}

export interface AuthOptions {
  /** Path of a kubeconfig, or several with the platform's path delimiter, as in `KUBECONFIG`. */
  readonly kubeconfig?: string;
  /** Context of the kubeconfig; default its `current-context`. */
  readonly context?: string;
  /** Use the pod's service account when no kubeconfig is named. */
  readonly inCluster?: InClusterOptions;
  readonly clock?: Clock;
}

export interface InClusterOptions {
  /** `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`; default `kubernetes.default.svc` and 443. */
  readonly host?: string;
  readonly port?: string;
  /** Folder of token, ca.crt and namespace. */
  readonly directory?: string;
}

/** As client-go and client-node: a projected token is renewed long before this. */
const tokenCacheMs = 60_000;
/** What a kubeconfig gives is asked again this often; exec plug-ins keep their own cache until their token expires. */
const credentialCacheMs = 10_000;
const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Loads where and how to reach the API server: the kubeconfig when one is named, else the pod's service account. */
export async function loadAuth(options: AuthOptions): Promise<Auth> {
  if (options.kubeconfig !== undefined && options.kubeconfig !== '')
    return kubeconfigAuth(options.kubeconfig, options.context, options.clock ?? realClock);
  if (options.inCluster !== undefined) return inClusterAuth(options.inCluster, options.clock ?? realClock);
  throw new Error('no way to the API server: name a kubeconfig, or run inside a cluster');
}

/** Auth for a known address and an optional bearer token: tests and the embedded cluster. */
export function staticAuth(server: string, token?: string, namespace = 'default'): Auth {
  const credentials: Credentials = {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    tls: {},
  };
  return { server: trimSlash(server), namespace, credentials: async () => credentials, renew() {} };
}

function inClusterAuth(options: InClusterOptions, clock: Clock): Auth {
  const directory = options.directory ?? serviceAccountDirectory;
  const host = options.host ?? 'kubernetes.default.svc';
  const ca = readFileSync(join(directory, 'ca.crt'));
  let namespace = 'default';
  try {
    namespace = readFileSync(join(directory, 'namespace'), 'utf8').trim();
  } catch {
    // Only the token and the CA are needed to talk to the server.
  }
  const cached = cachedFor(tokenCacheMs, clock, async (): Promise<Credentials> => {
    const token = (await readFile(join(directory, 'token'), 'utf8')).trim();
    return { headers: { authorization: `Bearer ${token}` }, tls: { ca } };
  });
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${options.port ?? '443'}`,
    namespace,
    credentials: cached.get,
    renew: cached.forget,
  };
}

async function kubeconfigAuth(path: string, context: string | undefined, clock: Clock): Promise<Auth> {
  const plain = path.includes(delimiter) ? undefined : readPlainKubeconfig(path, context);
  if (plain !== undefined && !plain.proxyUrl?.startsWith('socks')) {
    const { server, credentials, ...rest } = plain;
    const cached = cachedFor(credentialCacheMs, clock, async () => credentials());
    return { ...rest, server: trimSlash(server), credentials: cached.get, renew: cached.forget };
  }
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const config = new KubeConfig();
  for (const [index, file] of path
    .split(delimiter)
    .filter((part) => part !== '')
    .entries()) {
    const one = new KubeConfig();
    one.loadFromFile(file);
    // kubectl: the first file that sets a current context wins.
    if (index === 0) config.loadFromOptions(one);
    else config.mergeConfig(one, Boolean(config.currentContext));
  }
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    const known = config
      .getContexts()
      .map((entry) => entry.name)
      .join(', ');
    throw new Error(
      `kubeconfig: context "${config.getCurrentContext() ?? ''}" has no cluster; contexts: ${known || 'none'}`,
    );
  }
  const server = trimSlash(cluster.server);
  const proxyUrl = cluster.proxyUrl;
  if (proxyUrl?.startsWith('socks'))
    throw new Error(`kubeconfig: proxy-url ${proxyUrl}: SOCKS proxies are not supported, use an HTTP proxy`);
  // client-node refuses plain http unless TLS verification is off; there is no TLS to verify then.
  if (server.startsWith('http:'))
    config.clusters = config.clusters.map((entry) =>
      entry.name === cluster.name ? { ...entry, skipTLSVerify: true } : entry,
    );
  const cached = cachedFor(credentialCacheMs, clock, async () => {
    const options: Parameters<typeof config.applyToHTTPSOptions>[0] = {};
    await config.applyToHTTPSOptions(options);
    return credentialsOf(options as HttpsOptions);
  });
  return {
    server,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    credentials: cached.get,
    renew: cached.forget,
  };
}

/** The fields that client-node fills in. */
interface HttpsOptions extends TlsMaterial {
  readonly auth?: string | null;
  readonly headers?: Readonly<Record<string, unknown>>;
}

function credentialsOf(options: HttpsOptions): Credentials {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {}))
    headers[name.toLowerCase()] = String(value).trim();
  if (typeof options.auth === 'string')
    headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const tls: { -readonly [K in keyof TlsMaterial]: TlsMaterial[K] } = {};
  if (options.ca) tls.ca = options.ca;
  if (options.cert) tls.cert = options.cert;
  if (options.key) tls.key = options.key;
  if (options.passphrase) tls.passphrase = options.passphrase;
  if (options.servername) tls.servername = options.servername;
  if (options.rejectUnauthorized !== undefined) tls.rejectUnauthorized = options.rejectUnauthorized;
  return { headers, tls };
}

/** Keeps an answer for a while; callers that come together share one call. */
function cachedFor<T>(ttlMs: number, clock: Clock, load: () => Promise<T>) {
  let value: Promise<T> | undefined;
  let untilMs = 0;
  return {
    get: (): Promise<T> => {
      if (value === undefined || clock.monotonicMs() >= untilMs) {
        const loading = load();
        value = loading;
        untilMs = clock.monotonicMs() + ttlMs;
        loading.catch(() => {
          if (value === loading) value = undefined;
        });
      }
      return value;
    },
    forget: () => {
      value = undefined;
    },
  };
}

const trimSlash = (url: string) => url.replace(/\/+$/, '');
