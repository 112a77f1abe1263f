/** The fleet loop with 50,000 simulated pods that all work: pulls per second, CPU and memory of probe and decisions. */
import type { ModelDeployment } from '../crds/types.ts';
import { realClock } from '../kube/clock.ts';
import { createFleetLoop } from '../operator/controllers/fleet-loop.ts';
import { pod } from '../operator/model/scaling/testing/build.ts';
import { createProbe } from '../operator/probe/probe.ts';

const pods = Number(process.argv[2] ?? 50_000);
const perDeployment = Number(process.argv[3] ?? 50);
const seconds = Number(process.argv[4] ?? 30);
/** The share of deployments that get requests; the others rest. */
const busyShare = Number(process.argv[5] ?? 1);
const mostPulls = 3_000;

const clock = realClock;
const startMs = clock.monotonicMs();
const count = Math.ceil(pods / perDeployment);
const deployments = Array.from(
  { length: count },
  (_, index): ModelDeployment => ({
    apiVersion: 'ballast.dev/v1alpha1',
    kind: 'ModelDeployment',
    metadata: {
      name: `m-${index}`,
      namespace: 'fleet',
      uid: `u-${index}`,
      resourceVersion: '1',
      generation: 1,
    },
    spec: {
      model: { uri: 'file:///samples/wine/model.onnx' },
      sla: { latency: { p95: '50ms' }, window: '5m' },
      scaling: { mode: 'SLA', replicas: 1, minReplicas: 1, maxReplicas: 200 },
    },
  }),
);
const busyCount = Math.round(count * busyShare);

let pulls = 0;
const probe = createProbe({
  clock,
  random: Math.random,
  // What a pod answers, without the network: that part is bench:operator's.
  pull: async (origin) => {
    pulls += 1;
    const nowMs = clock.monotonicMs();
    const rate = Number(origin.split('-')[1]) < busyCount ? 20 : 0;
    const { reading } = pod(origin, nowMs, { rate, uptimeSeconds: 200 + (nowMs - startMs) / 1_000 });
    return reading === 'unknown'
      ? { failure: 'invalid', detail: '' }
      : { report: { ...reading.report, instance: origin } };
  },
});
probe.setTargets(
  deployments.flatMap(({ metadata: { name } }) =>
    Array.from({ length: perDeployment }, (_, index) => ({
      owner: `fleet/${name}`,
      pod: `${name}-${index}`,
      revision: 'a',
      ready: true,
      origin: `${name}-${index}`,
    })),
  ),
);
let woken = 0;
const rounds: number[] = [];
const loop = createFleetLoop({
  clock,
  deployments: () => deployments,
  facts: () => ({
    replicas: perDeployment,
    startingReplicas: 0,
    crashingReplicas: 0,
    blockedReplicas: 0,
    rolloutInProgress: false,
  }),
  readings: (key) => probe.readingsOf(key),
  enqueue: () => {
    woken += 1;
  },
  beforeRound: () => rounds.push(loop.lastRound().durationMs),
});

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
probe.start();
loop.start();
// The first time every pod is new; what is measured is the steady state after it.
await wait(Math.max(20_000, (1_000 * pods) / mostPulls));
const cpu = process.cpuUsage();
const atMs = performance.now();
const before = { pulls, woken };
rounds.length = 0;
await wait(seconds * 1_000);
const passed = (performance.now() - atMs) / 1_000;
const { user, system } = process.cpuUsage(cpu);
loop.stop();
await probe.stop();
const perSecond = (pulls - before.pulls) / passed;
const sorted = rounds.toSorted((one, other) => one - other);
console.log(
  `${count} ModelDeployments with ${perDeployment} pods each, ${Math.round(100 * busyShare)} % of them busy`,
);
console.log(`pulls per second     ${perSecond.toFixed(0)} (most ${mostPulls})`);
console.log(
  `CPU                  ${(100 * ((user + system) / 1e6 / passed)).toFixed(0)} % of a core, the simulated answers included`,
);
console.log(
  `memory               ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MB, the pods' last answers included`,
);
console.log(
  `a round              median ${(sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(0)} ms, longest ${(sorted.at(-1) ?? 0).toFixed(0)} ms (${rounds.length} rounds)`,
);
console.log(`reconciles asked for ${((woken - before.woken) / passed).toFixed(1)} per second`);
process.exitCode = perSecond <= mostPulls ? 0 : 1;
