/** Asks every pod for its load: often while it works, seldom while it rests, never more than a few at once. */
import type { KeptReport, PodObservation, PodReading } from '../model/scaling/types.ts';
import { BurstWatch } from './bursts.ts';
import { type CompactReport, compact, SharedBounds } from './compact.ts';
import { paceOf } from './pace.ts';
import { noFailures, type PullFailure, type PullResult } from './pull.ts';
import type { ProbeTarget } from './targets.ts';

/** The parts of `kube/clock.ts` that are needed here. */
export interface ProbeClock {
  monotonicMs(): number;
  setTimer(ms: number, fn: () => void): () => void;
}

export interface ProbeOptions {
  readonly clock: ProbeClock;
  /** `query` asks for the newest seconds alone. */
  readonly pull: (origin: string, signal: AbortSignal, query: string) => Promise<PullResult>;
  /** Uniform in [0, 1): spreads the pulls over time. */
  readonly random: () => number;
  readonly busyPeriodMs?: number;
  /** Longest calm period; a small fleet is asked sooner, as often as `calmPullsPerSecond` in all allow. */
  readonly calmPeriodMs?: number;
  readonly calmPullsPerSecond?: number;
  /** In all: where there are more pods, each is asked less often. */
  readonly pullsPerSecond?: number;
  /** Never more than this, not even when every pod is new. */
  readonly maxPullsPerSecond?: number;
  readonly maxInFlight?: number;
}

export interface ProbeCounts {
  readonly pulls: number;
  readonly failures: Readonly<Record<PullFailure, number>>;
  readonly inFlight: number;
  readonly targets: number;
}

export interface Probe {
  /** Replaces the list of pods; readings of pods that stay are kept. */
  setTargets(targets: readonly ProbeTarget[]): void;
  /** Whether the pods of a ModelDeployment (`namespace/name`) are asked often even at rest, as during a rollout. */
  setHurried(owner: string, hurried: boolean): void;
  /** Whether gateways tell the load of a ModelDeployment: in a large fleet its pods are asked seldom then. */
  setHeld(owner: string, held: boolean): void;
  /** Every pod of a ModelDeployment with its last good reading. */
  readingsOf(owner: string): readonly PodObservation[];
  /** Why the last pull of a pod failed; undefined when it did not. */
  lastFailure(owner: string, pod: string): string | undefined;
  counts(): ProbeCounts;
  start(): void;
  /** Ends the timer and the pulls under way. */
  stop(): Promise<void>;
}

const tickMs = 100;
/** A pod that failed more often than this in a row is asked half as often after each further failure. */
const failuresAtFullRate = 3;
/** The longest such period: the pod may still be starting. */
const deafPeriodMs = 30_000;
/** Pods that have not answered yet, or not the last time, take no more than this share of the pulls at once: each may hold its place until the deadline. */
const deafShare = 0.75;
/** A pod counts as busy until this many seconds of its history are empty. */
const busyForSeconds = 30;
/** After a burst was seen, all pods of the deployment are asked often for as long as this. */
const urgentMs = 10_000;
/** Pulls beyond the pace that bursts may have at once. */
const mostSpare = 1_000;
/**
 * Pods that are to be asked at once have this long until the others speak for them: a decision need not wait for the
 * slowest, and no decrease is thought about until they have answered.
 */
const standInAfterMs = 500;
/** Pods that were asked all at once, or often, are spread out anew when their period gets this much longer. */
const respreadFactor = 1.5;
/** A place earlier than this in the period is taken in the next one. */
const soonest = 0.25;
/** What the decision adds to a period before it goes on without a pod; see `rates.ts`. */
const lateMs = 1_500;

interface Entry {
  target: ProbeTarget;
  owner: Owner;
  dueMs: number;
  /** The period that it was spread over, and its place in it, more than 0 and at most 1. */
  periodMs: number;
  readonly place: number;
  flying: boolean;
  reading: (PodReading & { readonly report: CompactReport }) | undefined;
  /** What `readingsOf` tells of it, until one of its parts is another one: a decision a second asks for it. */
  observation: PodObservation | undefined;
  works: boolean;
  failure: string | undefined;
  /** Pulls in a row that failed. */
  failures: number;
}

