/** The minutes of a trace that all parts replay: the same arrivals for real pods and for the simulator's first seed. */
import { chance } from '../../simulator/chance.ts';
import { Arrivals, cut, durationOf, type Trace } from '../../simulator/traffic/arrivals.ts';
import { readTrace } from '../../simulator/traffic/file.ts';

/** Minutes of a trace from `fromSeconds` on, scaled so that its busiest second keeps `peakBusy` pods busy. */
export function minutesOf(
  path: string,
  fromSeconds: number,
  minutes: number,
  peakBusy: number,
  serviceSeconds: number,
): Trace {
  const { trace } = readTrace(path);
  const part = cut(trace, fromSeconds, minutes * 60);
  if (durationOf(part) < minutes * 60) throw new Error(`${path} has no ${minutes} minutes from there on`);
  const peak = part.counts.reduce((most, count) => Math.max(most, count), 0) / part.bucketSeconds;
  return cut(part, 0, minutes * 60, peakBusy / serviceSeconds / peak);
}

/** When the simulator of this seed lets requests arrive, milliseconds after the start. */
export function arrivalsMs(trace: Trace, seed: number): number[] {
  const arrivals = new Arrivals(trace, chance(seed, 1));
  const times: number[] = [];
  for (let at = arrivals.next(); at < durationOf(trace); at = arrivals.next()) times.push(at * 1_000);
  return times;
}
