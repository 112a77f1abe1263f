/** Estimates from the merged readings: arrival rates, burstiness, service time, queue, and how much of it is known. */
import type {
  InstanceMark,
  Known,
  Observation,
  PodObservation,
  ScalingState,
  ServiceEstimate,
} from './types.ts';

export interface Estimates {
  /** Offered arrivals per second over the last 2, 10 and 60 seconds, all pods; unknown without a fresh reading. */
  readonly rates: Known<readonly [last2: number, last10: number, last60: number]>;
  /** The same with silent pods taken to be as loaded as the most loaded one: for decisions to do with less. */
  readonly highestFactor: number;
  readonly service: Known<ServiceEstimate>;
  readonly serviceSamples: number;
  readonly burstiness: number;
  readonly slots: number;
  /** Requests that wait in the pods' queues. */
  readonly queueLength: Known<number>;
  readonly oldestWaitMs: number;
  /** How long the pods' own history reaches back, at most 60 s matters. */
  readonly coveredSeconds: number;
  readonly readyPods: number;
  readonly freshPods: number;
  readonly freshness: 'ok' | 'partial' | 'none';
}

const fewestSamples = 30;
const serviceWindowSlots = 30;
const largestScv = 16;

/** Share of ready pods that must have answered before their figures stand for the silent ones too. */
const enoughToExtrapolate = 0.5;
/** Share of ready pods that must have answered before a decrease is thought about. */
const enoughToDecrease = 0.9;

/** Mean and squared coefficient of variation of the last five minutes' service times. */
function measuredService(
  state: ScalingState,
  nowMs: number,
): { count: number; estimate: Known<ServiceEstimate> } {
  const { ring } = state;
  const oldest = Math.floor(nowMs / 10_000) - serviceWindowSlots;
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (let slot = 0; slot < ring.serviceEpoch.length; slot += 1) {
    if ((ring.serviceEpoch[slot] ?? -1) < oldest) continue;
    count += ring.serviceCount[slot] ?? 0;
    sum += ring.serviceSum[slot] ?? 0;
    squares += ring.serviceSumSquares[slot] ?? 0;
  }
  if (count === 0 || sum <= 0) return { count, estimate: 'unknown' };
  const meanSeconds = sum / count;
  const variance = Math.max(0, squares / count - meanSeconds * meanSeconds);
  return {
    count,
    estimate: { meanSeconds, scv: Math.min(largestScv, variance / (meanSeconds * meanSeconds)) },
  };
}

/** A few measured requests say too little about the spread: then what was known before, else a cautious guess. */
function serviceOf(
  state: ScalingState,
  measured: { count: number; estimate: Known<ServiceEstimate> },
): Known<ServiceEstimate> {
  if (measured.estimate === 'unknown' || measured.count >= fewestSamples)
    return measured.estimate === 'unknown' ? state.service : measured.estimate;
  if (state.service !== 'unknown') return state.service;
  return { meanSeconds: measured.estimate.meanSeconds, scv: Math.max(1, measured.estimate.scv) };
}

/** A change of level shows as one large difference: as many are left out, and what that takes from Poisson traffic is put back. */
const leftOut = 2;
const leftOutCorrection = 1.2;

