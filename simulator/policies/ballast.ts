/** Ballast itself: the operator's `decide`, asked each second about what pods and gateway report on the wire. */
import type { GatewayLoadReport, GatewaySecond } from '../../crds/gateway-load.ts';
import { decide, initialState } from '../../operator/model/scaling/decide.ts';
import type {
  Decision,
  GatewayObservation,
  Observation,
  PodObservation,
  PodReading,
  ScalingInput,
} from '../../operator/model/scaling/types.ts';
import type { Chance } from '../chance.ts';
import { chance } from '../chance.ts';
import type { Deployment } from '../deployment.ts';
import type { Policy } from './policy.ts';

/** How readings reach the operator. */
export interface Pipeline {
  /** Each pod is asked this often, seconds. */
  readonly podPeriod: number;
  readonly gatewayPeriod: number;
  /** Answers that are lost, 0 to 1. */
  readonly loss: number;
  /** From the reading to its arrival, whole seconds. */
  readonly lag: number;
}

/** DESIGN §5: busy pods each 2 s; the gateway each second. */
export const defaultPipeline: Pipeline = { podPeriod: 2, gatewayPeriod: 1, loss: 0, lag: 0 };

const keptSeconds = 120;

/** What the gateways of a simulated deployment say together. */
export function gatewayReport(
  deployment: Deployment,
  model: string,
  recent: GatewaySecond[],
): GatewayLoadReport {
  const { seconds, config, now } = deployment;
  const last = seconds.at(-1);
  if (last !== undefined) {
    recent.push({
      endMs: seconds.length * 1_000,
      arrivals: last.arrivals,
      completions: last.completions,
      busySeconds: last.busySeconds,
      serviceCount: last.completions,
      serviceSumSeconds: last.serviceSum,
      serviceSumSquares: last.serviceSquares,
      succeeded: last.completions,
      clientErrors: 0,
      rejected: last.rejected,
      failed: 0,
      mostWaiting: last.mostWaiting,
    });
    if (recent.length > 2 * keptSeconds) recent.splice(0, recent.length - keptSeconds);
  }
  const oldest = deployment.queue.oldest;
  const outcomes = {
    succeeded: deployment.completions,
    clientErrors: 0,
    rejected: deployment.rejected,
    failed: 0,
    serviceCount: deployment.completions,
    serviceSumSeconds: deployment.serviceSum,
    serviceSumSquares: deployment.serviceSquares,
  };
  return {
    version: 1,
    instance: 'gateway',
    startedAtMs: 0,
    uptimeMs: now * 1_000,
    ready: true,
    draining: false,
    models: [
      {
        model,
        port: 20_000,
        counters: {
          ...outcomes,
          arrivals: deployment.arrivals,
          busySeconds: deployment.serviceSum,
          wakes: 0,
        },
        queueLength: deployment.queue.length,
        held: deployment.ready === 0 ? deployment.queue.length : 0,
        inFlight: deployment.inFlight,
        oldestWaitMs: oldest === Number.POSITIVE_INFINITY ? 0 : (now - oldest) * 1_000,
        latency: { boundsMs: deployment.boundsMs, counts: deployment.counts.slice() },
        seconds: recent.slice(-keptSeconds),
        revisions: [
          {
            ...outcomes,
            revision: 'r1',
            weight: 10_000,
            bound: deployment.completions + deployment.inFlight,
            inFlight: deployment.inFlight,
            readyPods: deployment.ready,
            asidePods: 0,
            slots: deployment.ready * config.slots,
            slotsPerPod: config.slots,
          },
        ],
      },
    ],
  };
}

export class BallastPolicy implements Policy {
  readonly name: string;
  why: string | undefined;
  /** Milliseconds that each decision took by the clock. */
  readonly decideMs: number[] = [];
  last: Decision | undefined;
  readonly #input: ScalingInput;
  readonly #pipeline: Pipeline;
  readonly #chance: Chance;
  readonly #clock: () => number;
  #state = initialState;
  readonly #readings = new Map<string, PodReading>();
  readonly #recent: GatewaySecond[] = [];
  #gateway: GatewayObservation | undefined;
  readonly #late: { dueAt: number; deliver: () => void }[] = [];
  readonly #startups: number[] = [];
  readonly #seenReady = new Set<string>();

