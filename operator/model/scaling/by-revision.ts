/** How long requests take by revision: what was measured of one says nothing of the next. Pure. */
import type { GatewayObservation, PodObservation, ServiceEstimate } from './types.ts';

/** With fewer requests that pods themselves tell of, what gateways saw counts where that is more. */
const fewestSamples = 30;
const largestScv = 16;

/** What was measured of one revision. */
export interface RevisionService extends ServiceEstimate {
  readonly revision: string;
  /** Requests that it was measured of. */
  readonly samples: number;
}

interface Sums {
  count: number;
  sum: number;
  squares: number;
}

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
    const meanSeconds = sums.sum / sums.count;
    const scv = Math.min(largestScv, Math.max(0, sums.squares / sums.count / meanSeconds ** 2 - 1));
    return [{ revision, samples: sums.count, meanSeconds, scv }];
  });
}
