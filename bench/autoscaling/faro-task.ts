/** Faro's multi-tenant benchmark: one replay of its ten jobs in a cluster with room for `cap` replicas. */
import { allocate, noAllocation } from '../../operator/model/scaling/allocate.ts';
import { demandOf } from '../../operator/model/scaling/demand.ts';
import type { ScalingInput } from '../../operator/model/scaling/types.ts';
import type { DeploymentConfig } from '../../simulator/deployment-config.ts';
import { constant, services } from '../../simulator/distributions.ts';
import type { FleetOutcome, FleetPolicy } from '../../simulator/fleet.ts';
import { replayFleet } from '../../simulator/fleet.ts';
import { BallastPolicy } from '../../simulator/policies/ballast.ts';
import { scalingInput } from '../../simulator/policies/catalogue.ts';
import type { Trace } from '../../simulator/traffic/arrivals.ts';

export interface FleetTask {
  readonly traces: readonly Trace[];
  readonly cap: number;
  /** `fair-share`: the same constant count for each; `first-come`: each its own decide(); `ballast`: and allocate() over all. */
  readonly policy: 'fair-share' | 'first-come' | 'ballast';
  readonly shedAt: 'Timeout' | 'SLA';
  readonly seed: number;
}

export interface FleetResult {
  readonly task: Omit<FleetTask, 'traces'>;
  readonly outcome: FleetOutcome;
}

/** 720 ms less twice the 4.6 ms that its router takes. */
const sloMs = 710.8;

/** Faro's set-up (EuroSys'25): ResNet34, a queue of 50 for each job, 35 s to start, 30 s to be released, 1 replica at first. */
function configOf(trace: Trace, index: number, { shedAt, seed }: FleetTask): DeploymentConfig {
  return {
    trace,
    service: (services.resnet34 as { seconds: DeploymentConfig['service'] }).seconds,
    startup: constant(35),
    sloMs,
    slots: 1,
    balancing: 'gateway',
    shedAt,
    timeoutMs: 60_000,
    maxQueue: 50,
    drainSeconds: 30,
    clusterPods: Number.POSITIVE_INFINITY,
    initialReplicas: 1,
    seed: seed * 1_000 + index,
  };
}

function fleetPolicy(task: FleetTask, configs: readonly DeploymentConfig[]): FleetPolicy {
  const { policy, cap } = task;
  if (policy === 'fair-share') {
    const each = Math.floor(cap / configs.length);
    return { name: policy, tick: (deployments) => deployments.map(() => each) };
  }
  const limits = { minReplicas: 1, maxReplicas: cap };
  const inputs = configs.map((config) => scalingInput({ config, limits, percentile: 'p99' }));
  const own = inputs.map((input, index) => new BallastPolicy(input, configs[index]?.seed ?? 0));
  if (policy === 'first-come')
    return {
      name: policy,
      tick: (deployments) => deployments.map((deployment, index) => own[index]?.tick(deployment)),
    };
  let memory = noAllocation;
  const capacity = new Map([['cluster', cap]]);
  return {
    name: policy,
    tick(deployments) {
      const nowMs = (deployments[0]?.now ?? 0) * 1_000;
      const demands = deployments.map((deployment, index) => {
        const mine = own[index] as BallastPolicy;
        const observation = mine.observe(deployment);
        const decision = mine.decideOn(observation, nowMs);
        const releaseSeconds = deployment.config.drainSeconds;
        return demandOf(decision, observation, inputs[index] as ScalingInput, {
          key: String(index),
          pool: 'cluster',
          weight: 1,
          cost: 1,
          asks: {},
          releaseSeconds,
        });
      });
      const allocation = allocate(demands, capacity, memory, nowMs);
      memory = allocation.memory;
      return demands.map(({ key, wanted }) => allocation.replicas.get(key) ?? wanted);
    },
  };
}

/** Runs a task. */
export function runFleetTask(task: FleetTask): FleetResult {
  const configs = task.traces.map((trace, index) => configOf(trace, index, task));
  const { traces: _, ...rest } = task;
  return { task: rest, outcome: replayFleet(configs, task.cap, fleetPolicy(task, configs)) };
}
