/** Asks every pod for its load: often while it works, seldom while it rests, never more than a few at once. */
import type { LoadReport } from '../../crds/wire.ts';
import type { PodObservation, PodReading } from '../model/scaling/types.ts';
import type { PullFailure, PullResult } from './pull.ts';
import type { ProbeTarget } from './targets.ts';

/** The parts of `kube/clock.ts` that are needed here. */
export interface ProbeClock {
  monotonicMs(): number;
  setTimer(ms: number, fn: () => void): () => void;
}

export interface ProbeOptions {
  readonly clock: ProbeClock;
  readonly pull: (origin: string, signal: AbortSignal) => Promise<PullResult>;
  /** Uniform in [0, 1): spreads the pulls over time. */
  readonly random: () => number;
  readonly busyPeriodMs?: number;
  /** Longest calm period; a small fleet is asked sooner, as often as `calmPullsPerSecond` in all allow. */
  readonly calmPeriodMs?: number;
  readonly calmPullsPerSecond?: number;
  /** Of pods that work: where there are more of them, each is asked less often. */
  readonly busyPullsPerSecond?: number;
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

interface Entry {
  target: ProbeTarget;
  dueMs: number;
  flying: boolean;
  reading: PodReading | undefined;
  failure: string | undefined;
  /** Pulls in a row that failed. */
  failures: number;
}

const isDeaf = ({ reading, failures }: Entry) => reading === undefined || failures > 0;

const works = (report: LoadReport) =>
  report.inFlight > 0 ||
  report.queueLength > 0 ||
  report.seconds.slice(-busyForSeconds).some((second) => second.arrivals > 0);

/** Makes a probe; nothing is asked before `start`. */
export function createProbe(options: ProbeOptions): Probe {
  const { clock, pull, random, busyPeriodMs = 2_000, calmPeriodMs = 15_000, maxInFlight = 32 } = options;
  const calmPullMs = 1_000 / (options.calmPullsPerSecond ?? 20);
  const maxPullsPerSecond = options.maxPullsPerSecond ?? 3_000;
  const busyPullMs = 1_000 / (options.busyPullsPerSecond ?? 2_500);
  const entries = new Map<string, Entry>();
  const byOwner = new Map<string, Entry[]>();
  const hurried = new Set<string>();
  const busy = new Set<string>();
  const underWay = new Set<Promise<void>>();
  const maxDeaf = Math.max(1, Math.floor(maxInFlight * deafShare));
  let deafInFlight = 0;
  const failures: Record<PullFailure, number> = {
    unreachable: 0,
    timeout: 0,
    status: 0,
    'too-large': 0,
    invalid: 0,
  };
  let pulls = 0;
  let cancelTimer: (() => void) | undefined;
  let abort = new AbortController();

  const keyOf = (target: ProbeTarget) => `${target.owner}/${target.pod}`;
  const jittered = (periodMs: number) => periodMs * (0.9 + 0.2 * random());
  const calmMs = () => Math.min(calmPeriodMs, Math.max(2 * busyPeriodMs, entries.size * calmPullMs));
  /** Pods that are asked often, counted once a second. */
  let often = 0;
  let oftenAtMs = Number.NEGATIVE_INFINITY;
  const busyMs = () => {
    const nowMs = clock.monotonicMs();
    if (nowMs - oftenAtMs >= 1_000) {
      oftenAtMs = nowMs;
      often = 0;
      for (const [owner, pods] of byOwner) if (busy.has(owner) || hurried.has(owner)) often += pods.length;
    }
    return Math.max(busyPeriodMs, often * busyPullMs);
  };
  const periodOf = (owner: string) =>
    hurried.has(owner) || busy.has(owner) ? busyMs() : Math.max(calmMs(), busyMs());

  /** Pods that were calm are asked soon when one of them, or a rollout, says that there is something to see. */
  const hasten = (owner: string) => {
    const soonMs = clock.monotonicMs() + random() * (busyMs() / 4);
    for (const entry of byOwner.get(owner) ?? []) entry.dueMs = Math.min(entry.dueMs, soonMs);
  };

  const judgeBusy = (owner: string) => {
    const was = busy.has(owner);
    const is = (byOwner.get(owner) ?? []).some(
      ({ reading }) => reading !== undefined && works(reading.report),
    );
    if (is) busy.add(owner);
    else busy.delete(owner);
    if (is && !was) hasten(owner);
  };

  const ask = async (entry: Entry) => {
    entry.flying = true;
    pulls += 1;
    const { origin, owner } = entry.target;
    const wasDeaf = isDeaf(entry);
    if (wasDeaf) deafInFlight += 1;
    const result = await pull(origin, abort.signal);
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
      entry.dueMs = nowMs + jittered(Math.min(deafPeriodMs, busyPeriodMs * 2 ** doublings));
      return;
    }
    entry.failure = undefined;
    entry.failures = 0;
    entry.reading = { report: result.report, readAtMs: nowMs, periodMs: busyPeriodMs };
    judgeBusy(owner);
    const periodMs = periodOf(owner);
    entry.reading = { ...entry.reading, periodMs };
    entry.dueMs = nowMs + jittered(periodMs);
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

  const tick = () => {
    const nowMs = clock.monotonicMs();
    const due = [...entries.values()]
      .filter((entry) => !entry.flying && entry.dueMs <= nowMs)
      .sort((one, other) => other.dueMs - one.dueMs);
    dueDeaf = due.filter(isDeaf);
    dueHeard = due.filter((entry) => !isDeaf(entry));
    mayStart = Math.ceil((maxPullsPerSecond * tickMs) / 1_000);
    cancelTimer = clock.setTimer(tickMs, tick);
    pump();
  };

  return {
    setTargets(targets) {
      const nowMs = clock.monotonicMs();
      const listed = new Set<string>();
      byOwner.clear();
      for (const target of targets) {
        const key = keyOf(target);
        listed.add(key);
        let entry = entries.get(key);
        if (entry === undefined || entry.target.origin !== target.origin) {
          entry = {
            target,
            dueMs: nowMs + random() * (busyPeriodMs / 4),
            flying: false,
            reading: undefined,
            failure: undefined,
            failures: 0,
          };
          entries.set(key, entry);
        }
        // Just ready: its first figures are wanted now, not at the end of a calm period.
        if (target.ready && !entry.target.ready) entry.dueMs = Math.min(entry.dueMs, nowMs);
        entry.target = target;
        const siblings = byOwner.get(target.owner);
        if (siblings === undefined) byOwner.set(target.owner, [entry]);
        else siblings.push(entry);
      }
      for (const key of entries.keys()) if (!listed.has(key)) entries.delete(key);
      for (const owner of busy) if (!byOwner.has(owner)) busy.delete(owner);
      for (const owner of hurried) if (!byOwner.has(owner)) hurried.delete(owner);
    },
    setHurried(owner, wanted) {
      if (!wanted) hurried.delete(owner);
      else if (!hurried.has(owner)) {
        hurried.add(owner);
        hasten(owner);
      }
    },
    readingsOf: (owner) =>
      (byOwner.get(owner) ?? []).map(({ target, reading }) => ({
        pod: target.pod,
        revision: target.revision,
        ready: target.ready,
        reading: reading ?? 'unknown',
      })),
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
