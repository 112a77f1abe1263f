/** Whether the hop through the gateway pays for a model: CPU for CPU, at the most that its replicas carry without it. Pure. */
import { figure, promise, seconds } from '../scaling/explain.ts';
import { lateShare, lateShareWhenIdle, overheadSeconds, type QueueModel } from '../scaling/queueing.ts';
import { busiestAllowed, shareOf, sizeFor } from '../scaling/sizing.ts';
import type { LatencyTarget, ServiceEstimate } from '../scaling/types.ts';

/**
 * CPU of the hop per request, where no gateway has measured it. `npm run bench:gateway` prints 47 µs for HTTP/1.1 with 100
 * bytes, 88 µs for gRPC and 116 µs for HTTP/1.1 with 64 KiB (2 quiet cores); which of them a model's callers send is not
 * known when this is asked: the dearest.
 */
export const hopCpuSeconds = 116e-6;

/** Gateways are paid for with room to spare: half of their CPU stays free for bursts and for the one that is replaced. */
const gatewayBusy = 0.5;

/** The gateway must save a fifth: the estimates of the service time and of the two ways are no better than that. */
const worthShare = 0.8;

/** What the two ways are weighed by. */
export interface HopFacts {
  readonly service: ServiceEstimate;
  /** Requests that one replica serves at once. */
  readonly slots: number;
  readonly latency: readonly LatencyTarget[];
  /** The most that may run. */
  readonly maxReplicas: number;
  /** CPUs that one replica asks for. */
  readonly cpuPerReplica: number;
  /** CPUs that the gateway's pods ask for together, busy or not. */
  readonly gatewayCpus: number;
  /** CPU of the hop per request, where gateways have measured it for this model; absent: what the bench prints. */
  readonly hopCpuSeconds?: number | undefined;
}

export interface HopVerdict {
  readonly path: 'Gateway' | 'Direct';
  /** Why this path, with its arithmetic. */
  readonly sentence: string;
  /** What was weighed; undefined where there was nothing to weigh. */
  readonly weighed?: {
    /** The most that `maxReplicas` carry within every promise through the gateway, requests per second. */
    readonly ratePerSecond: number;
    /** Replicas that this rate needs without the gateway, though they may be more than may run. */
    readonly directReplicas: number;
    /** CPUs that this rate takes without the gateway, and with it, the gateway's own among them. */
    readonly directCpus: number;
    readonly throughCpus: number;
  };
}

/** Promises that one replica keeps while it has nothing else to do; the others no path keeps. */
function feasible({ service, slots }: HopFacts, latency: readonly LatencyTarget[]): readonly LatencyTarget[] {
  const idle: QueueModel = { service, slots, burstiness: 1, balancing: 'random' };
  return latency.filter(
    ({ percentile, targetMs }) =>
      targetMs > 0 && lateShareWhenIdle(idle, targetMs / 1_000) <= 1 - shareOf[percentile],
  );
}

/** The highest rate that `replicas` carry within every promise, requests per second. */
function mostRate(model: QueueModel, replicas: number, latency: readonly LatencyTarget[]): number {
  const keeps = (rate: number) =>
    latency.every(
      ({ percentile, targetMs }) =>
        lateShare(model, rate, replicas, targetMs / 1_000) <= 1 - shareOf[percentile],
    );
  let low = 0;
  let high = (busiestAllowed(model, replicas) * replicas * model.slots) / model.service.meanSeconds;
  if (keeps(high)) return high;
  for (let step = 0; step < 24; step += 1) {
    const middle = (low + high) / 2;
    if (keeps(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * | promised latency that can be kept | maxReplicas | CPUs with the gateway, at the most that it carries | path    |
 * | none                              | any         | any                                                | Direct  |
 * | some                              | 1           | any                                                | Direct  |
 * | some                              | ≥ 2         | > 0.8 times those without                          | Direct  |
 * | some                              | ≥ 2         | ≤ 0.8 times those without                          | Gateway |
 *
 * Random choice, which is what a Service does, keeps a tight promise at a third of the pods' time; one queue for all keeps
 * it at two to three times that (docs/explanation/traffic-path.md: 0.32 against 0.74 to 0.95 at 4 to 32 replicas). The pods
 * that this saves must be worth more than the hop.
 */
export function weighHop(facts: HopFacts): HopVerdict {
  const { service, slots, maxReplicas, cpuPerReplica, gatewayCpus } = facts;
  const straight = (sentence: string): HopVerdict => ({ path: 'Direct', sentence });
  if (maxReplicas < 2) return straight('one replica at most may run: there is nothing to choose between');
  if (facts.latency.length === 0)
    return straight('no latency is promised (sla.latency), so the gateway saves no replica');
  const latency = feasible(facts, facts.latency);
  const took = `a request takes a replica ${seconds(service.meanSeconds)}`;
  if (latency.length === 0) return straight(`${took}: no way keeps the promised latency`);
  // The gateway's own parsing and answering is one HTTP stack more.
  const within = latency.map((target) => ({
    ...target,
    targetMs: target.targetMs - overheadSeconds * 1_000,
  }));
  if (feasible(facts, within).length < latency.length)
    return straight(`${took}: with the hop the promised latency cannot be kept`);

  // Poisson arrivals: how bursty callers are belongs to the load, which comes and goes.
  const model = { service, slots, burstiness: 1 };
  const ratePerSecond = mostRate({ ...model, balancing: 'least-outstanding' }, maxReplicas, within);
  const { replicas: directReplicas } = sizeFor({
    ratePerSecond,
    floorRate: ratePerSecond,
    model: { ...model, balancing: 'random' },
    latency,
    requestsPerSecondPerReplica: undefined,
    strictness: 1,
  });
  const hopCpus = Math.max(
    gatewayCpus,
    (ratePerSecond * (facts.hopCpuSeconds ?? hopCpuSeconds)) / gatewayBusy,
  );
  const directCpus = directReplicas * cpuPerReplica;
  const throughCpus = maxReplicas * cpuPerReplica + hopCpus;
  const pays = throughCpus <= worthShare * directCpus;
  return {
    path: pays ? 'Gateway' : 'Direct',
    weighed: { ratePerSecond, directReplicas, directCpus, throughCpus },
    sentence: `${took}: for ${figure(ratePerSecond)} req/s within ${latency.map(promise).join(' and ')} the gateway and ${maxReplicas} replicas need ${figure(throughCpus)} CPUs (${figure(hopCpus)} for the hop), without it ${directReplicas} replicas need ${figure(directCpus)}: ${pays ? 'it pays' : 'it saves less than a fifth'}`,
  };
}
