/** What the parts of the control plane are started with: keys, tokens, the audit policy, flags, the kubeconfig. */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A user whom the API server knows by a token. */
export interface TokenUser {
  readonly name: string;
  readonly token: string;
  readonly groups: readonly string[];
}

export interface ApiServerSettings {
  readonly dir: string;
  readonly etcdUrl: string;
  readonly address: string;
  readonly port: number;
  readonly serviceRange: string;
  readonly audit: boolean;
  /** No limit on requests in flight and no queues between users. */
  readonly unlimited: boolean;
}

/** Requests of service accounts alone, as they end: what tests and Kubernetes' own controllers ask for is noise. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  rules: [
    { level: 'None', userGroups: ['system:serviceaccounts:kube-system'] },
    {
      level: 'Metadata',
      userGroups: ['system:serviceaccounts'],
      // Of a watch that still runs, its start is all there is.
      omitStages: ['RequestReceived'],
      omitManagedFields: true,
    },
    { level: 'None' },
  ],
};

/** Writes the keys of service accounts, the users' tokens and the audit policy into the run's folder. */
export function writeKeys(dir: string, users: readonly TokenUser[]): void {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const secret = { mode: 0o600 };
  writeFileSync(join(dir, 'sa.key'), keys.privateKey.export({ type: 'pkcs1', format: 'pem' }), secret);
  writeFileSync(join(dir, 'sa.pub'), keys.publicKey.export({ type: 'spki', format: 'pem' }), secret);
  const lines = users.map(({ token, name, groups }) => `${token},${name},${name},"${groups.join(',')}"\n`);
  writeFileSync(join(dir, 'tokens.csv'), lines.join(''), secret);
  writeFileSync(join(dir, 'audit-policy.yaml'), JSON.stringify(auditPolicy));
}

/** Flags of kube-apiserver. */
export function apiServerFlags(settings: ApiServerSettings): string[] {
  const { dir, address } = settings;
  const onLoopback = address.startsWith('127.');
  return [
    `--etcd-servers=${settings.etcdUrl}`,
    `--bind-address=${address}`,
    `--advertise-address=${address}`,
    // The Service "kubernetes" has no endpoint on a loopback address; with nodes, pods come in through it.
    ...(onLoopback ? ['--endpoint-reconciler-type=none'] : []),
    `--secure-port=${settings.port}`,
    `--cert-dir=${dir}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(dir, 'sa.pub')}`,
    `--service-account-signing-key-file=${join(dir, 'sa.key')}`,
    `--token-auth-file=${join(dir, 'tokens.csv')}`,
    '--authorization-mode=Node,RBAC',
    `--service-cluster-ip-range=${settings.serviceRange}`,
    '--allow-privileged=true',
    '--kubelet-preferred-address-types=InternalIP',
    // Without this, stopping waits up to a minute for watches to end.
    '--shutdown-delay-duration=0s',
    ...(settings.audit
      ? [
          `--audit-policy-file=${join(dir, 'audit-policy.yaml')}`,
          `--audit-log-path=${join(dir, 'audit.log')}`,
          // As OpenShift does: who sets blockOwnerDeletion must be allowed to update the owner's finalizers.
          '--enable-admission-plugins=OwnerReferencesPermissionEnforcement',
        ]
      : []),
    ...(settings.unlimited
      ? [
          '--enable-priority-and-fairness=false',
          '--max-requests-inflight=0',
          '--max-mutating-requests-inflight=0',
        ]
      : []),
  ];
}

/** Writes a kubeconfig whole, so that nobody reads half of it. */
export function writeKubeconfig(path: string, url: string, user: TokenUser, certificate: string): void {
  const ca = readFileSync(certificate);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'real', cluster: { server: url, 'certificate-authority-data': ca.toString('base64') } },
    ],
    users: [{ name: user.name, user: { token: user.token } }],
    contexts: [{ name: 'real', context: { cluster: 'real', user: user.name } }],
    'current-context': 'real',
  };
  // JSON is YAML.
  writeFileSync(`${path}.new`, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