  constructor(
    input: ScalingInput,
    seed: number,
    pipeline: Pipeline = defaultPipeline,
    clock: () => number = () => 0,
    name = 'ballast',
  ) {
    this.#input = input;
    this.#pipeline = pipeline;
    this.#chance = chance(seed, 5);
    this.#clock = clock;
    this.name = name;
  }

  tick(deployment: Deployment): number {
    const observation = this.observe(deployment);
    return this.decideOn(observation, deployment.now * 1_000).replicas;
  }

  /** One decision, remembered. */
  decideOn(observation: Observation, nowMs: number): Decision {
    const began = this.#clock();
    const decision = decide(this.#state, observation, this.#input, nowMs);
    this.decideMs.push(this.#clock() - began);
    this.#state = decision.next;
    this.why = decision.why.sentence;
    this.last = decision;
    return decision;
  }

  /** What the operator would see now: answers as old, as rare and as lossy as the pipeline makes them. */
  observe(deployment: Deployment): Observation {
    const { now, boundsMs } = deployment;
    const second = Math.round(now);
    const { podPeriod, gatewayPeriod, loss, lag } = this.#pipeline;
    const gatewayPath = deployment.config.balancing === 'gateway';
    for (const pod of deployment.pods) {
      if (pod.state !== 'ready' || (second + pod.index) % podPeriod !== 0) continue;
      if (loss > 0 && this.#chance.next() < loss) continue;
      const report = pod.report(now, boundsMs);
      this.#deliver(now, lag, () =>
        this.#readings.set(pod.name, { report, readAtMs: (now + lag) * 1_000, periodMs: podPeriod * 1_000 }),
      );
    }
    if (gatewayPath) {
      const report = gatewayReport(deployment, 'model', this.#recent);
      if (second % gatewayPeriod === 0 && !(loss > 0 && this.#chance.next() < loss))
        this.#deliver(now, lag, () => {
          this.#gateway = {
            gateway: 'gateway-0',
            report,
            readAtMs: (now + lag) * 1_000,
            periodMs: gatewayPeriod * 1_000,
          };
        });
    }
    while ((this.#late[0]?.dueAt ?? Number.POSITIVE_INFINITY) <= now) this.#late.shift()?.deliver();
    const pods: PodObservation[] = [];
    for (const pod of deployment.pods) {
      if (pod.state !== 'ready' && pod.state !== 'starting') continue;
      const ready = pod.state === 'ready';
      if (ready && !this.#seenReady.has(pod.name)) {
        this.#seenReady.add(pod.name);
        if (pod.readyAt > pod.createdAt) this.#startups.push(pod.readyAt - pod.createdAt);
      }
      pods.push({ pod: pod.name, revision: 'r1', ready, reading: this.#readings.get(pod.name) ?? 'unknown' });
    }
    if (this.#readings.size > 2 * pods.length + 16) {
      const living = new Set(pods.map(({ pod }) => pod));
      for (const name of this.#readings.keys()) if (!living.has(name)) this.#readings.delete(name);
    }
    return {
      replicas: deployment.replicas,
      startingReplicas: deployment.starting,
      crashingReplicas: 0,
      blockedReplicas: deployment.pending,
      rolloutInProgress: false,
      pods,
      startups: this.#startups.slice(-50),
      ...(gatewayPath ? { expectedGateways: 1 } : {}),
      ...(this.#gateway === undefined ? {} : { gateways: [this.#gateway] }),
    };
  }

  #deliver(now: number, lag: number, deliver: () => void): void {
    if (lag === 0) deliver();
    else this.#late.push({ dueAt: now + lag, deliver });
  }
}
