/** Asks every gateway each second for the load of all its models: one answer stands for all pods behind it. */
import type { GatewayLoadReport, GatewayModelLoad } from '../../crds/gateway-load.ts';
import type { GatewayObservation } from '../model/scaling/types.ts';
import { SharedBounds } from './compact.ts';
import type { GatewayTarget } from './gateway-targets.ts';
import type { ProbeClock } from './probe.ts';
import { noFailures, type PullFailure, type PullOf } from './pull.ts';

export interface GatewayProbeOptions {
  readonly clock: ProbeClock;
  /** `query` asks for the newest seconds alone. */
  readonly pull: (origin: string, signal: AbortSignal, query: string) => Promise<PullOf<GatewayLoadReport>>;
  /** Uniform in [0, 1): spreads the pulls over time. */
  readonly random: () => number;
  /** Shortest period; many gateways are asked as often as `pullsPerSecond` in all allow. */
  readonly periodMs?: number;
  readonly pullsPerSecond?: number;
  readonly maxInFlight?: number;
}

/** What the gateways of one ModelDeployment's namespace say of it. */
export interface GatewayReadings {
  readonly gateways: readonly GatewayObservation[];
  /** Gateways that callers may come through, heard or not. */
  readonly expected: number;
}

export interface GatewayProbe {
  /** Replaces the list of gateways; readings of those that stay are kept. */
  setTargets(targets: readonly GatewayTarget[]): void;
  readingsOf(namespace: string, model: string): GatewayReadings;
  counts(): {
    readonly pulls: number;
    readonly failures: Readonly<Record<PullFailure, number>>;
    readonly targets: number;
  };
  start(): void;
  /** Ends the timer and the pulls under way. */
  stop(): Promise<void>;
}

const tickMs = 100;
/** A gateway tells all seconds that ended before its answer; the next answer repeats the last of them to be sure. */
const overlapMs = 1_000;
/**
 * An observation holds the seconds of this time: a deployment at rest is decided upon each 4.5 s only, and no second may
 * be lost between two of its decisions. What was merged already is told by its time. They are kept here rather than asked
 * for each time: of 1,000 busy models behind three gateways each that was 45 MB a second to read and to throw away.
 */
const keptMs = 15_000;
/** A gateway that does not answer is asked half as often after each failure, down to this. */
const deafPeriodMs = 10_000;

interface Reading {
  readonly report: GatewayLoadReport;
  readonly models: ReadonlyMap<string, GatewayModelLoad>;
  readonly observations: Map<string, GatewayObservation>;
  readonly readAtMs: number;
  readonly periodMs: number;
}

interface Entry {
  target: GatewayTarget;
  dueMs: number;
  flying: boolean;
  reading: Reading | undefined;
  failures: number;
}

function observationOf(gateway: string, reading: Reading, model: string): GatewayObservation | undefined {
  const made = reading.observations.get(model);
  if (made !== undefined) return made;
  const load = reading.models.get(model);
  if (load === undefined) return undefined;
  const { report, readAtMs, periodMs } = reading;
  const observation = { gateway, report: { ...report, models: [load] }, readAtMs, periodMs };
  reading.observations.set(model, observation);
  return observation;
}

/** What a gateway says now of a model, with the seconds that it told before. */
function continued(
  now: GatewayModelLoad,
  before: GatewayModelLoad | undefined,
  uptimeMs: number,
  bounds: SharedBounds,
): GatewayModelLoad {
  const firstMs = now.seconds[0]?.endMs ?? Number.POSITIVE_INFINITY;
  const older = (before?.seconds ?? []).filter(({ endMs }) => endMs < firstMs && endMs > uptimeMs - keptMs);
  const { boundsMs, counts } = now.latency;
  return {
    ...now,
    latency: { boundsMs: bounds.of(boundsMs, before?.latency.boundsMs), counts },
    seconds: older.length === 0 ? now.seconds : [...older, ...now.seconds],
  };
}

