/** Faro's multi-tenant benchmark: one replay of its ten jobs in a cluster with room for `cap` replicas. */
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
  /** `fair-share`: the same constant count for each; `ballast`: each its own decide(), who asks first gets the room. */
  readonly policy: 'fair-share' | 'ballast';
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
  const own = configs.map(
    (config) => new BallastPolicy(scalingInput({ config, limits, percentile: 'p99' }), config.seed),
  );
  return {
    name: policy,
    tick: (deployments) => deployments.map((deployment, index) => own[index]?.tick(deployment)),
  };
}

/** Runs a task. */
export function runFleetTask(task: FleetTask): FleetResult {
  const configs = task.traces.map((trace, index) => configOf(trace, index, task));
  const { traces: _, ...rest } = task;
  return { task: rest, outcome: replayFleet(configs, task.cap, fleetPolicy(task, configs)) };
}
