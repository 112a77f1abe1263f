/**
 * How large a fleet the operator keeps within a memory limit: `npm run bench:fleet-memory`. The operator is a process as in
 * its image, with the heap that the chart gives it for the limit; the API server and the pods are made up.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../kube/log.ts';
import { podAnswers } from '../fleet-loop/answers.ts';
import { bundleOperator, startOperatorProcess } from '../operator/operator-process.ts';
import { fleetObjects } from './objects.ts';
import { serveFleet } from './server.ts';

const { values } = parseArgs({
  options: {
    /** LIMIT:DEPLOYMENTS:PODS with the limit in MiB, several with commas between. */
    cases: { type: 'string', default: '512:1000:1000,512:1000:3000,1024:2000:10000' },
    /** How long it is watched once every pod was asked. */
    seconds: { type: 'string', default: '60' },
    /** Share of the limit that is the heap, %: as charts/ballast/templates/deployment.yaml says. */
    heap: { type: 'string', default: '37.5' },
  },
});
const seconds = Number(values.seconds);
const root = join(import.meta.dirname, '../..');
/** A tenth of the limit is for what a run does not show. */
const room = 0.9;
/** Every pod gets so many requests a second. */
const podRate = 36;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const dir = mkdtempSync(join(tmpdir(), 'ballast-fleet-memory-'));
let failed = 0;
let bundle = '';

/** One server answers for all pods, each told by the address that it was called at. */
async function servePods(): Promise<{ port: number; stop(): void }> {
  const answer = podAnswers(() => podRate);
  const fromMs = performance.now();
  const server = createServer((request, response) => {
    const sinceMs = Number(new URL(request.url ?? '/', 'http://pod').searchParams.get('sinceMs') ?? 0);
    response.setHeader('content-type', 'application/json');
    response.end(answer(request.headers.host ?? '', performance.now() - fromMs, sinceMs));
  });
  server.keepAliveTimeout = 120_000;
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '0.0.0.0', () => resolve((server.address() as { port: number }).port));
  });
  return {
    port,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function runCase(limitMb: number, deployments: number, pods: number): Promise<void> {
  const heapMb = Math.floor((limitMb * Number(values.heap)) / 100);
  const podServer = await servePods();
  const lists = fleetObjects({ deployments, podsEach: Math.round(pods / deployments) }, podServer.port);
  const api = await serveFleet(lists, deployments);
  const kubeconfig = join(dir, 'kubeconfig');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'fleet',
      contexts: [{ name: 'fleet', context: { cluster: 'fleet', user: 'bench', namespace: 'default' } }],
      clusters: [{ name: 'fleet', cluster: { server: api.url } }],
      users: [{ name: 'bench', user: {} }],
    }),
  );
  const what = `${limitMb} MiB (heap ${heapMb}), ${deployments} ModelDeployments, ${pods} pods`;
  const operator = await startOperatorProcess(bundle, kubeconfig, [`--max-old-space-size=${heapMb}`], {
    'leader-elect': 'false',
  });
  try {
    const until = performance.now() + 600_000;
    for (let asked = 0; asked < pods; ) {
      await sleep(1_000);
      // Of a process that ended there is no memory to read; one that is only busy answers later.
      operator.memoryMb();
      const metrics = await operator.metrics().catch(() => undefined);
      if (metrics === undefined) continue;
      asked = metrics.sum('ballast_operator_probe_pulls_total');
      if (metrics.sum('ballast_operator_probe_targets') < pods) asked = 0;
      if (performance.now() > until) throw new Error(`only ${asked} of ${pods} pods were asked`);
    }
    const startPeakMb = operator.memoryMb().peak;
    const cpuBefore = operator.cpuSeconds();
    await sleep(1_000 * seconds);
    const metrics = await operator.metrics().catch(() => operator.metrics());
    const { now, peak } = operator.memoryMb();
    const cpu = (100 * (operator.cpuSeconds() - cpuBefore)) / seconds;
    const heapUsed = metrics.sum('ballast_operator_nodejs_heap_size_used_bytes') / 2 ** 20;
    const external = metrics.sum('ballast_operator_nodejs_external_memory_bytes') / 2 ** 20;
    const fits = peak <= room * limitMb;
    if (!fits) failed += 1;
    console.log(
      `${fits ? 'FITS  ' : 'MISSED'} ${what}: peak ${peak.toFixed(0)} MB (start ${startPeakMb.toFixed(0)}), now ${now.toFixed(0)}, heap ${heapUsed.toFixed(0)}, beside it ${external.toFixed(0)}; ${cpu.toFixed(0)} % of a core; writes ${JSON.stringify(Object.fromEntries(api.writes))}`,
    );
  } catch (error) {
    failed += 1;
    console.log(`MISSED ${what}: ${messageOf(error)}`);
    for (const line of operator.complaints.slice(-5)) console.log(`       ${line.slice(0, 300)}`);
  } finally {
    await operator.stop();
    api.stop();
    podServer.stop();
  }
}

try {
  bundle = await bundleOperator(root, join(dir, 'bundle'));
  for (const one of values.cases.split(',')) {
    const [limitMb = 0, deployments = 0, pods = 0] = one.split(':').map(Number);
    await runCase(limitMb, deployments, pods);
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
