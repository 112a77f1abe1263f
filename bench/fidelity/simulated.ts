/** The same minutes in the simulator, with what was measured of the real pods. */
import type { Balancing, DeploymentConfig } from '../../simulator/deployment-config.ts';
import { measured } from '../../simulator/distributions.ts';
import { policyOf } from '../../simulator/policies/catalogue.ts';
import { type Outcome, replay } from '../../simulator/replay.ts';
import type { Trace } from '../../simulator/traffic/arrivals.ts';

export interface SimulatedRun {
  readonly policy: string;
  readonly trace: Trace;
  readonly service: readonly number[];
  readonly startup: readonly number[];
  /** From a pod's deletion to its being gone. */
  readonly drainSeconds: number;
  readonly initialReplicas?: number;
  readonly sloMs: number;
  readonly shedAt: DeploymentConfig['shedAt'];
  readonly balancing: Balancing;
  readonly maxReplicas: number;
  readonly seeds: number;
  readonly coresPerBusySlot?: number;
}

/** One outcome for each seed. */
export function simulate(run: SimulatedRun): Outcome[] {
  return Array.from({ length: run.seeds }, (_, index) => {
    const config: DeploymentConfig = {
      trace: run.trace,
      service: measured('as measured', run.service),
      startup: measured('as measured', run.startup),
      sloMs: run.sloMs,
      slots: 1,
      coresPerBusySlot: run.coresPerBusySlot,
      balancing: run.balancing,
      shedAt: run.shedAt,
      drainSeconds: run.drainSeconds,
      clusterPods: 1_000,
      initialReplicas: run.initialReplicas ?? 1,
      seed: index + 1,
    };
    const limits = { minReplicas: 1, maxReplicas: run.maxReplicas };
    return replay(config, policyOf(run.policy, { config, limits, percentile: 'p99' }));
  });
}
