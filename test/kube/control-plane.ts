/** A real Kubernetes control plane: etcd, kube-apiserver, controller manager, and a scheduler if asked for. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { apiServerFlags, type TokenUser, writeKeys, writeKubeconfig } from './control-plane-files.ts';
import { removeFolder } from './mounts.ts';
import { freePorts, isAlive, type Part, type Place, startPart } from './processes.ts';

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
  /** Writes an audit log of the requests of service accounts to `audit.log` in the run's folder. */
  readonly audit?: boolean;
  /** Address that the API server listens on; default 127.0.0.1. */
  readonly address?: string;
  /** Range of ClusterIPs; default 10.96.0.0/16. */
  readonly serviceRange?: string;
  /** Takes away every limit on the rate of requests, of clients and server: for measurements. */
  readonly unlimited?: boolean;
  /** Users beside the administrator. */
  readonly users?: readonly TokenUser[];
  /** Where the parts run, if not simply as children. */
  readonly place?: Place;
}

export interface ControlPlane {
  readonly url: string;
  readonly token: string;
  readonly kubeconfigPath: string;
  /** Folder of this run: certificates, logs, audit log. */
  readonly dir: string;
  /** Resolves with a sentence when any part ends that nobody stopped. */
  readonly broken: Promise<string>;
  /** Stops the API server alone, or starts it again at the same port with the same data. */
  readonly apiServer: { stop(): Promise<void>; start(): Promise<void> };
  /** Ends the parts in order and removes the run's folder. */
  stop(): Promise<void>;
}

/** Starts the parts in order and resolves when the API server is ready and controllers run. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  sweepFolders(options.runsDir);
  const dir = join(options.runsDir, `${process.pid}-${randomBytes(3).toString('hex')}`);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const parts = new Map<string, Part>();
  let tellBroken: (text: string) => void = () => {};
  const broken = new Promise<string>((resolve) => {
    tellBroken = resolve;
  });
  const start = (name: string, args: string[]) => {
    const log = join(dir, `${name}.log`);
    const part = startPart(name, options.binary, [name, ...args], log, 10, options.place);
    parts.set(name, part);
    void part.ended.then((text) => {
      if (parts.get(name) === part) tellBroken(`${text}; its log ends with:\n${part.tail()}`);
    });
    return part;
  };
  const stopPart = async (name: string, graceMs?: number) => {
    const part = parts.get(name);
    parts.delete(name);
    await part?.stop(graceMs);
  };
  const stop = async () => {
    for (const name of [...parts.keys()].toReversed()) await stopPart(name);
    removeFolder(dir);
  };
  try {
    const [clientPort = 0, peerPort = 0] = await freePorts(2);
    const address = options.address ?? '127.0.0.1';
    const [apiPort = 0] = await freePorts(1, address);
    const etcdUrl = `http://127.0.0.1:${clientPort}`;
    const url = `https://${address}:${apiPort}`;
    const certificate = join(dir, 'apiserver.crt');
    const admin = { name: 'admin', token: randomBytes(16).toString('hex'), groups: ['system:masters'] };
    const kubeconfigPath = options.kubeconfigPath ?? join(dir, 'kubeconfig');
    const unlimited = options.unlimited === true;
    const rates = unlimited ? ['--kube-api-qps=1000', '--kube-api-burst=2000'] : [];
    const readyMs = options.readyTimeoutMs ?? 90_000;

    const etcd = start('etcd', [
      `--data-dir=${join(dir, 'etcd')}`,
      `--listen-client-url=${etcdUrl}`,
      `--listen-peer-url=http://127.0.0.1:${peerPort}`,
    ]);
    writeKeys(dir, [admin, ...(options.users ?? [])]);
    const startApiServer = async () => {
      const part = start(
        'apiserver',
        apiServerFlags({
          dir,
          etcdUrl,
          address,
          port: apiPort,
          serviceRange: options.serviceRange ?? '10.96.0.0/16',
          audit: options.audit === true,
          unlimited,
        }),
      );
      await untilReady(url, admin.token, certificate, [etcd, part], Date.now() + readyMs);
    };
    await startApiServer();
    writeKubeconfig(kubeconfigPath, url, admin, certificate);

    const startManagers = () => {
      start('controller-manager', [
        `--kubeconfig=${kubeconfigPath}`,
        `--service-account-private-key-file=${join(dir, 'sa.key')}`,
        `--root-ca-file=${certificate}`,
        '--use-service-account-credentials',
        '--leader-elect=false',
        // Each look of a HorizontalPodAutoscaler: bench/fidelity reads them.
        '--vmodule=horizontal=4',
        // Nobody asks it anything.
        '--secure-port=0',
        ...rates,
      ]);
      if (options.scheduler === true)
        start('scheduler', [
          `--kubeconfig=${kubeconfigPath}`,
          '--leader-elect=false',
          '--secure-port=0',
          ...rates,
        ]);
    };
    startManagers();
    await untilControllersRun(url, admin.token, certificate, broken, Date.now() + readyMs);
    const apiServer = {
      // With an elected leader, as clusters have it, both end within 10 s of an outage and begin anew after it. Left to
      // run, the controller manager reads old Leases for up to 30 s more and calls every node dead.
      stop: async () => {
        await stopPart('scheduler');
        await stopPart('controller-manager');
        // It would wait a minute for the watches of kubelets to end.
        await stopPart('apiserver', 1_000);
      },
      start: async () => {
        if (parts.has('apiserver')) return;
        await startApiServer();
        startManagers();
      },
    };
    return {
      url,
      token: admin.token,
      kubeconfigPath,
      dir,
      broken,
      apiServer,
      stop,
    };
  } catch (error) {
    const tails = [...parts.values()].map((part) => `--- ${part.name}\n${part.tail()}`).join('\n');
    await stop();
    throw new Error(`the control plane did not start: ${(error as Error).message}\n${tails}`);
  }
}

/** Removes the folders of runs whose process is gone. */
export function sweepFolders(runsDir: string): void {
  if (!existsSync(runsDir)) return;
  for (const name of readdirSync(runsDir)) {
    const pid = Number(name.split('-')[0]);
    if (!Number.isInteger(pid) || pid <= 0 || isAlive(pid)) continue;
    try {
      removeFolder(join(runsDir, name));
    } catch {
      // Somebody else removes it too, or a part of it is about to end: the next start looks again.
    }
  }
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
  broken: Promise<string>,
  deadlineMs: number,
): Promise<void> {
  let ended: string | undefined;
  void broken.then((text) => {
    ended = text;
  });
  while (Date.now() < deadlineMs) {
    if (ended !== undefined) throw new Error(ended);
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
