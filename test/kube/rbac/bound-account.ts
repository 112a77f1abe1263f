/** The operator's service account as the chart binds it: its Roles, applied as rendered, and a token for it. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { type Auth, loadAuth } from '../../../kube/auth.ts';
import { provideTools } from '../../../local/tools.ts';
import type { Cluster } from '../../conformance/support/cluster.ts';
import { said } from '../../conformance/support/words.ts';
import { type Grant, grantsOf, type RbacObject } from './permissions.ts';

const root = join(import.meta.dirname, '../../..');
const kinds = ['ServiceAccount', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'];

export interface BoundAccount {
  readonly name: string;
  readonly namespace: string;
  /** As the audit log writes it. */
  readonly user: string;
  readonly grants: readonly Grant[];
  readonly objects: readonly RbacObject[];
  /** Credentials of the account at the server under test. */
  readonly auth: Auth;
}

/** Objects that `helm template` makes of the chart, of the kinds that give rights. */
export async function renderRbac(
  release: string,
  namespace: string,
  values: readonly string[],
): Promise<RbacObject[]> {
  const { helm } = await provideTools(join(root, '.ballast'));
  const set = values.flatMap((value) => ['--set', value]);
  const args = ['template', release, join(root, 'charts/ballast'), '--namespace', namespace, ...set];
  const text = execFileSync(helm, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return (loadAll(text) as (RbacObject | null)[]).filter(
    (one): one is RbacObject => one !== null && kinds.includes(one.kind),
  );
}

const collection = ({ kind, metadata }: RbacObject): string => {
  const plural = `${kind.toLowerCase()}s`;
  if (kind === 'ServiceAccount') return `/api/v1/namespaces/${metadata.namespace}/${plural}`;
  const group = '/apis/rbac.authorization.k8s.io/v1';
  return kind.startsWith('Cluster')
    ? `${group}/${plural}`
    : `${group}/namespaces/${metadata.namespace}/${plural}`;
};

/** Applies `objects` and gives credentials of the account among them that the operator runs as. */
export async function bindAccount(
  api: Cluster,
  objects: readonly RbacObject[],
  namespace: string,
): Promise<BoundAccount> {
  const account = objects.find(
    ({ kind, metadata }) => kind === 'ServiceAccount' && metadata.namespace === namespace,
  );
  if (account === undefined) throw new Error('the chart renders no ServiceAccount');
  for (const object of objects) {
    const path = `${collection(object)}/${object.metadata.name}`;
    const made = await api.apply(path, 'test', object, { force: true });
    if (made.status >= 300) throw new Error(`${path}: ${said(made)}`);
    if (object.kind.startsWith('Cluster')) api.cleanUp(path);
  }
  const { name } = account.metadata;
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const answer = await api.post(`${collection(account)}/${name}/token`, request);
  const { token } = answer.body.status as { token: string };
  const admin = await loadAuth({ kubeconfig: process.env.CONFORMANCE_KUBECONFIG ?? '' });
  const { tls } = await admin.credentials();
  const credentials = {
    headers: { authorization: `Bearer ${token}` },
    // The admin's own certificate would speak for the admin.
    tls: tls.ca === undefined ? {} : { ca: tls.ca },
  };
  return {
    name,
    namespace,
    user: `system:serviceaccount:${namespace}:${name}`,
    objects,
    grants: grantsOf(objects, { name, namespace }),
    auth: { server: admin.server, namespace, credentials: async () => credentials, renew() {} },
  };
}
