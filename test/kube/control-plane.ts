/** A real Kubernetes control plane on loopback: etcd, kube-apiserver, controller manager, and a scheduler if asked for. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { freePorts, isAlive, type Part, startPart } from './processes.ts';

export interface ControlPlaneOptions {
  /** The binary that `npm run kube:build` made. */
  readonly binary: string;
  /** Folder below which this run keeps its data; what dead runs left there is removed. */
  readonly runsDir: string;
  /** Where the kubeconfig goes; default: inside the run's folder. */
  readonly kubeconfigPath?: string;
  /** Also starts kube-scheduler, for which there must be nodes. */
  readonly scheduler?: boolean;
  /** Longest time until the API server answers `/readyz`, milliseconds. */
  readonly readyTimeoutMs?: number;
  /** Writes an audit log of every request to `audit.log` in the run's folder. */
  readonly audit?: boolean;
}

export interface ControlPlane {
  readonly url: string;
  readonly token: string;
  readonly kubeconfigPath: string;
  /** Folder of this run: certificates, logs, audit log. */
  readonly dir: string;
  /** Resolves with a sentence when any part ends. */
  readonly broken: Promise<string>;
  /** Ends the parts in order and removes the run's folder. */
  stop(): Promise<void>;
}

/** Starts the parts in order and resolves when the API server is ready and controllers run. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  sweep(options.runsDir);
  const dir = join(options.runsDir, `${process.pid}-${randomBytes(3).toString('hex')}`);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const parts: Part[] = [];
  const start = (name: string, args: string[]) => {
    const part = startPart(name, options.binary, [name, ...args], join(dir, `${name}.log`));
    parts.push(part);
    return part;
  };
  const stop = async () => {
    for (const part of parts.toReversed()) await part.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const [clientPort = 0, peerPort = 0, apiPort = 0, managerPort = 0, schedulerPort = 0] =
      await freePorts(5);
    const etcdUrl = `http://127.0.0.1:${clientPort}`;
    const url = `https://127.0.0.1:${apiPort}`;
    const token = randomBytes(16).toString('hex');
    const kubeconfigPath = options.kubeconfigPath ?? join(dir, 'kubeconfig');
    const deadlineMs = Date.now() + (options.readyTimeoutMs ?? 90_000);

    start('etcd', [
      `--data-dir=${join(dir, 'etcd')}`,
      `--listen-client-url=${etcdUrl}`,
      `--listen-peer-url=http://127.0.0.1:${peerPort}`,
    ]);
    writeKeys(dir, token);
    const apiserver = start('apiserver', apiServerFlags(dir, etcdUrl, apiPort, options.audit ?? false));
    await untilReady(url, token, join(dir, 'apiserver.crt'), parts, deadlineMs);
    writeKubeconfig(kubeconfigPath, url, token, readFileSync(join(dir, 'apiserver.crt')));

    start('controller-manager', [
      `--kubeconfig=${kubeconfigPath}`,
      `--service-account-private-key-file=${join(dir, 'sa.key')}`,
      `--root-ca-file=${join(dir, 'apiserver.crt')}`,
      '--use-service-account-credentials',
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
      `--secure-port=${managerPort}`,
      `--cert-dir=${join(dir, 'controller-manager')}`,
    ]);
    if (options.scheduler === true)
      start('scheduler', [
        `--kubeconfig=${kubeconfigPath}`,
        '--leader-elect=false',
        '--bind-address=127.0.0.1',
        `--secure-port=${schedulerPort}`,
        `--cert-dir=${join(dir, 'scheduler')}`,
      ]);
    await untilControllersRun(url, token, join(dir, 'apiserver.crt'), apiserver, deadlineMs);
    const broken = Promise.race(
      parts.map(async (part) => `${await part.ended}; its log ends with:\n${safeTail(part)}`),
    );
    return { url, token, kubeconfigPath, dir, broken, stop };
  } catch (error) {
    const tails = parts.map((part) => `--- ${part.name}\n${safeTail(part)}`).join('\n');
    await stop();
    throw new Error(`the control plane did not start: ${(error as Error).message}\n${tails}`);
  }
}

function safeTail(part: Part): string {
  try {
    return part.tail();
  } catch {
    return '(no log)';
  }
}

/** Removes the folders of runs whose process is gone. */
function sweep(runsDir: string): void {
  if (!existsSync(runsDir)) return;
  for (const name of readdirSync(runsDir)) {
    const pid = Number(name.split('-')[0]);
    if (Number.isInteger(pid) && pid > 0 && !isAlive(pid))
      rmSync(join(runsDir, name), { recursive: true, force: true });
  }
}

