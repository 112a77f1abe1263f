/** `status.pending` and its sentence: how many pods wait, for what, since when, and what to do. */
import type { PendingCauseStatus, PendingStatus } from '../../../crds/status.ts';
import type { PendingPod } from '../pending.ts';
import type { Revision } from '../revisions.ts';
import { remedyFor } from '../shortage.ts';
import type { StatusFacts } from './facts.ts';
import { cutMessage, timestamp } from './rounding.ts';

/** A pod that has a node begins within this time as a rule: sooner it is no news. */
const slowStartMs = 30_000;
const maxCauses = 8;

const isTold = (wait: PendingPod, nowMs: number): boolean =>
  wait.reason === 'Unschedulable' || nowMs >= wait.sinceMs + slowStartMs;

/** Pods that status tells of, those that have waited longest first. */
function toldPods(facts: StatusFacts): { readonly wait: PendingPod; readonly revision: Revision }[] {
  return [...facts.revisions.values()]
    .flatMap((revision) => revision.pending.map((wait) => ({ wait, revision })))
    .filter(({ wait }) => isTold(wait, facts.snapshot.nowMs))
    .sort((a, b) => a.wait.sinceMs - b.wait.sinceMs || (a.wait.pod < b.wait.pod ? -1 : 1));
}

/** When a pod that is slow to begin is to be told; undefined when none is. */
export function pendingDueAtMs(facts: StatusFacts): number | undefined {
  const due = [...facts.revisions.values()]
    .flatMap(({ pending }) => pending)
    .filter((wait) => !isTold(wait, facts.snapshot.nowMs))
    .map(({ sinceMs }) => sinceMs + slowStartMs);
  return due.length === 0 ? undefined : Math.min(...due);
}

/** `status.pending`; undefined while no pod waits. */
export function pendingStatus(facts: StatusFacts): PendingStatus | undefined {
  const told = toldPods(facts).map(({ wait }) => wait);
  const [first] = told;
  if (first === undefined) return undefined;
  const groups = Map.groupBy(told, ({ reason, short }) => `${reason} ${short ?? ''}`);
  const causes = [...groups.values()].map((pods): PendingCauseStatus => {
    const [{ reason, short, sinceMs, pod, message }] = pods as [PendingPod, ...PendingPod[]];
    return {
      reason,
      ...(short === undefined ? {} : { short: cutMessage(short, 253) }),
      pods: pods.length,
      since: timestamp(sinceMs),
      pod,
      message: cutMessage(message, 512),
    };
  });
  return {
    pods: told.length,
    since: timestamp(first.sinceMs),
    causes: causes.sort((a, b) => b.pods - a.pods).slice(0, maxCauses),
  };
}

/** What one pod of the revision asks for of a resource, as its template says. */
function askedBy(revision: Revision): (resource: string) => string | undefined {
  const requests = revision.deployment?.spec.template.spec.containers[0]?.resources?.requests;
  return (resource) => requests?.[resource];
}

/** The pods that no node takes, in one sentence with the scheduler's words and what to do; undefined while there is none. */
export function unplacedText(facts: StatusFacts): string | undefined {
  const told = toldPods(facts).filter(({ wait }) => wait.reason === 'Unschedulable');
  const [first] = told;
  if (first === undefined) return undefined;
  const { wait, revision } = first;
  const count = told.length === 1 ? '1 pod waits' : `${told.length} pods wait`;
  const short = wait.short ?? 'other';
  const lack = short === 'other' || short === 'node' ? '' : `, short of ${short}`;
  return `${count} for a node since ${timestamp(wait.sinceMs)}${lack}: ${remedyFor(short, askedBy(revision))}. The scheduler says: ${cutMessage(wait.message, 300)}`;
}

/** The pods that wait, in one sentence; undefined while none does. */
export function pendingText(facts: StatusFacts): string | undefined {
  const unplaced = unplacedText(facts);
  if (unplaced !== undefined) return unplaced;
  const told = toldPods(facts);
  const [first] = told;
  if (first === undefined) return undefined;
  const count = told.length === 1 ? '1 pod has' : `${told.length} pods have`;
  return `${count} not begun since ${timestamp(first.wait.sinceMs)} (${first.wait.reason}, pod ${first.wait.pod}): ${first.wait.message}`;
}
