/** Model files that are nearly right: the inspection must refuse or take each within bounds, and a pod that gets one serves or ends itself. */

import { memorySource } from '../../../inference-pod/inspect/byte-source.ts';
import { inspectSource } from '../../../inference-pod/inspect/inspect-model.ts';
import { ModelError } from '../../../inference-pod/inspect/model-error.ts';
import { externalTable } from '../../../inference-pod/testing/external.ts';
import {
  classifier,
  lookupTable,
  nested,
  reciprocal,
  twoInputs,
  zipMap,
} from '../../../inference-pod/testing/models.ts';
import { makePodDirectory, spawnPod, until } from '../../../inference-pod/testing/pod.ts';
import { chance, type Random } from '../../kube/differential/chance.ts';
import { memoryLimitMb } from '../ground.ts';
import type { FuzzResult } from './bodies.ts';
import { mutateBytes } from './mutate.ts';

const longestInspectionMs = 2_000;
const originals = () => [
  classifier(),
  zipMap(),
  twoInputs(),
  lookupTable(),
  reciprocal(),
  nested(5),
  externalTable({ location: 'w.bin' }),
];

const nearly = (random: Random, models: readonly Uint8Array[]) => mutateBytes(random, random.pick(models), 4);

const inspect = (bytes: Uint8Array): 'taken' | 'refused' | string => {
  const from = performance.now();
  let outcome = 'taken';
  try {
    inspectSource(memorySource(bytes));
  } catch (error) {
    outcome = error instanceof ModelError ? 'refused' : `the inspection failed: ${String(error)}`;
  }
  const ms = performance.now() - from;
  return ms > longestInspectionMs ? `the inspection took ${Math.round(ms)} ms` : outcome;
};

const serve = async (bytes: Uint8Array): Promise<{ outcome: string; problem?: string }> => {
  const directory = makePodDirectory(bytes);
  const pod = spawnPod('serve', {
    ...directory.env,
    BALLAST_HANG_LIMIT_MS: '1000',
    BALLAST_MEMORY_LIMIT_BYTES: String(memoryLimitMb * 2 ** 20),
  });
  try {
    let end: { code: number | null; signal: string | null } | undefined;
    void pod.exited.then((result) => {
      end = result;
    });
    const { ops } = await pod.ports().catch(() => ({ ops: 0 }));
    await until(async () => {
      if (end !== undefined) return true;
      const [ready, live] = await Promise.all(
        ['readyz', 'livez'].map(
          async (path) => (await fetch(`http://127.0.0.1:${ops}/${path}`).catch(() => undefined))?.status,
        ),
      );
      return ready === 200 && live === 200;
    }, 60_000).catch(() => undefined);
    if (end === undefined) {
      const ready = await fetch(`http://127.0.0.1:${ops}/readyz`).catch(() => undefined);
      return ready?.status === 200
        ? { outcome: 'served' }
        : { outcome: 'stuck', problem: 'neither serves nor ends' };
    }
    const reason = directory.termination()?.reason;
    if (reason !== undefined) return { outcome: reason };
    // onnxruntime crashed: that ends its own pod, and Kubernetes shows the log's last lines.
    return end.signal === null
      ? { outcome: 'ended', problem: `ended with ${end.code} and no reason` }
      : { outcome: `crashed ${end.signal}` };
  } finally {
    pod.child.kill('SIGKILL');
    await pod.exited;
    directory.remove();
  }
};

/** Inspects mutated models for so long, and serves some of those that pass. */
export const fuzzModels = async (seed: number, forMs: number, mostServed: number): Promise<FuzzResult> => {
  const random = chance(seed);
  const models = originals();
  const statuses: Record<string, number> = {};
  const problems: string[] = [];
  const before = process.memoryUsage.rss();
  let requests = 0;
  let served = 0;
  const until = performance.now() + forMs;
  while (performance.now() < until && problems.length < 5) {
    const bytes = nearly(random, models);
    requests += 1;
    const outcome = inspect(bytes);
    statuses[outcome] = (statuses[outcome] ?? 0) + 1;
    if (outcome !== 'taken' && outcome !== 'refused')
      problems.push(`model ${requests}: ${outcome}: ${bytes.toString('base64')}`);
    // One in fifty of those that pass, spread over the whole run.
    if (outcome === 'taken' && served < mostServed && random.chance(0.02)) {
      served += 1;
      const result = await serve(bytes);
      statuses[result.outcome] = (statuses[result.outcome] ?? 0) + 1;
      if (result.problem !== undefined)
        problems.push(`model ${requests}: ${result.problem}: ${bytes.toString('base64')}`);
    }
    if (requests % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const peakMb = (process.memoryUsage.rss() - before) / 2 ** 20;
  return { requests, statuses, peakMb, problems };
};
