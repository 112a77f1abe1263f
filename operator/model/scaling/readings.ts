/** From the pods' reports to the deployment's memory: what is new is merged once, what is impossible is refused. */
import type { LoadReport } from '../../../crds/wire.ts';
import type { PlacedSecond } from './ring.ts';
import { merge } from './ring.ts';
import type { InstanceMark, PodObservation, PodReading, ScalingState } from './types.ts';

/** A reading may be older than its period by this much: a pull's deadline and one answer lost to the network. */
export const staleMarginMs = 3_000;

/** A process is remembered for longer than a report reaches back (120 s), so that no second is ever merged twice. */
const forgetAfterMs = 150_000;

/** A process start that moved by more than this on our clock was not the network's doing. */
const startSlackMs = 500;

/** A reading is fresh while it is not older than how often the pod is asked, and a margin. */
export function isFresh(reading: PodReading, nowMs: number): boolean {
  return nowMs - reading.readAtMs <= reading.periodMs + staleMarginMs;
}

/** Arrivals of the pod's own last 2, 10 and 60 seconds. */
export function recentArrivals(report: LoadReport): InstanceMark['recent'] {
  const { seconds } = report;
  const newestMs = seconds.at(-1)?.endMs ?? 0;
  let last2 = 0;
  let last10 = 0;
  let last60 = 0;
  for (let index = seconds.length - 1; index >= 0; index -= 1) {
    const second = seconds[index];
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
const believedAfter = 3;

/** What is usual for a pod, and for how many readings it has been far beyond. */
function usualOf(mark: InstanceMark | undefined, last2: number): Pick<InstanceMark, 'usual' | 'jumps'> {
  if (mark === undefined) return { usual: last2, jumps: 0 };
  if (last2 <= jumpFactor * Math.max(1, mark.usual))
    return { usual: mark.usual + 0.2 * (last2 - mark.usual), jumps: 0 };
  const jumps = mark.jumps + 1;
  return jumps < believedAfter ? { usual: mark.usual, jumps } : { usual: last2, jumps: 0 };
}

/** Seconds that are newer than the mark, placed on our clock. */
function newSeconds(report: LoadReport, startMs: number, mergedEndMs: number): PlacedSecond[] {
  const { seconds } = report;
  let from = seconds.length;
  while (from > 0 && (seconds[from - 1]?.endMs ?? 0) > mergedEndMs) from -= 1;
  return seconds.slice(from).map((second) => ({
    atMs: startMs + second.endMs,
    arrivals: second.arrivals,
    serviceCount: second.serviceCount,
    serviceSumSeconds: second.serviceSumSeconds,
    serviceSumSquares: second.serviceSumSquares,
  }));
}

/** The state after these readings, and the pods whose reading can be used now. */
export function absorb(
  state: ScalingState,
  pods: readonly PodObservation[],
  nowMs: number,
): { state: ScalingState; usable: PodObservation[] } {
  const usable: PodObservation[] = [];
  const placed: PlacedSecond[] = [];
  let changed: Map<string, InstanceMark> | undefined;
  let rejected = 0;
  for (const observation of pods) {
    const { reading } = observation;
    if (reading === 'unknown') continue;
    const { report, readAtMs } = reading;
    const mark = (changed ?? state.instances).get(report.instance);
    if (mark !== undefined && readAtMs > mark.readAtMs) {
      // Within one process no counter goes back: such an answer comes from a fault, and the last good one stays.
      if (report.uptimeMs < mark.uptimeMs || report.counters.arrivals < mark.arrivals) {
        rejected += 1;
        continue;
      }
    }
    if (mark === undefined || readAtMs > mark.readAtMs) {
      const seenStartMs = readAtMs - report.uptimeMs;
      const startMs =
        mark !== undefined && Math.abs(mark.startMs - seenStartMs) < startSlackMs
          ? mark.startMs
          : seenStartMs;
      placed.push(...newSeconds(report, startMs, mark?.mergedEndMs ?? 0));
      const recent = recentArrivals(report);
      changed ??= new Map(state.instances);
      changed.set(report.instance, {
        pod: observation.pod,
        readAtMs,
        uptimeMs: report.uptimeMs,
        startMs,
        mergedEndMs: Math.max(mark?.mergedEndMs ?? 0, report.seconds.at(-1)?.endMs ?? 0),
        arrivals: report.counters.arrivals,
        recent,
        ...usualOf(mark, recent[0]),
      });
    }
    if (isFresh(reading, nowMs)) usable.push(observation);
  }
  for (const [instance, mark] of changed ?? state.instances) {
    if (nowMs - mark.readAtMs <= forgetAfterMs) continue;
    changed ??= new Map(state.instances);
    changed.delete(instance);
  }
  return {
    state: {
      ...state,
      instances: changed ?? state.instances,
      ring: merge(state.ring, placed),
      rejectedReadings: state.rejectedReadings + rejected,
    },
    usable,
  };
}