function writeKeys(dir: string, token: string): void {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const secret = { mode: 0o600 };
  writeFileSync(join(dir, 'sa.key'), keys.privateKey.export({ type: 'pkcs1', format: 'pem' }), secret);
  writeFileSync(join(dir, 'sa.pub'), keys.publicKey.export({ type: 'spki', format: 'pem' }), secret);
  writeFileSync(join(dir, 'tokens.csv'), `${token},admin,admin,system:masters\n`, secret);
  writeFileSync(
    join(dir, 'audit-policy.yaml'),
    'apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{ level: Metadata }]\n',
  );
}

function apiServerFlags(dir: string, etcdUrl: string, port: number, audit: boolean): string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    `--secure-port=${port}`,
    `--cert-dir=${dir}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(dir, 'sa.pub')}`,
    `--service-account-signing-key-file=${join(dir, 'sa.key')}`,
    `--token-auth-file=${join(dir, 'tokens.csv')}`,
    '--authorization-mode=Node,RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--allow-privileged=true',
    '--kubelet-preferred-address-types=InternalIP',
    // Without this, stopping waits up to a minute for watches to end.
    '--shutdown-delay-duration=0s',
    ...(audit
      ? [
          `--audit-policy-file=${join(dir, 'audit-policy.yaml')}`,
          `--audit-log-path=${join(dir, 'audit.log')}`,
        ]
      : []),
  ];
}

function writeKubeconfig(path: string, url: string, token: string, ca: Buffer): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'real', cluster: { server: url, 'certificate-authority-data': ca.toString('base64') } },
    ],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'real', context: { cluster: 'real', user: 'admin' } }],
    'current-context': 'real',
  };
  // JSON is YAML. Written whole and then renamed, so that nobody reads half of it.
  writeFileSync(`${path}.new`, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

async function untilReady(
  url: string,
  token: string,
  certificate: string,
  parts: readonly Part[],
  deadlineMs: number,
): Promise<void> {
  let ended: string | undefined;
  for (const part of parts)
    void part.ended.then((text) => {
      ended = text;
    });
  let last = 'no answer yet';
  while (Date.now() < deadlineMs) {
    if (ended !== undefined) throw new Error(ended);
    if (existsSync(certificate)) {
      try {
        const answer = await ask(`${url}/readyz`, token, certificate);
        if (answer.status === 200) return;
        last = `${answer.status} ${answer.text.slice(0, 200)}`;
      } catch (error) {
        last = (error as Error).message;
      }
    }
    await delay(100);
  }
  throw new Error(`/readyz did not say ok in time: ${last}`);
}

/** The namespace's default ServiceAccount is made by a controller: once it is there, controllers run. */
async function untilControllersRun(
  url: string,
  token: string,
  certificate: string,
  apiserver: Part,
  deadlineMs: number,
): Promise<void> {
  let ended = false;
  void apiserver.ended.then(() => {
    ended = true;
  });
  while (Date.now() < deadlineMs) {
    if (ended) throw new Error('the API server ended');
    const answer = await ask(`${url}/api/v1/namespaces/default/serviceaccounts/default`, token, certificate);
    if (answer.status === 200) return;
    await delay(100);
  }
  throw new Error('the controller manager made no default ServiceAccount in time');
}

async function ask(
  url: string,
  token: string,
  certificate: string,
): Promise<{ status: number; text: string }> {
  const agent = new Agent({ connect: { ca: readFileSync(certificate) } });
  try {
    const answer = await request(url, { dispatcher: agent, headers: { authorization: `Bearer ${token}` } });
    return { status: answer.statusCode, text: await answer.body.text() };
  } finally {
    await agent.close();
  }
}
