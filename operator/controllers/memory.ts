/** What the operator remembers of each ModelDeployment between reconciles; a restart loses it without harm. */
import { addRestoration, isContested, type Restoration } from '../model/contest.ts';
import { type ChildKey, type Contest, emptyMemory, type Fault, type Memory } from '../model/snapshot.ts';
import type { Outcome } from './execute.ts';

/** A fault that has come this often in a row, and for this long, lasts; */
const lastingFailures = 5;
const lastingLeastMs = 5_000;
/** or one that still comes after this long, however seldom it was tried. */
const lastingMs = 60_000;

interface Entry {
  memory: Memory;
  histories: Map<ChildKey, readonly Restoration[]>;
  /** The fault of the last execution, and how often it came in a row. */
  fault: (Fault & { readonly failures: number }) | undefined;
}

export class Memories {
  readonly #entries = new Map<string, Entry>();
  readonly #empty: Memory;

  /** `startedAtMs`, wall clock: what a former process wrote into a status is taken to be as old as this one. */
  constructor(startedAtMs?: number) {
    this.#empty = { ...emptyMemory, statusWrittenAtMs: startedAtMs };
  }

  /** Memory of the object with that uid. */
  of(uid: string): Memory {
    return this.#entries.get(uid)?.memory ?? this.#empty;
  }

  /** Takes over what an execution found out; true when a plan would now be another one. */
  record(uid: string, outcome: Outcome, nowMs: number): boolean {
    const entry = this.#entry(uid);
    const { memory } = entry;
    const settled = new Set<ChildKey>(outcome.applied);
    const conflicts = [
      ...memory.conflicts.filter(
        ({ child }) => !settled.has(child) && !outcome.conflicts.some((found) => found.child === child),
      ),
      ...outcome.conflicts,
    ];
    const contested = this.#contests(entry, outcome);
    const fault = lastingFault(entry, outcome, nowMs);
    const changed =
      memory.refusal?.message !== outcome.refusal?.message ||
      memory.fault?.message !== fault?.message ||
      memory.fault?.child !== fault?.child ||
      memory.conflicts.length !== conflicts.length ||
      outcome.conflicts.length > 0 ||
      contested.size !== memory.contested.size;
    entry.memory = { ...memory, conflicts, refusal: outcome.refusal, fault, contested };
    return changed;
  }

  /** What is known of a taken name is void: it is looked at anew. */
  forgetConflict(uid: string, child: ChildKey): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    const conflicts = entry.memory.conflicts.filter((one) => one.child !== child);
    entry.memory = { ...entry.memory, conflicts };
  }

  /** Notes that the status was written. */
  statusWritten(uid: string, atMs: number): void {
    const entry = this.#entry(uid);
    entry.memory = { ...entry.memory, statusWrittenAtMs: atMs };
  }

  /** Notes whether events have told of the wait for a node that lasts. */
  waitTold(uid: string, told: boolean): void {
    const entry = this.#entry(uid);
    if (entry.memory.waitTold !== told) entry.memory = { ...entry.memory, waitTold: told };
  }

  /** Forgets an object that is gone. */
  forget(uid: string): void {
    this.#entries.delete(uid);
  }

  get size(): number {
    return this.#entries.size;
  }

  #contests(entry: Entry, outcome: Outcome): ReadonlyMap<ChildKey, Contest> {
    if (outcome.restored.length === 0 && outcome.applied.length === 0) return entry.memory.contested;
    const contested = new Map(entry.memory.contested);
    // Whatever was applied in a new form starts anew.
    for (const child of outcome.applied) contested.delete(child);
    for (const { child, ...restoration } of outcome.restored) {
      const history = addRestoration(entry.histories.get(child) ?? [], restoration);
      entry.histories.set(child, history);
      if (isContested(history))
        contested.set(child, {
          hash: restoration.hash,
          fields: restoration.fields.slice(0, 5),
          mutatedAtOnce: restoration.mutatedAtOnce,
        });
    }
    return contested;
  }

  #entry(uid: string): Entry {
    let entry = this.#entries.get(uid);
    if (entry === undefined) {
      entry = { memory: this.#empty, histories: new Map(), fault: undefined };
      this.#entries.set(uid, entry);
    }
    return entry;
  }
}

/** Counts the outcome's fault; returns it once it lasts. */
function lastingFault(entry: Entry, { fault }: Outcome, nowMs: number): Fault | undefined {
  const before = entry.fault;
  if (fault === undefined) {
    entry.fault = undefined;
    return undefined;
  }
  const again = before?.child === fault.child;
  const sinceMs = again ? before.sinceMs : nowMs;
  const failures = again ? before.failures + 1 : 1;
  entry.fault = { ...fault, sinceMs, failures };
  const lastedMs = nowMs - sinceMs;
  const lasts = (failures >= lastingFailures && lastedMs >= lastingLeastMs) || lastedMs >= lastingMs;
  return lasts ? { ...fault, sinceMs } : undefined;
}
