/** Discrete events around the real `decide`: Poisson arrivals, random balancing, pods that take a while to start. */
import type { LoadReport } from '../../../../crds/wire.ts';
import { decide, initialState } from '../decide.ts';
import type { PodObservation, PodReading, ScalingInput, ScalingState, Why } from '../types.ts';
import { SimulatedPod } from './pod.ts';
import { seededRandom } from './random.ts';

/** Bound once, as in `random.ts`. */
const { floor } = Math;
const infinite = Number.POSITIVE_INFINITY;

export interface Scenario {
  readonly input: ScalingInput;
  readonly seconds: number;
  /** Arrivals per second at a time, and the largest it ever is. */
  readonly rate: (second: number) => number;
  readonly peakRate: number;
  readonly serviceMs: number;
  readonly serviceScv?: number;
  readonly slots?: number;
  readonly startMs?: readonly [least: number, most: number];
  readonly initialReplicas?: number;
  /** Pods that the nodes have room for at a time; default: any number. */
  readonly places?: (second: number) => number;
  readonly pullEveryMs?: number;
  readonly seed?: number;
  /** What becomes of one pod's answer: undefined when it is lost. */
  readonly pull?: (
    report: LoadReport,
    pod: SimulatedPod,
    atMs: number,
    chance: () => number,
  ) => LoadReport | undefined;
  /** Called each second before the decision, to do things to the world. */
  readonly each?: (world: { second: number; pods: readonly SimulatedPod[]; forget: () => void }) => void;
}

export interface Outcome {
  readonly requests: number;
  /** Latency in milliseconds of each request and when it arrived. */
  readonly latencies: readonly { readonly atMs: number; readonly ms: number }[];
  /** Asked replicas after each second. */
  readonly replicas: readonly number[];
  /** Pods without a node after each second. */
  readonly waiting: readonly number[];
  readonly whys: readonly Why[];
  readonly replicaSeconds: number;
  lateShare(targetMs: number, fromSecond?: number, toSecond?: number): number;
  /** How often the count went up, down and up again inside two minutes. */
  readonly flaps: number;
}

/** Counts turns of direction that undo a change of the other direction within `withinSeconds`, twice. */
export function countFlaps(replicas: readonly number[], withinSeconds = 120): number {
  const turns: { at: number; up: boolean }[] = [];
  for (let at = 1; at < replicas.length; at += 1) {
    const change = (replicas[at] ?? 0) - (replicas[at - 1] ?? 0);
    if (change === 0) continue;
    if (turns.at(-1)?.up === change > 0) turns.pop();
    turns.push({ at, up: change > 0 });
  }
  let flaps = 0;
  for (let index = 2; index < turns.length; index += 1) {
    const first = turns[index - 2];
    const last = turns[index];
    if (first?.up && last?.up && last.at - first.at <= withinSeconds) flaps += 1;
  }
  return flaps;
}

/** Runs a scenario to its end. */
export function simulate(scenario: Scenario): Outcome {
  const random = seededRandom(scenario.seed ?? 1);
  const [leastStart, mostStart] = scenario.startMs ?? [1_000, 3_000];
  const pullEveryMs = scenario.pullEveryMs ?? 2_000;
  const slots = scenario.slots ?? 1;
  let pods: SimulatedPod[] = [];
  let made = 0;
  const addPod = (atMs: number, readyAtMs: number) => {
    made += 1;
    pods.push(new SimulatedPod(`pod-${made}`, atMs, readyAtMs, slots, 'r1'));
  };
  for (let index = 0; index < (scenario.initialReplicas ?? 1); index += 1) addPod(0, 0);
  const readings = new Map<string, PodReading>();
  const nextPull = new Map<string, number>();
  let state: ScalingState = initialState;
  const latencies: { atMs: number; ms: number }[] = [];
  const replicas: number[] = [];
  const waiting: number[] = [];
  let unplaced = 0;
  const whys: Why[] = [];
  let replicaSeconds = 0;
  let arrivalMs = random.exponential(1_000 / scenario.peakRate);

  for (let second = 0; second < scenario.seconds; second += 1) {
    const endMs = (second + 1) * 1_000;
    for (; arrivalMs < endMs; arrivalMs += random.exponential(1_000 / scenario.peakRate)) {
      if (random.next() * scenario.peakRate >= scenario.rate(arrivalMs / 1_000)) continue;
      const at = arrivalMs;
      const ready = pods.every((pod) => pod.readyAtMs <= at)
        ? pods
        : pods.filter((pod) => pod.readyAtMs <= at);
      const pod = ready[floor(random.next() * ready.length)];
      const serviceMs = random.lognormal(scenario.serviceMs, scenario.serviceScv ?? 0.1);
      latencies.push({
        atMs: at,
        ms: pod === undefined ? infinite : pod.offer(at, serviceMs) - at,
      });
    }
    const forget = () => {
      state = initialState;
    };
    scenario.each?.({ second, pods, forget });
    for (const pod of pods) {
      const due = nextPull.get(pod.name) ?? pod.startMs + random.next() * pullEveryMs;
      if (due > endMs) {
        nextPull.set(pod.name, due);
        continue;
      }
      nextPull.set(pod.name, endMs + pullEveryMs * (0.9 + 0.2 * random.next()));
      const report = pod.report(endMs);
      const seen = scenario.pull === undefined ? report : scenario.pull(report, pod, endMs, random.next);
      if (seen !== undefined)
        readings.set(pod.name, { report: seen, readAtMs: endMs, periodMs: pullEveryMs });
    }
    const observed = pods.map(
      (pod): PodObservation => ({
        pod: pod.name,
        revision: pod.revision,
        ready: pod.readyAtMs <= endMs,
        reading: readings.get(pod.name) ?? 'unknown',
      }),
    );
    const decision = decide(
      state,
      {
        replicas: pods.length + unplaced,
        startingReplicas: observed.filter((pod) => !pod.ready).length,
        crashingReplicas: 0,
        blockedReplicas: unplaced,
        rolloutInProgress: false,
        pods: observed,
      },
      scenario.input,
      endMs,
    );
    state = decision.next;
    whys.push(decision.why);
    replicas.push(decision.replicas);
    replicaSeconds += pods.length;
    const places = Math.min(decision.replicas, scenario.places?.(second) ?? infinite);
    while (pods.length < places) addPod(endMs, endMs + leastStart + random.next() * (mostStart - leastStart));
    pods = pods.slice(0, decision.replicas);
    unplaced = decision.replicas - pods.length;
    waiting.push(unplaced);
  }
  return {
    requests: latencies.length,
    latencies,
    replicas,
    waiting,
    whys,
    replicaSeconds,
    lateShare(targetMs, fromSecond = 0, toSecond = scenario.seconds) {
      const inside = latencies.filter(({ atMs }) => atMs >= fromSecond * 1_000 && atMs < toSecond * 1_000);
      return inside.filter(({ ms }) => ms + 0.5 > targetMs).length / Math.max(1, inside.length);
    },
    flaps: countFlaps(replicas),
  };
}
