/** From the pods' reports to the deployment's memory: what is new is merged once, what is impossible is refused. */
import type { PlacedSecond } from './ring.ts';
import { merge, withoutService } from './ring.ts';
import { servingRevision } from './serving-revision.ts';
import type { InstanceMark, KeptReport, PodObservation, PodReading, ScalingState } from './types.ts';

/** A reading may be older than its period by this much: a pull's deadline and one answer lost to the network. */
const staleMarginMs = 3_000;

/** A process is remembered for longer than a report reaches back (120 s), so that no second is ever merged twice. */
const forgetAfterMs = 150_000;

/** A process start that moved by more than this on our clock was not the network's doing. */
const startSlackMs = 500;

/** A reading is fresh while it is not older than how often the pod is asked, and a margin. */
export function isFresh(reading: Pick<PodReading, 'readAtMs' | 'periodMs'>, nowMs: number): boolean {
  return nowMs - reading.readAtMs <= reading.periodMs + staleMarginMs;
}

/** Each report is asked for its recent arrivals at every decision until the next one comes: a hundred times in a large fleet. */
const counted = new WeakMap<KeptReport, InstanceMark['recent']>();

/** Arrivals of the pod's own last 2, 10 and 60 seconds. */
export function recentArrivals(report: KeptReport): InstanceMark['recent'] {
  const known = counted.get(report);
  if (known !== undefined) return known;
  const recent = countRecent(report);
  counted.set(report, recent);
  return recent;
}

function countRecent({ seconds }: KeptReport): InstanceMark['recent'] {
  const newestMs = seconds.at(-1)?.endMs ?? 0;
  let last2 = 0;
  let last10 = 0;
  let last60 = 0;
  for (let index = seconds.length - 1; index >= 0; index -= 1) {
    const second = seconds.at(index);
    if (second === undefined) continue;
    const age = newestMs - second.endMs;
    if (age >= 59_500) break;
    last60 += second.arrivals;
    if (age < 9_500) last10 += second.arrivals;
    if (age < 1_500) last2 += second.arrivals;
  }
  return [last2, last10, last60];
}

/** A rise by this factor from one reading to the next is doubted where other pods saw nothing of it. */
const jumpFactor = 100;
const beyondOthers = 10;
const fewestToCompare = 3;
const believedAfter = 3;

/** A reading that was not seen before, and what was remembered of its process. */
interface NewReading {
  readonly pod: string;
  readonly revision: string;
  readonly reading: PodReading;
  readonly before: InstanceMark | undefined;
  readonly recent: InstanceMark['recent'];
}

const isJump = ({ before, recent }: NewReading) =>
  before !== undefined && recent[0] > jumpFactor * Math.max(1, before.usual);

/** Arrivals in two seconds that the pod in the middle had; undefined where there are too few pods to compare. */
function medianOf(state: ScalingState, fresh: readonly NewReading[], present: readonly PodObservation[]) {
  const known = new Map(fresh.map(({ reading, recent }) => [reading.report.instance, recent[0]]));
  const all = present.flatMap(({ reading }) => {
    if (reading === 'unknown') return [];
    const { instance } = reading.report;
    const last2 = known.get(instance) ?? state.instances.get(instance)?.recent[0];
    return last2 === undefined ? [] : [last2];
  });
  if (all.length < fewestToCompare) return undefined;
  return all.sort((one, other) => one - other)[Math.floor((all.length - 1) / 2)];
}

/** What is usual for a pod, and for how many readings its jump has been doubted. */
function usualOf(one: NewReading, median: number | undefined): Pick<InstanceMark, 'usual' | 'jumps'> {
  const { before } = one;
  const last2 = one.recent[0];
  if (before === undefined) return { usual: last2, jumps: 0 };
  if (!isJump(one)) return { usual: before.usual + 0.2 * (last2 - before.usual), jumps: 0 };
  const alone = median !== undefined && last2 > beyondOthers * Math.max(1, median);
  const jumps = before.jumps + 1;
  return alone && jumps < believedAfter ? { usual: before.usual, jumps } : { usual: last2, jumps: 0 };
}

/** Seconds that are newer than the mark, placed on our clock. */
function newSeconds({ seconds }: KeptReport, startMs: number, mergedEndMs: number): PlacedSecond[] {
  const placed: PlacedSecond[] = [];
  for (let index = seconds.length - 1; index >= 0; index -= 1) {
    const second = seconds.at(index);
    if (second === undefined || second.endMs <= mergedEndMs) break;
    const { endMs, arrivals, serviceCount, serviceSumSeconds, serviceSumSquares } = second;
    placed.push({
      atMs: startMs + endMs,
      arrivals,
      serviceCount,
      serviceSumSeconds,
      serviceSumSquares,
    });
  }
  return placed.reverse();
}

/** The seconds with their arrivals alone. */
const arrivalsOf = (seconds: readonly PlacedSecond[]): PlacedSecond[] =>
  seconds.map(({ atMs, arrivals }) => ({
    atMs,
    arrivals,
    serviceCount: 0,
    serviceSumSeconds: 0,
    serviceSumSquares: 0,
  }));

/**
 * The state once another revision serves: of service times it has what that one's pods still tell of, up to two minutes, and
 * nothing of the one before. Arrivals are everybody's.
 */
