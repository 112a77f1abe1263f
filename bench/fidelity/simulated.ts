/** The same minutes in the simulator, with what was measured of the real pods and their machine. */
import type { Deployment } from '../../simulator/deployment.ts';
import type { Balancing, DeploymentConfig } from '../../simulator/deployment-config.ts';
import { measured } from '../../simulator/distributions.ts';
import { type MachineConfig, slowdownBesideRest } from '../../simulator/machine.ts';
import { policyOf } from '../../simulator/policies/catalogue.ts';
import { type Outcome, replay } from '../../simulator/replay.ts';
import type { Trace } from '../../simulator/traffic/arrivals.ts';
import { type Situations, situationsOf } from './situations.ts';

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
  readonly machine?: MachineConfig | undefined;
  readonly firstRequests?: readonly number[];
}

/** What was measured beside the machine's rest, as work: the simulated rest slows it down again. */
function workOf(seconds: readonly number[], machine: MachineConfig | undefined, cores: number): number[] {
  const slowdown = machine === undefined ? 1 : slowdownBesideRest(machine, cores);
  return seconds.map((one) => one / slowdown);
}

export type Simulated = Outcome & {
  /** Mean service time of the run over that of the samples: what sharing the machine costs. */
  readonly stretch: number;
  readonly situations: Situations;
};

/** One outcome for each seed. */
export function simulate(run: SimulatedRun): Simulated[] {
  const { machine } = run;
  const service = workOf(run.service, machine, machine?.coresPerBusySlot ?? 0);
  const startup = workOf(run.startup, machine, machine?.coresPerStart ?? 0);
  const before = run.service.reduce((sum, one) => sum + one, 0) / run.service.length;
  return Array.from({ length: run.seeds }, (_, index) => {
    const config: DeploymentConfig = {
      trace: run.trace,
      service: measured('as measured', service),
      startup: measured('as measured', startup),
      sloMs: run.sloMs,
      slots: 1,
      coresPerBusySlot: run.coresPerBusySlot,
      machine,
      firstRequests: run.firstRequests,
      balancing: run.balancing,
      shedAt: run.shedAt,
      drainSeconds: run.drainSeconds,
      clusterPods: 1_000,
      initialReplicas: run.initialReplicas ?? 1,
      seed: index + 1,
    };
    const limits = { minReplicas: 1, maxReplicas: run.maxReplicas };
    const starting: number[] = [];
    let last: Deployment | undefined;
    const outcome = replay(
      config,
      policyOf(run.policy, { config, limits, percentile: 'p99' }),
      (deployment) => {
        starting.push(deployment.starting);
        last = deployment;
      },
    );
    const { serviceSum = 0, completions = 0, tally } = last ?? {};
    return {
      ...outcome,
      stretch: completions === 0 ? 1 : serviceSum / completions / before,
      situations: situationsOf(tally?.bad ?? [], tally?.total ?? [], starting),
    };
  });
}
