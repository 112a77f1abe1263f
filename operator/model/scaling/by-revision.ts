/** How long requests take by revision: what was measured of one says nothing of the next. Pure. */
import type { GatewayObservation, Known, PodObservation, ServiceEstimate } from './types.ts';

/** Measured requests from which on a mean stands for itself. */
export const fewestSamples = 30;
/** No spread of service times is taken for larger than this: a squared coefficient of variation. */
export const largestScv = 16;

/** What was measured of one revision. */
export interface RevisionService extends ServiceEstimate {
  readonly revision: string;
  /** Requests that it was measured of. */
  readonly samples: number;
}

/** What was measured of some requests: their number, and nothing else where there was none. */
export interface MeasuredService {
  readonly count: number;
  readonly estimate: Known<ServiceEstimate>;
}

/** Of some requests: how many, and their service times and the squares of these summed, in seconds. */
export interface Sums {
  count: number;
  sum: number;
  squares: number;
}

/** Mean and squared coefficient of variation from sums. */
export function measuredFrom({ count, sum, squares }: Sums): MeasuredService {
  if (!(count > 0 && sum > 0)) return { count, estimate: 'unknown' };
  const meanSeconds = sum / count;
  const variance = Math.max(0, squares / count - meanSeconds * meanSeconds);
  return {
    count,
    estimate: { meanSeconds, scv: Math.min(largestScv, variance / (meanSeconds * meanSeconds)) },
  };
}

/** What was measured of a revision, without its name. */
export const measuredBy = ({ samples, meanSeconds, scv }: RevisionService): MeasuredService => ({
  count: samples,
  estimate: { meanSeconds, scv },
});

interface Told {
  readonly serviceCount: number;
  readonly serviceSumSeconds: number;
  readonly serviceSumSquares: number;
}

function add(all: Map<string, Sums>, revision: string, told: Told): void {
  const { serviceCount, serviceSumSeconds, serviceSumSquares } = told;
  if (!(serviceCount > 0 && serviceSumSeconds > 0 && serviceSumSquares >= 0)) return;
  const sums = all.get(revision) ?? { count: 0, sum: 0, squares: 0 };
  sums.count += serviceCount;
  sums.sum += serviceSumSeconds;
  sums.squares += serviceSumSquares;
  all.set(revision, sums);
}

/**
 * Mean and spread of each revision's service times since its pods started: a process is of one revision, and gateways count
 * each by itself, so that their sums are nobody else's. Pods know best; gateways, whose times hold the way there and back,
 * stand in for pods that do not tell. By name.
 */
export function servicesOf(
  pods: readonly PodObservation[],
  gateways: readonly GatewayObservation[],
): readonly RevisionService[] {
  const byPods = new Map<string, Sums>();
  const byGateways = new Map<string, Sums>();
  for (const { revision, reading } of pods)
    if (reading !== 'unknown') add(byPods, revision, reading.report.counters);
  for (const { report } of gateways)
    for (const one of report.models[0]?.revisions ?? []) add(byGateways, one.revision, one);
  return [...new Set([...byPods.keys(), ...byGateways.keys()])].sort().flatMap((revision) => {
    const own = byPods.get(revision);
    const seen = byGateways.get(revision);
    const sums =
      own === undefined || (own.count < fewestSamples && seen && seen.count > own.count) ? seen : own;
    if (sums === undefined || !Number.isFinite(sums.sum + sums.squares)) return [];
    const { count, estimate } = measuredFrom(sums);
    return estimate === 'unknown' ? [] : [{ revision, samples: count, ...estimate }];
  });
}

/** Mean and spread of the service times in the seconds that these pods still tell of, up to two minutes. */
export function recentService(pods: readonly PodObservation[]): MeasuredService {
  const sums: Sums = { count: 0, sum: 0, squares: 0 };
  for (const { reading } of pods) {
    if (reading === 'unknown') continue;
    const told = reading.report.seconds;
    for (let index = told.length - 1; index >= 0; index -= 1) {
      const second = told.at(index);
      if (second === undefined) continue;
      sums.count += second.serviceCount;
      sums.sum += second.serviceSumSeconds;
      sums.squares += second.serviceSumSquares;
    }
  }
  return measuredFrom(sums);
}

/**
 * The service time of a revision of which little was measured yet, from that and from what is known of another one, which
 * weighs as much as `fewestSamples` requests. A few fast ones are no reason for fewer replicas: never less than the other's.
 */
export function youngService(own: MeasuredService, other: ServiceEstimate): ServiceEstimate {
  const { count, estimate } = own;
  if (estimate === 'unknown') return other;
  if (count >= fewestSamples) return estimate;
  const mixed = (count * estimate.meanSeconds + fewestSamples * other.meanSeconds) / (count + fewestSamples);
  return { meanSeconds: Math.max(other.meanSeconds, mixed), scv: other.scv };
}
