/** Traffic of a trace instead of a steady rate: when each request is due. */
import { chance } from '../../simulator/chance.ts';
import { Arrivals, cut, durationOf, meanRate } from '../../simulator/traffic/arrivals.ts';
import { readTrace } from '../../simulator/traffic/file.ts';

/** No load test is longer; a whole day's trace wants `--seconds`. */
const mostSeconds = 86_400;
/** As many arrivals fit in memory and into what one process can send. */
const mostRequests = 20_000_000;

export interface Replay {
  readonly rps: number;
  readonly seconds: number;
  /** Milliseconds after the start, ascending. */
  readonly arrivalsMs: readonly number[];
}

/** The part of the trace in `file` that begins at second `from`, its rates times `scale`; throws where there is none. */
export function replayOf(
  file: string,
  part: { readonly from: number; readonly seconds: number | undefined; readonly scale: number },
  seed: number,
): Replay {
  const { trace } = readTrace(file);
  const whole = durationOf(trace);
  if (part.from >= whole) throw new TypeError(`--from is ${part.from}, and the trace ends after ${whole} s`);
  const seconds = Math.min(part.seconds ?? whole - part.from, whole - part.from, mostSeconds);
  const cutOut = cut(trace, part.from, seconds, part.scale);
  const rps = meanRate(cutOut);
  if (rps * seconds > mostRequests)
    throw new TypeError(
      `${Math.round(rps)} requests per second for ${seconds} s are too many for one process: give a smaller --scale`,
    );
  const arrivals = new Arrivals(cutOut, chance(seed, 1));
  const arrivalsMs: number[] = [];
  for (let at = arrivals.next(); Number.isFinite(at); at = arrivals.next()) arrivalsMs.push(1_000 * at);
  return { rps, seconds, arrivalsMs };
}
