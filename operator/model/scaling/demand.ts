/** What one deployment's own decision says to the allocation over all of them. */
import type { AllocationDemand } from './allocate.ts';
import { correctionsOf } from './learned.ts';
import type { Decision, Known, Observation, ScalingInput } from './types.ts';

/** What the decision does not know: where the deployment stands among the others. */
export interface Standing {
  readonly key: string;
  readonly pool: string;
  /** `spec.scaling.priority`. */
  readonly weight: number;
  /** What one replica takes of its pool. */
  readonly cost: number;
  /** What one pod asks a node for. */
  readonly asks: Readonly<Record<string, number>>;
  /** How long a deleted pod keeps its place, seconds. */
  readonly releaseSeconds: number;
}

/** The demand of a deployment after its decision. */
export function demandOf(
  { replicas, why, next }: Decision,
  observation: Observation,
  input: ScalingInput,
  standing: Standing,
): AllocationDemand {
  const { inputs, needed } = why;
  const number = (name: string): Known<number> => inputs[name] ?? 'unknown';
  const slots = number('slotsPerReplica');
  const startup = number('startupSeconds');
  const { releaseSeconds, ...place } = standing;
  const own = input.mode === 'SLA' && !input.suspended;
  const floor = Math.max(input.minReplicas, input.scheduled?.replicas ?? 0);
  // A decision that is held back (no room, a decrease that waits) still tells what would be needed.
  const paid = input.costCap?.replicas ?? 'unknown';
  const most = paid === 'unknown' ? input.maxReplicas : Math.min(input.maxReplicas, paid);
  const more = own && needed !== 'unknown' ? Math.min(most, needed) : replicas;
  return {
    ...place,
    wanted: Math.max(replicas, more),
    current: observation.replicas === 'unknown' ? observation.pods.length : observation.replicas,
    blocked: observation.blockedReplicas,
    starting: observation.startingReplicas,
    // What others count (Fixed, External) is theirs: all of it is guaranteed.
    // A floor of the schedule was asked for in advance, like minReplicas.
    least: own ? Math.min(floor, Math.max(replicas, more)) : replicas,
    ratePerSecond: number('arrivalRate10s'),
    aheadMs: 1_000 * (releaseSeconds + (startup === 'unknown' ? 20 : startup)),
    model:
      next.service === 'unknown' || slots === 'unknown' || !own
        ? 'unknown'
        : {
            service: next.service,
            slots,
            burstiness: next.burstiness,
            balancing: input.balancing,
            ...correctionsOf(next.learned),
          },
    latency: input.latency,
    shedAt: input.shedAt,
  };
}
