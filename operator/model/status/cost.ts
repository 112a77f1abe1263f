/** `status.cost`: the figures as people read them, and where they come from. */
import type { ModelDeploymentStatus } from '../../../crds/status.ts';
import { type Cost, costOf, isHolding } from '../cost.ts';
import type { StatusFacts } from './facts.ts';
import { cutMessage } from './rounding.ts';

/** How soon a node that is not in the cache yet is looked at again. */
const againMs = 2_000;

/** Three significant digits, no exponent: `0.0213`, `1.2`, `1240`. */
export function formatPrice(value: number | 'unknown'): string {
  if (value === 'unknown' || value === 0) return String(value);
  if (value < 0.000_001) return '<0.000001';
  return String(Number(value.toPrecision(3)));
}

/** What the pods that have a node cost. */
export function costFacts({ snapshot, revisions }: StatusFacts): Cost {
  const placed = [...revisions.values()].flatMap(({ pods, deployment }) =>
    pods
      .filter(isHolding)
      .map((pod) => ({ node: pod.spec.nodeName ?? '', template: deployment?.spec.template })),
  );
  return costOf(snapshot.deployment.spec.cost?.perReplicaHour, placed, snapshot.nodes);
}

/** When to look again, though nothing changed; undefined when nothing is missing that comes by itself. */
export const costDueAtMs = (facts: StatusFacts): number | undefined =>
  costFacts(facts).again ? facts.snapshot.nowMs + againMs : undefined;

/** `status.cost`. */
export function costStatus(facts: StatusFacts): NonNullable<ModelDeploymentStatus['cost']> {
  const { perHour, perReplicaHour, source, message } = costFacts(facts);
  return {
    perHour: formatPrice(perHour),
    perReplicaHour: formatPrice(perReplicaHour),
    source,
    message: cutMessage(message, 512),
  };
}