/** Makes a probe of gateways; nothing is asked before `start`. */
export function createGatewayProbe(options: GatewayProbeOptions): GatewayProbe {
  const {
    clock,
    pull,
    random,
    periodMs: shortestMs = 1_000,
    pullsPerSecond = 300,
    maxInFlight = 64,
  } = options;
  const entries = new Map<string, Entry>();
  let byNamespace = new Map<string, Entry[]>();
  const underWay = new Set<Promise<void>>();
  const bounds = new SharedBounds();
  const failures = noFailures();
  let pulls = 0;
  let cancelTimer: (() => void) | undefined;
  let abort = new AbortController();
  const keyOf = ({ namespace, gateway }: GatewayTarget) => `${namespace}/${gateway}`;
  const periodOf = () => Math.max(shortestMs, (1_000 * entries.size) / pullsPerSecond);

  const ask = async (entry: Entry) => {
    entry.flying = true;
    pulls += 1;
    const { origin } = entry.target;
    const before = entry.reading?.report;
    const sinceMs = before === undefined ? 0 : Math.max(0, Math.floor(before.uptimeMs - overlapMs));
    let result = await pull(origin, abort.signal, sinceMs === 0 ? '' : `?sinceMs=${sinceMs}`);
    // Another process answered: all that it knows is new.
    if ('report' in result && sinceMs > 0 && result.report.instance !== before?.instance) {
      pulls += 1;
      result = await pull(origin, abort.signal, '');
    }
    entry.flying = false;
    if (entries.get(keyOf(entry.target)) !== entry || entry.target.origin !== origin) return;
    const nowMs = clock.monotonicMs();
    const periodMs = periodOf();
    if ('failure' in result) {
      failures[result.failure] += 1;
      entry.failures += 1;
      entry.dueMs =
        nowMs + Math.max(periodMs, Math.min(deafPeriodMs, shortestMs * 2 ** (entry.failures - 1)));
      return;
    }
    const { report } = result;
    const known = report.instance === before?.instance ? entry.reading?.models : undefined;
    entry.failures = 0;
    entry.reading = {
      report: { ...report, models: [] },
      models: new Map(
        report.models.map((model) => [
          model.model,
          continued(model, known?.get(model.model), report.uptimeMs, bounds),
        ]),
      ),
      observations: new Map(),
      readAtMs: nowMs,
      periodMs,
    };
    entry.dueMs = nowMs + periodMs * (0.95 + 0.1 * random());
  };

  const tick = () => {
    const nowMs = clock.monotonicMs();
    for (const entry of entries.values()) {
      if (underWay.size >= maxInFlight) break;
      if (entry.flying || entry.dueMs > nowMs) continue;
      const asked = ask(entry).finally(() => underWay.delete(asked));
      underWay.add(asked);
    }
    cancelTimer = clock.setTimer(tickMs, tick);
  };

  return {
    setTargets(targets) {
      const nowMs = clock.monotonicMs();
      const listed = new Set<string>();
      byNamespace = new Map();
      for (const target of targets) {
        const key = keyOf(target);
        listed.add(key);
        let entry = entries.get(key);
        if (entry === undefined || entry.target.origin !== target.origin) {
          const dueMs = nowMs + random() * (shortestMs / 4);
          entry = { target, dueMs, flying: false, reading: undefined, failures: 0 };
          entries.set(key, entry);
        }
        entry.target = target;
        const siblings = byNamespace.get(target.namespace);
        if (siblings === undefined) byNamespace.set(target.namespace, [entry]);
        else siblings.push(entry);
      }
      for (const key of entries.keys()) if (!listed.has(key)) entries.delete(key);
    },
    readingsOf(namespace, model) {
      const gateways: GatewayObservation[] = [];
      let expected = 0;
      for (const { target, reading } of byNamespace.get(namespace) ?? []) {
        if (target.ready) expected += 1;
        const seen = reading === undefined ? undefined : observationOf(target.gateway, reading, model);
        if (seen !== undefined) gateways.push(seen);
      }
      return { gateways, expected };
    },
    counts: () => ({ pulls, failures: { ...failures }, targets: entries.size }),
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
