/**
 * One case: the operator's probes and its fleet loop over simulated pods, in this process. Time is a held clock that is moved
 * as fast as the work allows, so what is measured (CPU time per second of the world, pulls, delays) does not depend on what
 * else the machine does.
 */
import { parseGatewayReport } from '../../crds/gateway-load.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import { type Clock, HeldClock } from '../../kube/clock.ts';
import { createFleetLoop } from '../../operator/controllers/fleet-loop.ts';
import { createGatewayProbe } from '../../operator/probe/gateway-probe.ts';
import { createProbe } from '../../operator/probe/probe.ts';
import type { PullOf } from '../../operator/probe/pull.ts';
import { parseReport } from '../../operator/probe/report.ts';
import { gatewayAnswers, podAnswers, type Rate } from './answers.ts';

export interface Case {
  readonly deployments: number;
  readonly podsEach: number;
  readonly seconds: number;
  /** The share of deployments that get requests; the others rest. */
  readonly busyShare: number;
  /** Requests come through gateways, three for each hundred models. */
  readonly gateways: boolean;
  /** So many deployments get three times as many requests, one after the other. */
  readonly bursts: number;
}

export interface Figures {
  readonly pullsPerSecond: number;
  readonly gatewayPullsPerSecond: number;
  /** Of one core, the making of the answers left out. */
  readonly cpuShare: number;
  readonly rssMb: number;
  /** CPU time that a timer of the probes or the loop, or the reading of an answer, holds up everything else. */
  readonly stretchP99Ms: number;
  readonly stretchMaxMs: number;
  /** CPU time of one whole round of decide and allocate. */
  readonly roundCpuMs: number;
  readonly decided: number;
  readonly wokenPerSecond: number;
  readonly freshShare: number;
  /** Deployments whose count fell below what the load needs. */
  readonly lowered: number;
  /** Seconds from the first request of a burst to the decision for more. */
  readonly burstSeconds: readonly number[];
}

const namespaceOf = (index: number) => `fleet-${Math.floor(index / 100)}`;
/** About as many as 50 pods of 12 ms are needed for. */
const podRate = 36;
const burstEverySeconds = 3;

const stepMs = 20;
/** A pull's answer goes through this many turns of the microtask queue, and each makes room for the next pull. */
const turns = 60;

const threadCpuMs = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

function deploymentOf(index: number, { gateways }: Case): ModelDeployment {
  return {
    apiVersion: 'ballast.dev/v1alpha1',
    kind: 'ModelDeployment',
    metadata: {
      name: `m-${index}`,
      namespace: namespaceOf(index),
      uid: `u-${index}`,
      resourceVersion: '1',
      generation: 1,
    },
    spec: {
      model: { uri: 'file:///samples/wine/model.onnx' },
      sla: { latency: { p95: '50ms' }, window: '5m' },
      scaling: { mode: 'SLA', replicas: 1, minReplicas: 1, maxReplicas: 400 },
    },
    ...(gateways
      ? { status: { traffic: { path: 'Gateway', since: '', reason: 'Asked', message: '' } } }
      : {}),
  };
}