/** Index of dispersion of 2 s counts over two minutes; undefined with too few arrivals to tell. */
export function dispersion(state: ScalingState, nowMs: number): number | undefined {
  const { arrivals, arrivalEpoch, firstMs } = state.ring;
  // The newest seconds are not complete: pods are asked one after the other.
  const last = Math.floor((nowMs - 5_000) / 1_000);
  const first = Math.max(last - 118, Math.ceil(firstMs / 1_000) + 1);
  const squares: number[] = [];
  let total = 0;
  let before: number | undefined;
  for (let second = last; second - 1 >= first; second -= 2) {
    let count = 0;
    for (const index of [second, second - 1]) {
      const slot = ((index % arrivals.length) + arrivals.length) % arrivals.length;
      if (arrivalEpoch[slot] === index) count += arrivals[slot] ?? 0;
    }
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

/** Smoothed burstiness, at most one step each 2 s. */
function smoothBurstiness(state: ScalingState, nowMs: number): ScalingState {
  if (nowMs - state.burstinessAtMs < 2_000) return state;
  const measured = dispersion(state, nowMs) ?? 1;
  const burstiness = Math.min(30, Math.max(0.7, state.burstiness + 0.2 * (measured - state.burstiness)));
  return { ...state, burstiness, burstinessAtMs: nowMs };
}

/** What a pod's arrivals are taken to be: the median pod's while a jump of it alone is not believed yet. */
function believed(marks: readonly InstanceMark[]): (mark: InstanceMark) => InstanceMark['recent'] {
  if (marks.length < 3 || marks.every(({ jumps }) => jumps === 0)) return ({ recent }) => recent;
  const sorted = marks.map(({ recent }) => recent).sort((one, other) => one[0] - other[0]);
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? [0, 0, 0];
  return ({ jumps, recent }) => (jumps > 0 && recent[0] > 10 * Math.max(1, median[0]) ? median : recent);
}

function ratesOf(
  state: ScalingState,
  usable: readonly PodObservation[],
  observation: Observation,
  nowMs: number,
) {
  const reported = new Set<string>();
  const heard = new Set(usable.map((pod) => pod.pod));
  const present = new Set(observation.pods.map((pod) => pod.pod));
  const windows = [2, 10, 60] as const;
  const sums: [number, number, number] = [0, 0, 0];
  let highest60 = 0;
  const marks = usable.flatMap(({ reading }) => {
    const mark = reading === 'unknown' ? undefined : state.instances.get(reading.report.instance);
    return mark === undefined ? [] : [mark];
  });
  const arrivalsOf = believed(marks);
  for (const mark of marks) {
    const recent = arrivalsOf(mark);
    for (const index of [0, 1, 2] as const) sums[index] += recent[index];
    highest60 = Math.max(highest60, recent[2]);
  }
  for (const { reading } of usable) if (reading !== 'unknown') reported.add(reading.report.instance);
  // Processes that are gone (scaled away, restarted) had their part of the rate too, less and less of it inside a window.
  for (const [instance, mark] of state.instances) {
    if (reported.has(instance)) continue;
    const silent = present.has(mark.pod) && !heard.has(mark.pod);
    if (silent) continue;
    const ageSeconds = (nowMs - mark.readAtMs) / 1_000;
    for (const index of [0, 1, 2] as const)
      sums[index] += mark.recent[index] * Math.max(0, 1 - ageSeconds / windows[index]);
  }
  return { sums, highest60 };
}

/** Everything the decision is computed from, and the state with its smoothed values moved on. */
export function estimate(
  before: ScalingState,
  usable: readonly PodObservation[],
  observation: Observation,
  nowMs: number,
): { estimates: Estimates; state: ScalingState } {
  const readyPods = observation.pods.filter((pod) => pod.ready).length;
  const freshPods = usable.filter((pod) => pod.ready).length;
  const share = readyPods === 0 ? 0 : freshPods / readyPods;
  const freshness = share >= enoughToDecrease ? 'ok' : usable.length > 0 ? 'partial' : 'none';
  const measured = measuredService(before, nowMs);
  const service = serviceOf(before, measured);
  const state = {
    ...smoothBurstiness(before, nowMs),
    service: measured.count >= fewestSamples ? service : before.service,
    freshSinceMs: freshness === 'ok' ? (before.freshSinceMs ?? nowMs) : undefined,
  };
  const coveredSeconds = Math.min(600, Math.max(0, (nowMs - state.ring.firstMs) / 1_000));
  const { sums, highest60 } = ratesOf(state, usable, observation, nowMs);
  const factor = share >= enoughToExtrapolate ? 1 / share : 1;
  const over = (seconds: number) => Math.min(seconds, Math.max(1, coveredSeconds));
  const rates = [
    (sums[0] * factor) / over(2),
    (sums[1] * factor) / over(10),
    (sums[2] * factor) / over(60),
  ] as const;
  const pessimistic = sums[2] + highest60 * (readyPods - freshPods);
  let queue = 0;
  let oldestWaitMs = 0;
  let slots = Number.POSITIVE_INFINITY;
  for (const { reading } of usable) {
    if (reading === 'unknown') continue;
    queue += reading.report.queueLength;
    oldestWaitMs = Math.max(oldestWaitMs, reading.report.oldestWaitMs);
    slots = Math.min(slots, reading.report.parallelism);
  }
  return {
    state,
    estimates: {
      rates: usable.length === 0 ? 'unknown' : rates,
      highestFactor: sums[2] * factor > 0 ? Math.max(1, pessimistic / (sums[2] * factor)) : 1,
      service,
      serviceSamples: measured.count,
      burstiness: state.burstiness,
      slots: Number.isFinite(slots) ? Math.max(1, slots) : 1,
      queueLength: usable.length === 0 ? 'unknown' : queue * factor,
      oldestWaitMs,
      coveredSeconds,
      readyPods,
      freshPods,
      freshness,
    },
  };
}
