/** Times as Kubernetes writes them. */
import type { Clock } from '../../kube/clock.ts';

/** Wall time in UTC, whole seconds. */
export function timestamp(clock: Clock): string {
  return `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
}