function turned(state: ScalingState, pods: readonly PodObservation[], revision: string): ScalingState {
  const own = pods.flatMap((pod) => {
    if (pod.revision !== revision || pod.reading === 'unknown') return [];
    const { report } = pod.reading;
    const mark = state.instances.get(report.instance);
    if (mark === undefined || !isSound(pod.reading, 0)) return [];
    return newSeconds(report, mark.startMs, 0)
      .filter(({ atMs }) => atMs <= mark.startMs + mark.mergedEndMs)
      .map((second) => ({ ...second, arrivals: 0 }));
  });
  return {
    ...state,
    revision,
    ring: merge(withoutService(state.ring), own),
    // Gateways' seconds do not tell revisions apart.
    gatewayRing: withoutService(state.gatewayRing),
  };
}

const refusedOf = ({ counters }: KeptReport) => counters.rejected + counters.failed;

/** The mark of a process after a reading. Seconds of a doubted jump are not merged: later reports hold them still. */
function markOf(one: NewReading, median: number | undefined): InstanceMark {
  const { pod, reading, before, recent } = one;
  const { report, readAtMs } = reading;
  const seenStartMs = readAtMs - report.uptimeMs;
  const moved = before === undefined || Math.abs(before.startMs - seenStartMs) >= startSlackMs;
  const judged = usualOf(one, median);
  const merged = before?.mergedEndMs ?? 0;
  return {
    pod,
    readAtMs,
    uptimeMs: report.uptimeMs,
    startMs: moved ? seenStartMs : before.startMs,
    mergedEndMs: judged.jumps > 0 ? merged : Math.max(merged, report.seconds.at(-1)?.endMs ?? 0),
    arrivals: report.counters.arrivals,
    refused: refusedOf(report),
    recent,
    ...judged,
  };
}

const isAmount = (value: number) => Number.isFinite(value) && value >= 0;

/** No figure that is none, infinite or negative: one such answer would stay in every sum for minutes. */
function isSound({ report }: PodReading, mergedEndMs: number): boolean {
  const { uptimeMs, counters, queueLength, oldestWaitMs, parallelism, seconds } = report;
  if (![uptimeMs, counters.arrivals, queueLength, oldestWaitMs, parallelism].every(isAmount)) return false;
  for (let index = seconds.length - 1; index >= 0; index -= 1) {
    const second = seconds.at(index);
    if (second === undefined || second.endMs <= mergedEndMs) break;
    const { endMs, arrivals, serviceCount, serviceSumSeconds, serviceSumSquares } = second;
    if (![endMs, arrivals, serviceCount, serviceSumSeconds, serviceSumSquares].every(isAmount)) return false;
  }
  return true;
}

/** Within one process no counter goes back: such an answer comes from a fault, and the last good one stays. */
const wentBack = ({ report }: PodReading, before: InstanceMark) =>
  report.uptimeMs < before.uptimeMs || report.counters.arrivals < before.arrivals;

/** The state after these readings, and the pods whose reading can be used now. */
export function absorb(
  before: ScalingState,
  pods: readonly PodObservation[],
  nowMs: number,
): { state: ScalingState; usable: PodObservation[] } {
  const revision = servingRevision(before.revision, pods);
  const isTurned = before.revision !== undefined && revision !== undefined && revision !== before.revision;
  const state = isTurned
    ? turned(before, pods, revision)
    : revision === before.revision
      ? before
      : { ...before, revision };
  const usable: PodObservation[] = [];
  const fresh: NewReading[] = [];
  let rejected = 0;
  for (const observation of pods) {
    const { pod, revision: ofRevision, reading } = observation;
    if (reading === 'unknown') continue;
    const before = state.instances.get(reading.report.instance);
    if (before === undefined || reading.readAtMs > before.readAtMs) {
      if (
        (before !== undefined && wentBack(reading, before)) ||
        !isSound(reading, before?.mergedEndMs ?? 0)
      ) {
        rejected += 1;
        continue;
      }
      fresh.push({
        pod,
        revision: ofRevision,
        reading,
        before,
        recent: recentArrivals(reading.report),
      });
    }
    if (isFresh(reading, nowMs)) usable.push(observation);
  }
  const median = fresh.some(isJump) ? medianOf(state, fresh, pods) : undefined;
  const placed: PlacedSecond[] = [];
  const forgotten = [...state.instances].filter(([, mark]) => nowMs - mark.readAtMs > forgetAfterMs);
  if (fresh.length === 0 && forgotten.length === 0)
    return { state: { ...state, rejectedReadings: state.rejectedReadings + rejected }, usable };
  const instances = new Map(state.instances);
  let refused = 0;
  for (const [instance] of forgotten) instances.delete(instance);
  for (const one of fresh) {
    const { report } = one.reading;
    const mark = markOf(one, median);
    instances.set(report.instance, mark);
    if (one.before !== undefined) refused += Math.max(0, mark.refused - one.before.refused);
    if (mark.jumps > 0) continue;
    const seconds = newSeconds(report, mark.startMs, one.before?.mergedEndMs ?? 0);
    placed.push(...(one.revision === revision ? seconds : arrivalsOf(seconds)));
  }
  return {
    state: {
      ...state,
      instances,
      ring: merge(state.ring, placed),
      refusedByPods: state.refusedByPods + refused,
      rejectedReadings: state.rejectedReadings + rejected,
    },
    usable,
  };
}
