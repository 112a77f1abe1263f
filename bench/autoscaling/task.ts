/** What one worker is asked and answers: plain data, so that it crosses to a thread. */

import type { DeploymentConfig } from '../../simulator/deployment-config.ts';
import { parseService, parseStartup } from '../../simulator/distributions.ts';
import { oracleOf } from '../../simulator/oracle.ts';
import { BallastPolicy, defaultPipeline } from '../../simulator/policies/ballast.ts';
import { policyOf } from '../../simulator/policies/catalogue.ts';
import type { Outcome } from '../../simulator/replay.ts';
import { replay } from '../../simulator/replay.ts';
import type { Trace } from '../../simulator/traffic/arrivals.ts';
import { meanRate } from '../../simulator/traffic/arrivals.ts';

/** Decisions of a replay from which on their median is one. */
const fewestDecisions = 60;

/** Everything but trace, policy and seed. */
export interface Setting {
  readonly service: string;
  readonly startup: string;
  readonly sloMs: number;
  readonly percentile: 'p50' | 'p90' | 'p95' | 'p99';
  readonly slots: number;
  readonly balancing: DeploymentConfig['balancing'];
  readonly shedAt: DeploymentConfig['shedAt'];
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly clusterPods: number;
  readonly loss: number;
  readonly lag: number;
}

export interface Task {
  readonly trace: Trace;
  /** A policy by name, or `oracle`. */
  readonly policy: string;
  readonly seed: number;
  readonly setting: Setting;
}

export interface Result {
  readonly trace: string;
  readonly policy: string;
  readonly seed: number;
  readonly shedAt: DeploymentConfig['shedAt'];
  readonly outcome: Outcome;
  /** Median milliseconds of a decision of Ballast. */
  readonly decideMs: number | undefined;
}

/** The world of a task: every policy begins with the replicas that the first minute needs at 60 % busy. */
export function configOf({ trace, seed, setting }: Task): DeploymentConfig {
  const service = parseService(setting.service);
  const startup = parseStartup(setting.startup);
  if (service === undefined || startup === undefined)
    throw new Error(`no service "${setting.service}" or start-up "${setting.startup}"`);
  const load = (meanRate(trace, 0, 60) * service.seconds.mean) / setting.slots;
  return {
    trace,
    service: service.seconds,
    startup,
    sloMs: setting.sloMs,
    slots: setting.slots,
    balancing: setting.balancing,
    shedAt: setting.shedAt,
    drainSeconds: 3,
    clusterPods: setting.clusterPods,
    initialReplicas: Math.min(
      setting.maxReplicas,
      setting.clusterPods,
      Math.max(setting.minReplicas, 1, Math.ceil(load / 0.6)),
    ),
    seed,
  };
}

/** Runs a task. */
export function runTask(task: Task): Result {
  const { trace, policy, seed, setting } = task;
  const config = configOf(task);
  const { shedAt, minReplicas, maxReplicas } = setting;
  if (policy === 'oracle') {
    const oracle = oracleOf(trace, config.service, config.slots, config.sloMs, seed);
    const outcome: Outcome = {
      policy,
      seed,
      requests: oracle.requests,
      violations: oracle.requests === 0 ? 0 : oracle.violations / oracle.requests,
      late: 0,
      refused: 0,
      expired: 0,
      replicaSeconds: oracle.replicaSeconds,
      p50Ms: 0,
      p90Ms: 0,
      p95Ms: 0,
      p99Ms: 0,
      peakReplicas: Math.max(...oracle.replicas),
      actions: 0,
      flaps: 0,
      badMinutes: 0,
      recoverySeconds: undefined,
      points: oracle.replicas.map((ready, index) => ({
        at: index * 10,
        rate: 0,
        asked: ready,
        ready,
        bad: 0,
        requests: 0,
      })),
    };
    return { trace: trace.name, policy, seed, shedAt, outcome, decideMs: undefined };
  }
  const pipeline = { ...defaultPipeline, loss: setting.loss, lag: setting.lag };
  const made = policyOf(policy, {
    config,
    limits: { minReplicas, maxReplicas },
    percentile: setting.percentile,
    pipeline,
    clock: () => performance.now(),
  });
  const outcome = replay(config, made);
  const decideMs = made instanceof BallastPolicy ? made.decideMs.sort((one, other) => one - other) : [];
  return {
    trace: trace.name,
    policy,
    seed,
    shedAt,
    outcome: { ...outcome, policy },
    // The first decisions of a process are compiled while they run: a median of a few says nothing.
    decideMs: decideMs.length < fewestDecisions ? undefined : decideMs[decideMs.length >> 1],
  };
}
