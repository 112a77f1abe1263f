/** A real control plane of a test's own, helm and kubectl of one version against it, and the operator as the chart runs it. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { type Auth, loadAuth } from '../../../kube/auth.ts';
import { provideTools, type ToolsVersion } from '../../../local/tools.ts';
import { parseConfig } from '../../../operator/config.ts';
import { type Operator, startOperator } from '../../../operator/operator.ts';
import { type Cluster, openCluster } from '../../conformance/support/cluster.ts';
import { at, said } from '../../conformance/support/words.ts';
import { binaryPath, cacheDir } from '../build.ts';
import { startControlPlane } from '../control-plane.ts';
import { runKubelet } from '../kubelet.ts';

export const root = join(import.meta.dirname, '../../..');
export const chart = join(root, 'charts/ballast');

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface ChartBed {
  readonly api: Cluster;
  /** Runs helm; throws what it said when it fails. */
  helm(...words: string[]): Promise<string>;
  /** Runs helm and returns what happened, failures included. */
  tryHelm(...words: string[]): Promise<Run>;
  kubectl(...words: string[]): Promise<string>;
  /** Writes a file and returns its path. */
  file(name: string, text: string): string;
  /** Credentials of a service account, by a token of its own. */
  authOf(namespace: string, account: string): Promise<Auth>;
  /** Ends the operator of a release, if one runs, and starts it as its Deployment now says: its flags, its account. */
  runOperator(namespace: string, deployment: string): Promise<Operator>;
  /** Ends the operator of a release, as a pod that is deleted. */
  endOperator(namespace: string, deployment: string): Promise<void>;
}

interface OperatorPod {
  readonly serviceAccountName: string;
  readonly containers: readonly { readonly args: readonly string[] }[];
  readonly volumes: readonly {
    readonly name: string;
    readonly projected?: {
      readonly sources: readonly {
        readonly configMap: { readonly name: string; readonly items?: { key: string; path: string }[] };
      }[];
    };
  }[];
}

/** Starts it all; ended by jest. Pods of the namespace of the tests are told to run, by nobody but the tests. */
export async function openChartBed(version: ToolsVersion): Promise<ChartBed> {
  const plane = await startControlPlane({ binary: binaryPath(), runsDir: join(cacheDir, 'run') });
  process.env.CONFORMANCE_KUBECONFIG = plane.kubeconfigPath;
  const api = await openCluster();
  await api.mergePatch(`/api/v1/namespaces/${api.namespace}`, {
    metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
  const kubelet = await runKubelet(api);
  afterAll(() => kubelet.stop());
  const tools = await provideTools(join(root, '.ballast'), version);
  const dir = mkdtempSync(join(tmpdir(), 'ballast-chart-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const env = { PATH: process.env.PATH, HOME: dir, KUBECONFIG: plane.kubeconfigPath };

  const run = (binary: string, words: readonly string[]) =>
    new Promise<Run>((resolve, reject) => {
      const child = spawn(binary, words, { env, cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
      const [out, err]: [Buffer[], Buffer[]] = [[], []];
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
      child.once('error', reject);
      child.once('close', (code) =>
        resolve({
          code: code ?? -1,
          out: Buffer.concat(out).toString(),
          err: Buffer.concat(err).toString(),
        }),
      );
    });
  const must = async (binary: string, words: readonly string[]) => {
    const { code, out, err } = await run(binary, words);
    if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${err}${out}`);
    return out;
  };

  const authOf = async (namespace: string, account: string): Promise<Auth> => {
    const answer = await api.post(`/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    });
    if (answer.status !== 201) throw new Error(said(answer));
    const admin = await loadAuth({ kubeconfig: plane.kubeconfigPath });
    const { ca } = (await admin.credentials()).tls;
    const credentials = {
      headers: { authorization: `Bearer ${at(answer.body, 'status.token')}` },
      tls: ca === undefined ? {} : { ca },
    };
    return { server: admin.server, namespace, credentials: async () => credentials, renew() {} };
  };

  /** Writes what the pod mounts at /etc/ballast/defaults into a folder here. */
  let mounts = 0;
  const mounted = async (namespace: string, pod: OperatorPod): Promise<string> => {
    const folder = join(dir, `defaults-${++mounts}`);
    mkdirSync(folder);
    const sources = pod.volumes.find(({ name }) => name === 'defaults')?.projected?.sources ?? [];
    for (const { configMap } of sources) {
      const { body } = await api.get(`/api/v1/namespaces/${namespace}/configmaps/${configMap.name}`);
      for (const [key, text] of Object.entries((body as { data?: Record<string, string> }).data ?? {})) {
        const { path = key } = configMap.items?.find((item) => item.key === key) ?? {};
        writeFileSync(join(folder, path), text);
      }
    }
    return folder;
  };

  const operators = new Map<string, Operator>();
  let identities = 0;
  const endOperator = async (namespace: string, deployment: string) => {
    const key = `${namespace}/${deployment}`;
    await operators.get(key)?.stop();
    operators.delete(key);
  };
  afterAll(async () => {
    await Promise.all([...operators.values()].map((operator) => operator.stop()));
    await plane.stop();
  }, 60_000);

  return {
    api,
    helm: (...words) => must(tools.helm, words),
    tryHelm: (...words) => run(tools.helm, words),
    kubectl: (...words) => must(tools.kubectl, words),
    file(name, text) {
      const path = join(dir, name);
      writeFileSync(path, text);
      return path;
    },
    authOf,
    endOperator,
    async runOperator(namespace, deployment) {
      await endOperator(namespace, deployment);
      const { body } = await api.get(`/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}`);
      const pod = at(body, 'spec.template.spec') as OperatorPod;
      const here = ['--ops-host=127.0.0.1', '--ops-port=0', `--identity=operator-${++identities}`];
      const mount = await mounted(namespace, pod);
      const flags = (pod.containers[0]?.args ?? [])
        .filter((one) => !one.startsWith('--bake-time'))
        .map((one) => one.replace('/etc/ballast/defaults', mount));
      const operator = await startOperator(parseConfig([...flags, ...here, '--bake-time=1s'], {}), {
        auth: await authOf(namespace, pod.serviceAccountName),
      });
      operators.set(`${namespace}/${deployment}`, operator);
      return operator;
    },
  };
}
