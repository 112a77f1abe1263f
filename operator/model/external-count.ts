/** Mode External: who wrote the count, and whether two write it against each other. Pure. */
import type { ModelDeployment } from '../../crds/types.ts';
import { scaleOwnerOf } from './scale-owner.ts';
import type { Why } from './scaling/types.ts';

/** A change of the count, as the fleet loop keeps them, the newest first. */
interface Change {
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly replicas: number;
  readonly previousReplicas: number;
  readonly by?: string | undefined;
}

/** No autoscaler goes up, down, up and down within this time by itself: a HorizontalPodAutoscaler lowers after five minutes. */
const fightMs = 120_000;
const fewestChanges = 4;

/** What to say of a count that goes to and fro; undefined while it does not. */
export function fightOver(changes: readonly Change[], nowMs: number): string | undefined {
  const recent = changes.filter(({ at }) => nowMs - at < fightMs);
  let swings = 0;
  for (const [index, { replicas, previousReplicas }] of recent.entries()) {
    const earlier = recent[index - 1];
    const rises = replicas > previousReplicas;
    if (earlier !== undefined && earlier.replicas > earlier.previousReplicas === rises) break;
    swings = index + 1;
  }
  const swung = recent.slice(0, swings);
  const oldest = swung.at(-1);
  if (swings < fewestChanges || oldest === undefined) return undefined;
  const names = [...new Set(swung.flatMap(({ by }) => by ?? []))];
  const who =
    names.length > 1
      ? `${names.join(' and ')} write scaling.replicas against each other`
      : `${names[0] ?? 'somebody'} writes scaling.replicas up and down`;
  const advice =
    names.length > 1
      ? 'let one of them decide'
      : 'look for two autoscalers that point at this ModelDeployment';
  const counts = swung.map(({ replicas }) => replicas).reverse();
  const seconds = Math.round((nowMs - oldest.at) / 1_000);
  return `${who}: ${counts.join(', ')} within ${seconds}s; ${advice}`;
}

/** The reason for the count with the name of who wrote it; who fights is in the way. */
export function externalWhy(
  why: Why,
  deployment: ModelDeployment,
  changes: readonly Change[],
  nowMs: number,
): Why {
  const owner = scaleOwnerOf(deployment)?.manager;
  const { replicas } = deployment.spec.scaling;
  const sentence =
    owner === undefined
      ? `scaling.mode is External: nobody has set a count yet, so it is the default of ${replicas}`
      : `scaling.mode is External: ${owner} set ${replicas}`;
  const fight = fightOver(changes, nowMs);
  return {
    ...why,
    sentence,
    limited: fight === undefined ? undefined : { reason: 'ReplicasContested', sentence: fight },
  };
}
