/**
 * `npm run bench:operator`: N ModelDeployments at once on a real control plane with simulated nodes, beside the limit:
 * the same children by plain parallel server-side apply. Each run has a fresh control plane.
 */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { durationMs } from '../../crds/values.ts';
import { startCluster } from './cluster.ts';
import { runLimit } from './limit-run.ts';
import { bundleOperator } from './operator-process.ts';
import { runOperator } from './operator-run.ts';
import { bestPodMode, type PodAddresses, podModes, usePodAddresses } from './pod-addresses.ts';
import { type Pair, printReport } from './report.ts';

const root = join(import.meta.dirname, '../..');
const { values } = parseArgs({
  allowNegative: true,
  options: {
    n: { type: 'string', default: '100,1000' },
    rest: { type: 'string', default: '300s' },
    repeat: { type: 'string', default: '' },
    out: { type: 'string', default: '' },
    pods: { type: 'string', default: bestPodMode() },
    limit: { type: 'boolean', default: true },
    'node-flags': { type: 'string', default: '' },
  },
});
const restMs = durationMs(values.rest);
const counts = values.n.split(',').map(Number);
const nodeFlags = values['node-flags'].split(' ').filter((flag) => flag !== '');

const say = (line: string) => {
  console.log(line);
  if (values.out !== '') appendFileSync(values.out, `${line}\n`);
};

/** Short runs vary more: their median of three is quoted. */
const repeatsOf = (count: number) => (values.repeat === '' ? (count <= 200 ? 3 : 1) : Number(values.repeat));

const podMode = podModes.find((mode) => mode === values.pods);
if (podMode === undefined) throw new Error(`--pods ${values.pods}: one of ${podModes.join(', ')}`);

const directory = mkdtempSync(join(tmpdir(), 'ballast-bench-operator-'));
try {
  const bundle = await bundleOperator(root, join(directory, 'bundle'));
  let missed = 0;
  for (const count of counts) {
    const pairs: Pair[] = [];
    for (let round = 1; round <= repeatsOf(count); round++) {
      say(`${count} ModelDeployments, round ${round} of ${repeatsOf(count)}`);
      const last = round === repeatsOf(count);
      let cluster = await startCluster(root, count);
      let operator: Pair['operator'];
      let addresses: PodAddresses | undefined;
      try {
        addresses = await usePodAddresses(podMode, cluster.podRange);
        operator = await runOperator({ cluster, bundle, count, restMs: last ? restMs : 0, say, nodeFlags });
      } finally {
        addresses?.stop();
        await cluster.stop();
      }
      if (!values.limit) {
        pairs.push({ operator, limit: undefined });
        continue;
      }
      cluster = await startCluster(root, count);
      try {
        const limit = await runLimit(cluster, operator.dump);
        say(`  the limit: ${limit.readySeconds.toFixed(1)} s`);
        pairs.push({ operator, limit });
      } finally {
        await cluster.stop();
      }
    }
    say(`pods: ${podMode}`);
    missed += printReport(count, pairs, say);
  }
  process.exitCode = missed === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
