/**
 * A kubeconfig that holds its credentials itself (token, certificate, password), read without client-node: importing that
 * costs half a second and 80 MB (measured), which is more than the rest of the operator's start.
 */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { load } from 'js-yaml';
import type { TlsMaterial } from './credentials.ts';

interface Named<K extends string, T> {
  name: string;
  entry: Record<K, T>;
}
interface Cluster {
  server: string;
  'certificate-authority'?: string;
  'certificate-authority-data'?: string;
  'insecure-skip-tls-verify'?: boolean;
  'tls-server-name'?: string;
  'proxy-url'?: string;
}
interface User {
  token?: string;
  tokenFile?: string;
  'client-certificate'?: string;
  'client-certificate-data'?: string;
  'client-key'?: string;
  'client-key-data'?: string;
  username?: string;
  password?: string;
}
interface Context {
  cluster: string;
  user: string;
  namespace?: string;
}
interface Kubeconfig {
  'current-context'?: string;
  clusters?: (Named<'cluster', Cluster>['entry'] & { name: string })[];
  users?: (Named<'user', User>['entry'] & { name: string })[];
  contexts?: (Named<'context', Context>['entry'] & { name: string })[];
}

/** What a self-contained kubeconfig says; files that it names are read when `credentials` is called. */
export interface PlainKubeconfig {
  readonly server: string;
  readonly namespace: string;
  readonly proxyUrl?: string;
  credentials(): { headers: Record<string, string>; tls: TlsMaterial };
}

/** Keys of a user that this reader knows; any other (exec, auth-provider, impersonation) needs client-node. */
const knownUserKeys = new Set([
  'token',
  'tokenFile',
  'client-certificate',
  'client-certificate-data',
  'client-key',
  'client-key-data',
  'username',
  'password',
]);

/** Reads one kubeconfig file; undefined when it needs more than this reader knows, and client-node must read it. */
export function readPlainKubeconfig(
  path: string,
  contextName: string | undefined,
): PlainKubeconfig | undefined {
  const config = load(readFileSync(path, 'utf8')) as Kubeconfig | null | undefined;
  const name = contextName ?? config?.['current-context'];
  const context = config?.contexts?.find((one) => one.name === name)?.context;
  const cluster = config?.clusters?.find((one) => one.name === context?.cluster)?.cluster;
  const user = config?.users?.find((one) => one.name === context?.user)?.user ?? {};
  if (context === undefined || typeof cluster?.server !== 'string') return undefined;
  if (!Object.keys(user).every((key) => knownUserKeys.has(key))) return undefined;
  const beside = (file: string) => (isAbsolute(file) ? file : join(dirname(path), file));
  const material = (data: string | undefined, file: string | undefined): Buffer | undefined => {
    if (data !== undefined) return Buffer.from(data, 'base64');
    return file === undefined ? undefined : readFileSync(beside(file));
  };
  return {
    server: cluster.server,
    namespace: context.namespace ?? 'default',
    ...(cluster['proxy-url'] === undefined ? {} : { proxyUrl: cluster['proxy-url'] }),
    credentials: () => {
      const headers: Record<string, string> = {};
      const token =
        user.tokenFile === undefined ? user.token : readFileSync(beside(user.tokenFile), 'utf8').trim();
      if (token !== undefined && token !== '') headers.authorization = `Bearer ${token}`;
      else if (user.username !== undefined)
        headers.authorization = `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
      const ca = material(cluster['certificate-authority-data'], cluster['certificate-authority']);
      const cert = material(user['client-certificate-data'], user['client-certificate']);
      const key = material(user['client-key-data'], user['client-key']);
      const servername = cluster['tls-server-name'];
      return {
        headers,
        tls: {
          ...(ca === undefined ? {} : { ca }),
          ...(cert === undefined ? {} : { cert }),
          ...(key === undefined ? {} : { key }),
          ...(servername === undefined ? {} : { servername }),
          ...(cluster['insecure-skip-tls-verify'] === true ? { rejectUnauthorized: false } : {}),
        },
      };
    },
  };
}
