/** One replay: a trace, a policy, a seed; and what came of it. */

import { Deployment } from './deployment.ts';
import type { DeploymentConfig } from './deployment-config.ts';
import type { Policy } from './policies/policy.ts';
import { durationOf } from './traffic/arrivals.ts';

/** Every this many seconds one point of the plots. */
const pointSeconds = 10;

export interface Point {
  readonly at: number;
  /** Means over the point's seconds. */
  readonly rate: number;
  readonly asked: number;
  readonly ready: number;
  /** Requests of these seconds that were late, refused or timed out, and all of them. */
  readonly bad: number;
  readonly requests: number;
}

export interface Outcome {
  readonly policy: string;
  readonly seed: number;
  readonly requests: number;
  /** Shares of all requests, 0 to 1. */
  readonly violations: number;
  readonly late: number;
  readonly refused: number;
  readonly expired: number;
  readonly replicaSeconds: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly peakReplicas: number;
  /** Changes of the count. */
  readonly actions: number;
  /** Up, down and up again inside two minutes. */
  readonly flaps: number;
  /** Minutes of which more than 1 % of the requests went wrong. */
  readonly badMinutes: number;
  /** Undefined where the trace has no step, or it never recovered. */
  readonly recoverySeconds: number | undefined;
  readonly points: readonly Point[];
}

/** Up, down and up again (or the other way) inside two minutes, by the count asked for after each second. */
export function countFlaps(replicas: readonly number[], withinSeconds = 120): number {
  const turns: { at: number; up: boolean }[] = [];
  let flaps = 0;
  for (let at = 1; at < replicas.length; at += 1) {
    const change = (replicas[at] as number) - (replicas[at - 1] as number);
    if (change === 0) continue;
    if (turns.at(-1)?.up === change > 0) turns.pop();
    turns.push({ at, up: change > 0 });
    const first = turns.at(-3);
    if (first !== undefined && change > 0 && first.up && at - first.at <= withinSeconds) flaps += 1;
  }
  return flaps;
}

/** Runs a policy over a trace. `each` is called after each second (progress, printing). */
export function replay(
  config: DeploymentConfig,
  policy: Policy,
  each?: (deployment: Deployment) => void,
): Outcome {
  const deployment = new Deployment(config);
  const seconds = Math.ceil(durationOf(config.trace));
  const asked: number[] = [];
  let actions = 0;
  for (let second = 1; second <= seconds; second += 1) {
    deployment.advanceTo(second);
    deployment.closeSecond();
    const wanted = policy.tick(deployment);
    if (wanted !== undefined && wanted !== deployment.replicas) {
      actions += 1;
      deployment.scaleTo(wanted);
    }
    asked.push(deployment.replicas);
    each?.(deployment);
  }
  const { replicaSeconds } = deployment;
  // Requests that are still there are served or time out: their end belongs to the trace, the pods' seconds no more.
  deployment.advanceTo(seconds + 120);
  deployment.closeSecond();
  return outcomeOf(deployment, policy.name, replicaSeconds, asked, actions);
}

function outcomeOf(
  deployment: Deployment,
  policy: string,
  replicaSeconds: number,
  asked: readonly number[],
  actions: number,
): Outcome {
  const { tally, config, seconds } = deployment;
  const points: Point[] = [];
  for (let start = 0; start < asked.length; start += pointSeconds) {
    const end = Math.min(asked.length, start + pointSeconds);
    let [rate, replicas, ready, bad] = [0, 0, 0, 0];
    for (let second = start; second < end; second += 1) {
      rate += tally.total[second] ?? 0;
      bad += tally.bad[second] ?? 0;
      replicas += asked[second] as number;
      ready += seconds[second]?.ready ?? 0;
    }
    const width = end - start;
    points.push({
      at: start,
      rate: rate / width,
      asked: replicas / width,
      ready: ready / width,
      bad,
      requests: rate,
    });
  }
  let badMinutes = 0;
  for (let start = 0; start < asked.length; start += 60) {
    let [total, bad] = [0, 0];
    for (let second = start; second < start + 60; second += 1) {
      total += tally.total[second] ?? 0;
      bad += tally.bad[second] ?? 0;
    }
    if (bad > 0.01 * total) badMinutes += 1;
  }
  const share = (count: number) => (tally.requests === 0 ? 0 : count / tally.requests);
  const step = config.trace.stepAtSeconds;
  return {
    policy,
    seed: config.seed,
    requests: tally.requests,
    violations: share(tally.violations),
    late: share(tally.late),
    refused: share(tally.refused),
    expired: share(tally.expired),
    replicaSeconds,
    p50Ms: tally.latencyMs(0.5),
    p90Ms: tally.latencyMs(0.9),
    p95Ms: tally.latencyMs(0.95),
    p99Ms: tally.latencyMs(0.99),
    peakReplicas: asked.reduce((most, count) => Math.max(most, count), 0),
    actions,
    flaps: countFlaps(asked),
    badMinutes,
    recoverySeconds: step === undefined ? undefined : tally.recoverySeconds(step),
    points,
  };
}
