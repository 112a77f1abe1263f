/** Which of several revisions a deployment is sized by and learned of. */
import type { PodObservation } from './types.ts';

/** The name that most of these pods have; of equals the first. */
function mostFrequent(pods: readonly PodObservation[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { revision } of pods) counts.set(revision, (counts.get(revision) ?? 0) + 1);
  let most: string | undefined;
  for (const [revision, count] of counts)
    if (most === undefined || count > (counts.get(most) ?? 0)) most = revision;
  return most;
}

/**
 * The revision that serves: the one before while a ready pod of it is left, or while no pod is ready; then the one with the
 * most ready pods. A candidate whose pods merely stand first in the list, or come and go again, changes nothing.
 */
export function servingRevision(
  before: string | undefined,
  pods: readonly PodObservation[],
): string | undefined {
  if (before !== undefined && pods.some(({ ready, revision }) => ready && revision === before)) return before;
  return mostFrequent(pods.filter(({ ready }) => ready)) ?? before ?? mostFrequent(pods);
}

/** The pods of the revision that serves; all where none of them is its own. */
export function servingPods(
  pods: readonly PodObservation[],
  revision: string | undefined,
): readonly PodObservation[] {
  if (pods.every((pod) => pod.revision === revision)) return pods;
  const own = pods.filter((pod) => pod.revision === revision);
  return own.length > 0 ? own : pods;
}