/** A ModelDeployment, whose pods are asked one after the other at nearly even distances. */
interface Owner {
  readonly name: string;
  entries: Entry[];
  /** Pods that work. */
  working: number;
  hurried: boolean;
  held: boolean;
  urgentUntilMs: number;
  pullsPerSecond: number;
  /** Pods that it ever had. */
  seen: number;
  /** When its first pod answered. */
  anchorMs: number | undefined;
}

const isDeaf = ({ reading, failures }: Entry) => reading === undefined || failures > 0;

function observationOf(entry: Entry): PodObservation {
  const { observation, target, reading } = entry;
  const { pod, revision, ready } = target;
  const told = reading ?? 'unknown';
  if (
    observation?.reading === told &&
    observation.pod === pod &&
    observation.ready === ready &&
    observation.revision === revision
  )
    return observation;
  entry.observation = { pod, revision, ready, reading: told };
  return entry.observation;
}

function works({ inFlight, queueLength, seconds }: KeptReport): boolean {
  if (inFlight > 0 || queueLength > 0) return true;
  for (let back = 1; back <= Math.min(busyForSeconds, seconds.length); back += 1)
    if ((seconds.at(-back)?.arrivals ?? 0) > 0) return true;
  return false;
}

/** Makes a probe; nothing is asked before `start`. */
export function createProbe(options: ProbeOptions): Probe {
  const { clock, pull, random, busyPeriodMs = 2_000, calmPeriodMs = 15_000, maxInFlight = 32 } = options;
  const { calmPullsPerSecond = 20, pullsPerSecond = 2_500, maxPullsPerSecond = 3_000 } = options;
  const entries = new Map<string, Entry>();
  const owners = new Map<string, Owner>();
  const bursts = new BurstWatch();
  const bounds = new SharedBounds();
  const underWay = new Set<Promise<void>>();
  const maxDeaf = Math.max(1, Math.floor(maxInFlight * deafShare));
  let deafInFlight = 0;
  const failures = noFailures();
  let pulls = 0;
  let cancelTimer: (() => void) | undefined;
  let abort = new AbortController();

  const keyOf = (target: ProbeTarget) => `${target.owner}/${target.pod}`;
  const isUrgent = (owner: Owner, nowMs: number) => owner.hurried || nowMs < owner.urgentUntilMs;

  let pacedAtMs = Number.NEGATIVE_INFINITY;
  const setPace = (nowMs: number) => {
    pacedAtMs = nowMs;
    const all = [...owners.values()];
    const rates = paceOf(
      all.map((owner) => ({
        pods: owner.entries.length,
        need: isUrgent(owner, nowMs) ? 'urgent' : owner.working > 0 ? 'busy' : 'calm',
        held: owner.held,
      })),
      { busyPeriodMs, calmPeriodMs, calmPullsPerSecond, pullsPerSecond },
    );
    for (const [index, owner] of all.entries()) owner.pullsPerSecond = rates[index] ?? 0;
  };
  /** How long it takes until each pod of the deployment was asked. */
  const periodOf = ({ entries: pods, pullsPerSecond: rate }: Owner) =>
    Math.round((1_000 * pods.length) / Math.max(1e-3, rate));

  /** When it is asked next: in its own place of the period, which it keeps until the period gets much longer. */
  const nextDueMs = (entry: Entry, periodMs: number, nowMs: number): number => {
    const isSpread = periodMs <= respreadFactor * entry.periodMs;
    entry.periodMs = periodMs;
    if (isSpread) return Math.max(entry.dueMs, nowMs - periodMs / 2) + periodMs;
    // Places count from one moment for all pods of the deployment, whenever each of them answers.
    const { owner, place } = entry;
    owner.anchorMs ??= nowMs;
    const earliestMs = nowMs + soonest * periodMs;
    const periods = Math.ceil((earliestMs - owner.anchorMs) / periodMs - place);
    return owner.anchorMs + periodMs * (periods + place);
  };

  let spare = mostSpare;
  /** All pods of a deployment are asked at once, where the budget allows: there is something to see. */
  const hasten = (owner: Owner, nowMs: number) => {
    setPace(nowMs);
    const waiting = owner.entries
      .filter(({ flying, dueMs }) => !flying && dueMs > nowMs)
      .sort((one, other) => one.dueMs - other.dueMs);
    const wanted = waiting.slice(-Math.max(1, Math.floor(spare)));
    spare = Math.max(0, spare - wanted.length);
    for (const entry of wanted) {
      // Before all that is merely due.
      entry.dueMs = nowMs - calmPeriodMs;
      entry.periodMs = 0;
      if (entry.reading === undefined) continue;
      const untilMs = nowMs - entry.reading.readAtMs + standInAfterMs - lateMs;
      if (untilMs >= entry.reading.periodMs) continue;
      entry.reading = { ...entry.reading, periodMs: Math.max(0, untilMs) };
    }
  };

  const judge = (entry: Entry, report: KeptReport, nowMs: number) => {
    const { owner } = entry;
    const working = works(report);
    const wasCalm = owner.working === 0;
    if (working !== entry.works) owner.working += working ? 1 : -1;
    entry.works = working;
    const isBurst = bursts.see(owner.name, report, nowMs);
    const wasUrgent = isUrgent(owner, nowMs);
    if (isBurst) owner.urgentUntilMs = nowMs + urgentMs;
    if ((working && wasCalm) || (isBurst && !wasUrgent)) hasten(owner, nowMs);
  };

  const ask = async (entry: Entry) => {
    entry.flying = true;
    pulls += 1;
    const { origin } = entry.target;
    const wasDeaf = isDeaf(entry);
    if (wasDeaf) deafInFlight += 1;
    const known = entry.reading?.report;
    const sinceMs = known?.seconds.newestMs ?? 0;
    let result = await pull(origin, abort.signal, sinceMs === 0 ? '' : `?sinceMs=${sinceMs}`);
    const isOther = 'report' in result && result.report.instance !== known?.instance;
    // Another process answered: all that it knows is new.
    if (isOther && sinceMs > 0) {
      pulls += 1;
      result = await pull(origin, abort.signal, '');
    }
    if (wasDeaf) deafInFlight -= 1;
    entry.flying = false;
    // The pod may have gone, or its address have moved, while it was asked.
    if (entries.get(keyOf(entry.target)) !== entry || entry.target.origin !== origin) return;
    const nowMs = clock.monotonicMs();
    if ('failure' in result) {
      failures[result.failure] += 1;
      entry.failure = `${result.failure}: ${result.detail}`;
      entry.failures += 1;
      const doublings = Math.max(0, entry.failures - failuresAtFullRate);
      const periodMs = Math.min(deafPeriodMs, busyPeriodMs * 2 ** doublings);
      entry.dueMs = nowMs + periodMs * (0.9 + 0.2 * random());
      return;
    }
    entry.failure = undefined;
    entry.failures = 0;
    const isSame = result.report.instance === known?.instance;
    const report = compact(result.report, bounds, isSame ? known : undefined);
    judge(entry, report, nowMs);
    const periodMs = periodOf(entry.owner);
    entry.dueMs = nextDueMs(entry, periodMs, nowMs);
    entry.reading = { report, readAtMs: nowMs, periodMs: Math.max(periodMs, entry.dueMs - nowMs) };
  };

  /** What is due, the longest at the end; made anew at each tick, worked off as pulls end. */
  let dueHeard: Entry[] = [];
  let dueDeaf: Entry[] = [];
  let mayStart = 0;
  const takeDue = (): Entry | undefined => {
    const heard = dueHeard.at(-1);
    const deaf = deafInFlight < maxDeaf ? dueDeaf.at(-1) : undefined;
    if (heard === undefined || (deaf !== undefined && deaf.dueMs < heard.dueMs))
      return deaf === undefined ? undefined : dueDeaf.pop();
    return dueHeard.pop();
  };
  const pump = () => {
    while (mayStart > 0 && underWay.size < maxInFlight) {
      const entry = takeDue();
      if (entry === undefined) return;
      if (entry.flying || entries.get(keyOf(entry.target)) !== entry) continue;
      mayStart -= 1;
      const asked = ask(entry).finally(() => {
        underWay.delete(asked);
        if (cancelTimer !== undefined) pump();
      });
      underWay.add(asked);
    }
  };

  let tickedAtMs = Number.NEGATIVE_INFINITY;
  const tick = () => {
    const nowMs = clock.monotonicMs();
    // A tick that comes late has more to start; one after a long stop has not.
    const passedMs = Math.min(1_000, Math.max(tickMs, nowMs - tickedAtMs));
    tickedAtMs = nowMs;
    if (nowMs - pacedAtMs >= 1_000) setPace(nowMs);
    spare = Math.min(mostSpare, spare + ((maxPullsPerSecond - pullsPerSecond) * passedMs) / 1_000);
    dueHeard = [];
    dueDeaf = [];
    for (const entry of entries.values())
      if (!entry.flying && entry.dueMs <= nowMs) (isDeaf(entry) ? dueDeaf : dueHeard).push(entry);
    dueHeard.sort((one, other) => other.dueMs - one.dueMs);
    dueDeaf.sort((one, other) => other.dueMs - one.dueMs);
    mayStart = Math.ceil((maxPullsPerSecond * passedMs) / 1_000);
    cancelTimer = clock.setTimer(tickMs, tick);
    pump();
  };

  const ownerOf = (name: string): Owner => {
    let owner = owners.get(name);
    if (owner === undefined) {
      owner = {
        name,
        entries: [],
        working: 0,
        hurried: false,
        held: false,
        urgentUntilMs: Number.NEGATIVE_INFINITY,
        pullsPerSecond: 0,
        seen: 0,
        anchorMs: undefined,
      };
      owners.set(name, owner);
    }
    return owner;
  };

  return {
    setTargets(targets) {
      const nowMs = clock.monotonicMs();
      const listed = new Set<string>();
      for (const owner of owners.values()) owner.entries = [];
      for (const target of targets) {
        const key = keyOf(target);
        listed.add(key);
        let entry = entries.get(key);
        const owner = ownerOf(target.owner);
        if (entry === undefined || entry.target.origin !== target.origin) {
          entry = {
            target,
            owner,
            dueMs: nowMs + random() * (busyPeriodMs / 4),
            periodMs: 0,
            // However many pods there are, these places leave no large gap (golden ratio).
            place: 1 - ((owner.seen * 0.618_033_988_75) % 1),
            flying: false,
            reading: undefined,
            observation: undefined,
            works: false,
            failure: undefined,
            failures: 0,
          };
          entries.set(key, entry);
          owner.seen += 1;
        }
        // Just ready: its first figures are wanted now, not at the end of a calm period.
        if (target.ready && !entry.target.ready) entry.dueMs = Math.min(entry.dueMs, nowMs);
        entry.target = target;
        owner.entries.push(entry);
      }
      for (const key of entries.keys()) if (!listed.has(key)) entries.delete(key);
      for (const owner of owners.values()) {
        owner.working = owner.entries.reduce((sum, entry) => sum + (entry.works ? 1 : 0), 0);
        if (owner.entries.length > 0) continue;
        owners.delete(owner.name);
        bursts.forget(owner.name);
      }
      setPace(nowMs);
    },
    setHurried(name, wanted) {
      const owner = owners.get(name);
      if (owner === undefined || owner.hurried === wanted) return;
      owner.hurried = wanted;
      if (wanted) hasten(owner, clock.monotonicMs());
    },
    setHeld(name, held) {
      const owner = owners.get(name);
      if (owner !== undefined) owner.held = held;
    },
    readingsOf: (owner) => (owners.get(owner)?.entries ?? []).map(observationOf),
    lastFailure: (owner, pod) => entries.get(`${owner}/${pod}`)?.failure,
    counts: () => ({ pulls, failures: { ...failures }, inFlight: underWay.size, targets: entries.size }),
    start() {
      if (cancelTimer !== undefined) return;
      abort = new AbortController();
      tick();
    },
    async stop() {
      cancelTimer?.();
      cancelTimer = undefined;
      abort.abort();
      await Promise.allSettled(underWay);
    },
  };
}
