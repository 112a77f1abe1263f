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
const kept = 8;

/** Adds one restoration to a child's history; another form of the child begins a new history. */
export const addRestoration = (history: readonly Restoration[], next: Restoration): readonly Restoration[] =>
  [...history.filter((one) => one.hash === next.hash), next].slice(-kept);

/** Whether the last restorations show a fight that Ballast should end. */
export function isContested(history: readonly Restoration[]): boolean {
  const last = history.at(-1);
  if (last === undefined) return false;
  const atOnce = history.slice(-maxMutatedAtOnce);
  if (atOnce.length === maxMutatedAtOnce && atOnce.every((one) => one.mutatedAtOnce)) return true;
  return history.filter((one) => last.atMs - one.atMs < minuteMs).length > maxWithinMinute;
}