/** Runs the case and measures it once every pod was asked. */
export async function runCase(one: Case): Promise<Figures> {
  const held = new HeldClock();
  const stretches: number[] = [];
  const clock: Clock = {
    now: () => held.now(),
    monotonicMs: () => held.monotonicMs(),
    setTimer: (ms, fn) =>
      // As the platform's timers: never in the same turn.
      held.setTimer(Math.max(1, ms), () => {
        const fromMs = threadCpuMs();
        fn();
        stretches.push(threadCpuMs() - fromMs);
      }),
  };
  const worldMs = () => held.monotonicMs();
  const pass = async (ms: number, each?: () => void) => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      held.advance(stepMs);
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      each?.();
      // Time for the collector and whatever else Node does between turns.
      if (passed % 1_000 === 0) await new Promise(setImmediate);
    }
  };
  const count = one.deployments;
  const deployments = Array.from({ length: count }, (_, index) => deploymentOf(index, one));
  const warmMs = 90_000;
  const burstAt = (index: number) => Math.ceil(warmMs / 1_000) + 5 + index * burstEverySeconds;
  const rateOf = (index: number): Rate => {
    if (index >= Math.round(count * one.busyShare)) return () => 0;
    if (index >= one.bursts) return () => podRate;
    return (second) => (second < burstAt(index) ? podRate : 3 * podRate);
  };
  const steady = podAnswers(() => podRate);
  const idle = podAnswers(() => 0);
  const answers = Array.from({ length: count }, (_, index) => {
    if (index < one.bursts) return podAnswers(rateOf(index));
    return index < Math.round(count * one.busyShare) ? steady : idle;
  });

  let makingMs = 0;
  let pulls = 0;
  let gatewayPulls = 0;
  const made = (text: () => string): string => {
    const fromMs = threadCpuMs();
    const answer = text();
    makingMs += threadCpuMs() - fromMs;
    return answer;
  };
  /** What comes of a text, in a turn of its own as an answer of the network. */
  const parsed = async <Report>(
    text: () => string,
    parse: (body: string) => { readonly report: Report } | { readonly refused: string },
  ): Promise<PullOf<Report>> => {
    await Promise.resolve();
    const body = made(text);
    const fromMs = threadCpuMs();
    const result = parse(body);
    stretches.push(threadCpuMs() - fromMs);
    return 'refused' in result ? { failure: 'invalid', detail: result.refused } : { report: result.report };
  };

  const probe = createProbe({
    clock,
    random: Math.random,
    pull: async (origin, _signal, query) => {
      pulls += 1;
      const answer = answers[Number(origin.split('-')[1])];
      const sinceMs = Number(query.split('=')[1] ?? 0);
      return parsed(() => answer?.(origin, worldMs(), sinceMs) ?? '', parseReport);
    },
  });
  probe.setTargets(
    deployments.flatMap(({ metadata: { name, namespace } }) =>
      Array.from({ length: one.podsEach }, (_, index) => ({
        owner: `${namespace}/${name}`,
        pod: `${name}-${index}`,
        revision: 'a',
        ready: true,
        origin: `${name}-${index}`,
      })),
    ),
  );
  const namespaces = Math.ceil(count / 100);
  const gatewaysEach = 3;
  const told = Array.from({ length: namespaces }, (_, namespace) =>
    gatewayAnswers(
      deployments.slice(namespace * 100, namespace * 100 + 100).map(({ metadata }) => metadata.name),
      () => Math.round((podRate * one.podsEach) / gatewaysEach),
    ),
  );
  const gatewayProbe = createGatewayProbe({
    clock,
    random: Math.random,
    pull: async (origin, _signal, query) => {
      gatewayPulls += 1;
      const answer = told[Number(origin.split('-')[1])];
      const sinceMs = Number(query.split('=')[1] ?? 0);
      return parsed(() => answer?.(origin, worldMs(), sinceMs) ?? '', parseGatewayReport);
    },
  });
  if (one.gateways)
    gatewayProbe.setTargets(
      Array.from({ length: namespaces * gatewaysEach }, (_, index) => ({
        namespace: `fleet-${Math.floor(index / gatewaysEach)}`,
        gateway: `g-${index}`,
        ready: true,
        origin: `g-${Math.floor(index / gatewaysEach)}-${index}`,
      })),
    );

  let woken = 0;
  const loop = createFleetLoop({
    clock,
    deployments: () => deployments,
    facts: ({ metadata }) => ({
      replicas: loop.known(metadata.uid)?.replicas ?? one.podsEach,
      startingReplicas: 0,
      crashingReplicas: 0,
      blockedReplicas: 0,
      rolloutInProgress: false,
    }),
    readings: (key) => probe.readingsOf(key),
    hurry: (key, hurried) => probe.setHurried(key, hurried),
    held: (key, isHeld) => probe.setHeld(key, isHeld),
    ...(one.gateways ? { gateways: gatewayProbe.readingsOf } : {}),
    enqueue: () => {
      woken += 1;
    },
  });
  probe.start();
  if (one.gateways) gatewayProbe.start();
  loop.start();
  await pass(warmMs);

  stretches.length = 0;
  const before = { cpu: process.cpuUsage(), pulls, gatewayPulls, woken, makingMs };
  const bursts = Array.from({ length: one.bursts }, (_, index) => ({ uid: `u-${index}`, index }));
  const took = new Map<number, number>();
  const usual = new Map<number, number>();
  const passed = Math.max(one.seconds, one.bursts === 0 ? 0 : 10 + one.bursts * burstEverySeconds);
  await pass(passed * 1_000, () => {
    for (const { uid, index } of bursts) {
      const nowSeconds = worldMs() / 1_000;
      const replicas = loop.known(uid)?.replicas ?? 0;
      if (nowSeconds < burstAt(index)) usual.set(index, replicas);
      else if (!took.has(index) && replicas > (usual.get(index) ?? 0))
        took.set(index, nowSeconds - burstAt(index));
    }
  });
  const { user, system } = process.cpuUsage(before.cpu);
  const rssMb = process.memoryUsage().rss / 2 ** 20;
  const cpuSeconds = (user + system) / 1e6 - (makingMs - before.makingMs) / 1_000;
  const sorted = stretches.toSorted((a, b) => a - b);
  const after = { pulls, gatewayPulls, woken };
  // Rounds at a stretch, beside those in slices, each a second after the last: with as many new answers as ever.
  const rounds: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    await pass(1_000);
    const fromMs = threadCpuMs();
    loop.round();
    rounds.push(threadCpuMs() - fromMs);
  }
  const roundCpuMs = rounds.sort((a, b) => a - b)[2] ?? Number.NaN;
  await probe.stop();
  await gatewayProbe.stop();
  loop.stop();

  let fresh = 0;
  let ready = 0;
  let lowered = 0;
  for (const { metadata } of deployments) {
    const known = loop.known(metadata.uid);
    fresh += known?.measured.freshPods ?? 0;
    ready += known?.measured.readyPods ?? 0;
    const needed = known?.why.needed;
    if (typeof needed === 'number' && (known?.replicas ?? 0) < needed) lowered += 1;
  }
  return {
    pullsPerSecond: (after.pulls - before.pulls) / passed,
    gatewayPullsPerSecond: (after.gatewayPulls - before.gatewayPulls) / passed,
    cpuShare: cpuSeconds / passed,
    rssMb,
    stretchP99Ms: sorted[Math.floor(0.99 * (sorted.length - 1))] ?? 0,
    stretchMaxMs: sorted.at(-1) ?? 0,
    roundCpuMs,
    decided: loop.lastRound().decided,
    wokenPerSecond: (after.woken - before.woken) / passed,
    freshShare: fresh / Math.max(1, ready),
    lowered,
    burstSeconds: bursts.map(({ index }) => took.get(index) ?? Number.POSITIVE_INFINITY),
  };
}
