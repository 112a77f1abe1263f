/** What all pods together did in the last minutes: arrivals per second for two minutes, service times in 10 s steps for five. */

const arrivalSlots = 128;
const serviceSlots = 32;
/** Service times are summed in steps of this length. */
export const stepSeconds = 10;
const serviceStepMs = 1_000 * stepSeconds;

/** Immutable: `merge` copies. Slots are addressed by the operator's monotonic clock; an `epoch` tells an old slot from a new one. */
export interface SecondsRing {
  readonly arrivals: Float64Array;
  readonly arrivalEpoch: Float64Array;
  readonly serviceCount: Float64Array;
  readonly serviceSum: Float64Array;
  readonly serviceSumSquares: Float64Array;
  readonly serviceEpoch: Float64Array;
  /** Start of the oldest second that any pod ever told of. */
  readonly firstMs: number;
}

/** A second of one pod, placed on the operator's clock. */
export interface PlacedSecond {
  readonly atMs: number;
  readonly arrivals: number;
  readonly serviceCount: number;
  readonly serviceSumSeconds: number;
  readonly serviceSumSquares: number;
}

export const emptyRing: SecondsRing = {
  arrivals: new Float64Array(arrivalSlots),
  arrivalEpoch: new Float64Array(arrivalSlots).fill(-1),
  serviceCount: new Float64Array(serviceSlots),
  serviceSum: new Float64Array(serviceSlots),
  serviceSumSquares: new Float64Array(serviceSlots),
  serviceEpoch: new Float64Array(serviceSlots).fill(-1),
  firstMs: Number.POSITIVE_INFINITY,
};

const modulo = (value: number, size: number) => ((value % size) + size) % size;

/** The ring with these seconds added; seconds that are older than a slot's present content are dropped. */
export function merge(ring: SecondsRing, seconds: readonly PlacedSecond[]): SecondsRing {
  if (seconds.length === 0) return ring;
  const arrivals = ring.arrivals.slice();
  const arrivalEpoch = ring.arrivalEpoch.slice();
  const serviceCount = ring.serviceCount.slice();
  const serviceSum = ring.serviceSum.slice();
  const serviceSumSquares = ring.serviceSumSquares.slice();
  const serviceEpoch = ring.serviceEpoch.slice();
  let firstMs = ring.firstMs;
  for (const second of seconds) {
    firstMs = Math.min(firstMs, second.atMs - 1_000);
    const index = Math.floor(second.atMs / 1_000);
    const slot = modulo(index, arrivalSlots);
    if ((arrivalEpoch[slot] ?? -1) < index) {
      arrivalEpoch[slot] = index;
      arrivals[slot] = 0;
    }
    if (arrivalEpoch[slot] === index) arrivals[slot] = (arrivals[slot] ?? 0) + second.arrivals;

    const step = Math.floor(second.atMs / serviceStepMs);
    const at = modulo(step, serviceSlots);
    if ((serviceEpoch[at] ?? -1) < step) {
      serviceEpoch[at] = step;
      serviceCount[at] = 0;
      serviceSum[at] = 0;
      serviceSumSquares[at] = 0;
    }
    if (serviceEpoch[at] === step) {
      serviceCount[at] = (serviceCount[at] ?? 0) + second.serviceCount;
      serviceSum[at] = (serviceSum[at] ?? 0) + second.serviceSumSeconds;
      serviceSumSquares[at] = (serviceSumSquares[at] ?? 0) + second.serviceSumSquares;
    }
  }
  return { arrivals, arrivalEpoch, serviceCount, serviceSum, serviceSumSquares, serviceEpoch, firstMs };
}

/** The ring with its arrivals alone: the service times that it holds are another revision's. */
export const withoutService = (ring: SecondsRing): SecondsRing => ({
  ...ring,
  serviceCount: emptyRing.serviceCount,
  serviceSum: emptyRing.serviceSum,
  serviceSumSquares: emptyRing.serviceSumSquares,
  serviceEpoch: emptyRing.serviceEpoch,
});

/** Requests served in a step (its number on the operator's clock) and the sum of their service times; zeros when it is forgotten. */
export function servedIn(ring: SecondsRing, step: number): { count: number; sumSeconds: number } {
  const slot = modulo(step, serviceSlots);
  if (ring.serviceEpoch[slot] !== step) return { count: 0, sumSeconds: 0 };
  return { count: ring.serviceCount[slot] ?? 0, sumSeconds: ring.serviceSum[slot] ?? 0 };
}

/** Arrivals of all pods in the `seconds` seconds that end with second number `last` of the operator's clock. */
export function arrivalsIn(ring: SecondsRing, last: number, seconds: number): number {
  let sum = 0;
  for (let second = last; second > last - seconds; second -= 1) {
    const slot = modulo(second, arrivalSlots);
    if (ring.arrivalEpoch[slot] === second) sum += ring.arrivals[slot] ?? 0;
  }
  return sum;
}
