/** `npm run bench:fleet [-- COUNT]`: 200 ModelDeployments on the embedded cluster (pods by the fake kubelet, their /load answered): time, memory and writes of the operator process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { load } from 'js-yaml';
import { modelDeployments } from '../crds/constants.ts';
import type { ModelDeployment } from '../crds/types.ts';
import { loadAuth } from '../kube/auth.ts';
import { createClient, type KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/objects.ts';
import { resources } from '../kube/resource.ts';
import { buildBundles, operatorNodeEnv, operatorNodeFlags } from '../local/bundles.ts';
import { startCluster } from '../local/cluster.ts';
import { idleReport } from './idle-report.ts';

const root = join(import.meta.dirname, '..');
const count = Number(process.argv[2] ?? 200);
const maxRssMb = 150;
/** Twice the time between two writes of figures (30 s): the last status of a start is written by then. */
const settleMs = 60_000;
const namespace = 'default';

/** A figure of /proc/PID/status in MB. */
const memoryMb = (pid: number, field: 'VmRSS' | 'VmHWM') =>
  Number(
    new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN,
  ) / 1_024;

const cpuSeconds = (pid: number) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function startOperatorProcess(bundle: string, kubeconfig: string) {
  const child: ChildProcess = spawn(
    process.execPath,
    [
      ...operatorNodeFlags,
      bundle,
      '--leader-elect',
      'false',
      '--ops-host',
      '127.0.0.1',
      '--ops-port',
      '0',
      '--kubeconfig',
      kubeconfig,
    ],
    { env: { ...operatorNodeEnv, PATH: process.env.PATH ?? '' }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  if (child.stderr === null || child.pid === undefined) throw new Error('the operator did not start');
  const lines = createInterface({ input: child.stderr });
  const opsPort = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the operator ended with code ${code}`)));
    lines.on('line', (line) => {
      const entry = JSON.parse(line) as { message: string; level: string; opsPort?: number };
      if (entry.level === 'error') console.error(line);
      if (entry.opsPort !== undefined) resolve(entry.opsPort);
    });
  });
  return { child, pid: child.pid, opsPort };
}

const isReady = (model: ModelDeployment) =>
  model.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

async function createAll(api: KubeClient): Promise<void> {
  for (let index = 0; index < count; index++)
    await api.create(modelDeployments, {
      apiVersion: 'ballast.dev/v1alpha1',
      kind: 'ModelDeployment',
      metadata: { name: `model-${index}`, namespace },
      spec: { model: { uri: 'file:///samples/wine/model.onnx' }, sla: { latency: { p95: '50ms' } } },
    } as KubeObject);
}

async function metric(opsPort: number, pattern: RegExp): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => pattern.test(line))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

const stateDir = mkdtempSync(join(tmpdir(), 'ballast-fleet-'));
const bundles = await buildBundles(root, stateDir);
const cluster = await startCluster({
  stateDir,
  imageMap: {},
  node: { cpu: '1000', memory: '4Ti', pods: 10_000 },
  fakeKubelet: {
    readyAfterMs: 100,
    initMessage: () =>
      JSON.stringify({ sha256: 'ab'.repeat(32), bytes: 1, uri: 'file:///samples/wine/model.onnx' }),
    answer: (pod, port, path) =>
      port === 'ops' && path.split('?')[0] === '/load'
        ? { body: JSON.stringify(idleReport(pod.metadata.name ?? '', path)) }
        : undefined,
  },
});
let child: ChildProcess | undefined;
try {
  const api = createClient(await loadAuth({ kubeconfig: cluster.kubeconfigPath }), {
    qps: 10_000,
    burst: 10_000,
  });
  const crd = readFileSync(join(root, 'crds/generated/modeldeployment.crd.yaml'), 'utf8');
  await api.create(resources.customResourceDefinitions, load(crd) as KubeObject);
  while (!(await api.list(modelDeployments, { namespace }).catch(() => undefined))) await sleep(20);
  const operator = await startOperatorProcess(
    join(bundles.directory, 'operator.mjs'),
    cluster.kubeconfigPath,
  );
  child = operator.child;
  const { pid, opsPort } = operator;
  const idleMb = memoryMb(pid, 'VmRSS');
  const startedMs = performance.now();
  await createAll(api);
  const createdMs = performance.now();
  for (let ready = 0; ready < count; ) {
    await sleep(250);
    const { items } = await api.list<ModelDeployment & KubeObject>(modelDeployments, { namespace });
    ready = items.filter(isReady).length;
    if (performance.now() - startedMs > 300_000) throw new Error(`only ${ready} of ${count} are ready`);
  }
  const readyMs = performance.now();
  const writes = await metric(opsPort, /^ballast_operator_writes_total/);
  const readyMb = memoryMb(pid, 'VmRSS');
  const cpuAtReady = cpuSeconds(pid);
  await sleep(settleMs);
  // The last status of a start carries the first figures; from here on a fleet at rest is at rest.
  const before = await metric(opsPort, /^ballast_operator_writes_total/);
  const cpuBefore = cpuSeconds(pid);
  await sleep(settleMs);
  const after = await metric(opsPort, /^ballast_operator_writes_total/);
  const peakMb = memoryMb(pid, 'VmHWM');
  const restingMb = memoryMb(pid, 'VmRSS');
  const seconds = (ms: number) => (ms / 1_000).toFixed(1);
  console.log(`ModelDeployments             ${count}`);
  console.log(`created within               ${seconds(createdMs - startedMs)} s`);
  console.log(`all Ready within             ${seconds(readyMs - startedMs)} s`);
  console.log(`writes per ModelDeployment   ${(writes / count).toFixed(1)}`);
  console.log(`operator CPU to all Ready    ${cpuAtReady.toFixed(1)} s`);
  console.log(
    `operator RSS: idle ${idleMb.toFixed(0)} MB, all Ready ${readyMb.toFixed(0)} MB, at rest ${restingMb.toFixed(0)} MB, peak ${peakMb.toFixed(0)} MB`,
  );
  console.log(
    `at rest: ${((after - before) / (settleMs / 60_000) / count).toFixed(2)} writes per ModelDeployment and minute, ${(((cpuSeconds(pid) - cpuBefore) / (settleMs / 1_000)) * 100).toFixed(1)} % of a core`,
  );
  const ok = peakMb < maxRssMb && after === before;
  const wanted = `peak RSS below ${maxRssMb} MB, no write at rest`;
  console.log(ok ? `ok: ${wanted}` : `FAILED: wanted ${wanted}`);
  process.exitCode = ok ? 0 : 1;
  await api.close();
} finally {
  if (child !== undefined && child.exitCode === null) {
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
  await cluster.close();
  rmSync(stateDir, { recursive: true, force: true });
}
