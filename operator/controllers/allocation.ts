/** The full cluster, as the fleet loop sees it: which deployments compete for the same nodes, and what each gives up. */
import type { ModelDeployment } from '../../crds/types.ts';
import { quantityNumber } from '../../crds/values.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import {
  type AllocationDemand,
  type AllocationWhy,
  allocate,
  noAllocation,
} from '../model/scaling/allocate.ts';
import type { Standing } from '../model/scaling/demand.ts';
import type { Decision } from '../model/scaling/types.ts';

/** A deleted pod answers what it holds before its place is free. */
const releaseSeconds = 5;

function amountsOf({ spec }: ModelDeployment): Record<string, number> {
  const { requests, limits } = spec.runtime?.resources ?? {};
  const amounts: Record<string, number> = {};
  for (const [resource, text] of Object.entries({ ...limits, ...requests })) {
    const amount = quantityNumber(text);
    if (Number.isFinite(amount)) amounts[resource] = amount;
  }
  return amounts;
}

/** Where a deployment stands among the others: its pool is whatever its pods ask of nodes beside an amount. */
export function standingOf(deployment: ModelDeployment): Standing {
  const { metadata, spec } = deployment;
  const { nodeSelector, tolerations, affinity } = spec.runtime?.pod ?? {};
  const asks = amountsOf(deployment);
  return {
    key: `${metadata.namespace}/${metadata.name}`,
    pool: canonicalJson({ nodeSelector, tolerations, affinity }),
    weight: spec.scaling.priority ?? 1,
    cost: Math.max(0.001, asks.cpu ?? 1),
    asks,
    releaseSeconds,
  };
}

export interface Allocator {
  /** Weighs all demands of a round; what is given up counts from the next round on. */
  round(demands: Iterable<AllocationDemand>, nowMs: number): void;
  /** Whether anything is kept from this deployment. */
  holds(key: string): boolean;
  /** The decision within what the deployment is given. */
  within(key: string, decision: Decision): Pick<Decision, 'replicas' | 'why'>;
}

/** An allocator that remembers; one per fleet loop. */
export function createAllocator(): Allocator {
  let memory = noAllocation;
  let replicas: ReadonlyMap<string, number> = new Map();
  let why: ReadonlyMap<string, AllocationWhy> = new Map();
  return {
    round(demands, nowMs) {
      ({ replicas, why, memory } = allocate([...demands], new Map(), memory, nowMs));
    },
    holds: (key) => replicas.has(key),
    within(key, decision) {
      const given = replicas.get(key);
      if (given === undefined || given >= decision.replicas) return decision;
      const sentence = why.get(key)?.sentence ?? decision.why.sentence;
      return {
        replicas: given,
        why: { ...decision.why, reason: 'Yielded', sentence, limited: { reason: 'NoRoom', sentence } },
      };
    },
  };
}
