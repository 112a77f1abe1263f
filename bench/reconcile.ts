/** `npm run bench:reconcile [-- ROUNDS]`: what a reconcile with nothing to do costs: real gather, plan and execute over filled caches, an API that refuses every call. */

import { labels } from '../crds/constants.ts';
import type { ModelDeployment } from '../crds/types.ts';
import type { KubeApi } from '../kube/api.ts';
import { ConsistencyTracker } from '../kube/consistency.ts';
import { MetricsRegistry } from '../kube/metrics.ts';
import type { KubeObject } from '../kube/objects.ts';
import { byLabel, Store } from '../kube/store.ts';
import { type Caches, ofDeployment } from '../operator/controllers/caches.ts';
import { Memories } from '../operator/controllers/memory.ts';
import { reconcileModelDeployment } from '../operator/controllers/model-deployment.ts';
import { testDefaults } from '../operator/model/testing/builders.ts';
import { World } from '../operator/model/testing/world.ts';

const targetMs = 1;
const rounds = Number(process.argv[2] ?? 2_000);

/** A settled ModelDeployment `wine` with as many ready pods, as caches hold it. */
function settled(replicas: number): { caches: Caches; nowMs: number } {
  const world = new World(replicas, {
    model: { uri: 'file:///samples/wine/model.onnx' },
    sla: { latency: { p95: '50ms', p99: '100ms' }, errorRate: '0.1%', window: '5m' },
  });
  world.settle();
  world.nowMs += 120_000;
  world.settle();
  const storeOf = <T extends KubeObject>(objects: readonly T[]) => {
    const store = new Store<T>({ [ofDeployment]: byLabel(labels.deployment) });
    store.replaceAll(objects, '1');
    return { store };
  };
  const children = world.children();
  const caches = {
    ...Object.fromEntries(
      Object.entries(children).map(([kind, objects]) => [kind, storeOf(objects as readonly KubeObject[])]),
    ),
    modelDeployments: storeOf([world.deployment as ModelDeployment & KubeObject]),
    replicaSets: storeOf([]),
    pods: storeOf(world.pods),
    endpointSlices: storeOf([]),
  };
  return { caches: caches as unknown as Caches, nowMs: world.nowMs };
}

let calls = 0;
const api = new Proxy({} as KubeApi, {
  get: () => () => {
    calls += 1;
    return Promise.reject(new Error('a reconcile with nothing to do asked something of the API server'));
  },
});

let failed = false;
for (const replicas of [1, 3, 20, 100]) {
  const { caches, nowMs } = settled(replicas);
  const reconcile = reconcileModelDeployment({
    api,
    observer: new MetricsRegistry(),
    consistency: new ConsistencyTracker(),
    recorder: {
      record: () => {
        calls += 1;
      },
    },
    conflicts: { set() {} },
    caches,
    memories: new Memories(),
    defaults: testDefaults,
    readScaling: () => undefined,
    nowMs: () => nowMs,
  });
  const once = () => reconcile('shop/wine', { signal: new AbortController().signal, failures: 0 });
  for (let round = 0; round < rounds / 4; round++) await once();
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round++) await once();
  const { user, system } = process.cpuUsage(before);
  const meanMs = (user + system) / 1_000 / rounds;
  failed ||= meanMs >= targetMs || calls > 0;
  console.log(
    `${String(replicas).padStart(3)} replicas: ${meanMs.toFixed(3)} ms of CPU per reconcile, ${calls} calls to the API server`,
  );
}
console.log(
  failed ? `FAILED: the target is below ${targetMs} ms and no call` : `ok: below ${targetMs} ms and no call`,
);
process.exitCode = failed ? 1 : 0;
