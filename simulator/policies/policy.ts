/** What a scaling policy sees and says: one question each second. */
import type { Deployment } from '../deployment.ts';

export interface Policy {
  readonly name: string;
  /** Replicas to ask for now; undefined: as they are. Called each second, at its end. */
  tick(deployment: Deployment): number | undefined;
  /** Why, in words, where the policy tells. */
  readonly why?: string | undefined;
}

/** Limits that every policy is held to. */
export interface Limits {
  readonly minReplicas: number;
  readonly maxReplicas: number;
}

/** A count within the limits. */
export const within = (replicas: number, { minReplicas, maxReplicas }: Limits): number =>
  Math.min(maxReplicas, Math.max(minReplicas, replicas));

/** Mean per second of a figure over the seconds from `from` to `to` of the world's clock; undefined where there are none. */
export function meanOf(
  deployment: Deployment,
  figure: 'arrivals' | 'completions' | 'concurrency',
  from: number,
  to: number,
): number | undefined {
  const { seconds } = deployment;
  const start = Math.max(0, Math.round(from));
  const end = Math.min(seconds.length, Math.round(to));
  if (end <= start) return undefined;
  let sum = 0;
  for (let second = start; second < end; second += 1) sum += seconds[second]?.[figure] ?? 0;
  return sum / (end - start);
}
