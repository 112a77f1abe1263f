/** Arrival rates and burstiness of a deployment, from seconds that are placed on one clock and heard from every pod. */
import type { SecondsRing } from './ring.ts';
import { arrivalsIn } from './ring.ts';
import type { InstanceMark, Observation, PodObservation, ScalingState } from './types.ts';

type Sums = [last2: number, last10: number, last60: number];
const windows = [2, 10, 60] as const;
const eachWindow = [0, 1, 2] as const;

/** Share of ready pods that must have answered before their figures stand for the silent ones too. */
const enoughToExtrapolate = 0.5;
/** A pod that answers later than this after its turn would hold up what all others say. */
const lateMs = 1_500;

export interface ArrivalRates {
  readonly perSecond: readonly [last2: number, last10: number, last60: number];
  /** How much higher the last minute's would be, were silent pods as loaded as the most loaded one that was heard. */
  readonly highestFactor: number;
  /** Multiplies sums over the pods that were heard to stand for all. */
  readonly factor: number;
  /** The newest second that every pod heard in time has told of: what is newer is not complete. */
  readonly lastSecond: number;
}

interface Heard {
  readonly mark: InstanceMark;
  readonly observation: PodObservation;
}

function heardInTime(state: ScalingState, usable: readonly PodObservation[], nowMs: number): Heard[] {
  const heard = usable.flatMap((observation) => {
    const { reading } = observation;
    const mark = reading === 'unknown' ? undefined : state.instances.get(reading.report.instance);
    // A jump that is doubted says nothing yet.
    return mark === undefined || mark.jumps > 0 ? [] : [{ mark, observation }];
  });
  const inTime = heard.filter(
    ({ observation: { reading } }) =>
      reading !== 'unknown' && nowMs - reading.readAtMs <= reading.periodMs + lateMs,
  );
  return inTime.length > 0 ? inTime : heard;
}

/** Arrivals that these pods alone told of, in the windows that end with `lastSecond`. */
function toldBy(heard: readonly Heard[], lastSecond: number): Sums {
  const sums: Sums = [0, 0, 0];
  for (const { mark, observation } of heard) {
    if (observation.reading === 'unknown') continue;
    const { seconds } = observation.reading.report;
    for (let index = seconds.length - 1; index >= 0; index -= 1) {
      const second = seconds.at(index);
      if (second === undefined) continue;
      const age = lastSecond - Math.floor((mark.startMs + second.endMs) / 1_000);
      if (age >= 60) break;
      if (age < 0) continue;
      for (const window of eachWindow) if (age < windows[window]) sums[window] += second.arrivals;
    }
  }
  return sums;
}

/** Offered arrivals per second; undefined when no pod was heard. */
export function arrivalRates(
  state: ScalingState,
  usable: readonly PodObservation[],
  observation: Observation,
  nowMs: number,
): ArrivalRates | undefined {
  const heard = heardInTime(state, usable, nowMs);
  if (heard.length === 0) return undefined;
  // Pods are asked one after the other. Requests that move from one pod to another must not be counted for both,
  // so the windows end where every pod has told what it did.
  const lastSecond = heard.reduce(
    (least, { mark }) => Math.min(least, Math.floor((mark.startMs + mark.mergedEndMs) / 1_000)),
    Number.POSITIVE_INFINITY,
  );
  const ready = observation.pods.filter((pod) => pod.ready).length;
  const readyHeard = heard.filter((one) => one.observation.ready).length;
  const share = ready === 0 ? 1 : readyHeard / ready;
  const factor = share >= enoughToExtrapolate ? 1 / share : 1;
  const highest60 = heard.reduce((most, { mark }) => Math.max(most, mark.recent[2]), 0);
  // The ring knows processes that are gone as well. Silent ones are in it until they fell silent: the larger of both holds.
  const told = factor > 1 ? toldBy(heard, lastSecond) : ([0, 0, 0] as const);
  const covered = lastSecond - Math.floor(state.ring.firstMs / 1_000);
  const rate = (window: 0 | 1 | 2) => {
    const sum = Math.max(arrivalsIn(state.ring, lastSecond, windows[window]), told[window] * factor);
    return sum / Math.max(1, Math.min(windows[window], covered));
  };
  const perSecond = [rate(0), rate(1), rate(2)] as const;
  const counted = perSecond[2] * 60;
  const pessimistic = counted / factor + highest60 * (ready - readyHeard);
  return {
    perSecond,
    factor,
    lastSecond,
    highestFactor: counted > 0 ? Math.max(1, pessimistic / counted) : 1,
  };
}

/** A change of level shows as one large difference: as many are left out, and what that takes from Poisson traffic is put back. */
const leftOut = 2;
const leftOutCorrection = 1.2;

/** Index of dispersion of 2 s counts over the two minutes before; undefined with too few arrivals to tell. */
export function dispersion(ring: SecondsRing, lastSecond: number): number | undefined {
  const first = Math.max(lastSecond - 118, Math.ceil(ring.firstMs / 1_000) + 1);
  const squares: number[] = [];
  let total = 0;
  let before: number | undefined;
  for (let second = lastSecond; second - 1 >= first; second -= 2) {
    const count = arrivalsIn(ring, second, 2);
    total += count;
    if (before !== undefined) squares.push((count - before) ** 2 / 2);
    before = count;
  }
  if (squares.length < 12 || total < 40) return undefined;
  squares.sort((one, other) => one - other);
  const kept = squares.slice(0, -leftOut);
  const variance = (kept.reduce((sum, square) => sum + square, 0) / kept.length) * leftOutCorrection;
  return variance / (total / (squares.length + 1));
}
