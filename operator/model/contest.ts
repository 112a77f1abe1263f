/** When putting a child back is in vain: something answers every correction with a change of its own. */

/** One time that a child was applied although it had been applied in the same form before. */
export interface Restoration {
  readonly hash: string;
  readonly fields: readonly string[];
  readonly atMs: number;
  /** The server's answer already differed from what was sent: an admission webhook did it, and will again. */
  readonly mutatedAtOnce: boolean;
}

/** A webhook that mutated three answers in a row will mutate the fourth. */
const maxMutatedAtOnce = 3;
/** A person edits now and then, a controller without end: more than this many edits within a minute is a fight. */
const maxWithinMinute = 5;
const minuteMs = 60_000;
/**
 * A HorizontalPodAutoscaler comes back each 15 s, so four times a minute at most: for replicas alone this many times
 * within four minutes is a fight. A person scales a child once or twice before looking who puts it back.
 */
const maxReplicasEdits = 4;
const replicasEditsMs = 240_000;
const kept = 8;

/** Whether nothing but the replica count of a child is fought over. */
export const isAboutReplicas = ({ fields }: { readonly fields: readonly string[] }): boolean =>
  fields.length > 0 && fields.every((field) => field === 'spec.replicas');

/** Adds one restoration to a child's history; another form of the child begins a new history. */
export const addRestoration = (history: readonly Restoration[], next: Restoration): readonly Restoration[] =>
  [...history.filter((one) => one.hash === next.hash), next].slice(-kept);

/** Whether the last restorations show a fight that Ballast should end. */
export function isContested(history: readonly Restoration[]): boolean {
  const last = history.at(-1);
  if (last === undefined) return false;
  const atOnce = history.slice(-maxMutatedAtOnce);
  if (atOnce.length === maxMutatedAtOnce && atOnce.every((one) => one.mutatedAtOnce)) return true;
  const within = (ms: number) => history.filter((one) => last.atMs - one.atMs < ms);
  if (within(minuteMs).length > maxWithinMinute) return true;
  return within(replicasEditsMs).filter(isAboutReplicas).length > maxReplicasEdits;
}
