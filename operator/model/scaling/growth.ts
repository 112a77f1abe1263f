/** A rise that goes on: what the rate will be when a pod that is asked for now serves, told from the last seconds alone. */
import type { Estimates } from './estimate.ts';
import { figure, seconds } from './explain.ts';
import { surelyRate } from './panic.ts';
import { arrivalsIn } from './ring.ts';

/** Traffic that has just begun rises above nothing. */
const youngSeconds = 30;
/** From this share of what the ready pods can do a rise matters: below it the forecast sees it soon enough. */
const filledShare = 0.8;
/** Standard deviations of noise that a slope outside of a burst must rise above. */
const confidence = 1.5;
/** From the decision to the pod, and what the slope itself is behind. */
const behindSeconds = 5;
/** Nothing tells a step from the beginning of a rise: it is drawn on to so many times what arrives, which the hedge of a burst covers. */
const mostRise = 1.5;

export interface Growth {
  /** Requests per second when a pod that is asked for now serves. */
  readonly ratePerSecond: number;
  readonly sentence: string;
}

export interface GrowthInput {
  readonly estimates: Estimates;
  /** Requests per second that the ready pods serve when they are always busy. */
  readonly capacity: number;
  /** A burst is seen now, or was in the last 15 s. */
  readonly isBurst: boolean;
  /** How long a new pod takes, the median. */
  readonly startupSeconds: number;
  /** The most that is taken for demand, where refused requests come again; Infinity where none do. */
  readonly mostRate: number;
}

/**
 * The rate ahead while it grows; undefined where it does not, or nobody is short of pods. The smaller of the slopes of 5 s and of
 * 10 s counts, so that a step is drawn on for a moment only; outside of a burst that of 10 s must rise above its noise. On flash
 * crowds that rise over 15 to 60 s 1.0 % are late or refused; by the forecast and bursts alone it was 1.8 %, with as many replicas.
 */
export function growthOf({
  estimates,
  capacity,
  isBurst,
  startupSeconds,
  mostRate,
}: GrowthInput): Growth | undefined {
  const { arrivals, rates, burstiness, coveredSeconds } = estimates;
  if (arrivals === 'unknown' || rates === 'unknown' || coveredSeconds < youngSeconds) return undefined;
  const surely = surelyRate(rates[0], burstiness);
  if (surely === 0 || (!isBurst && surely <= filledShare * capacity)) return undefined;
  const { ring, lastSecond, factor } = arrivals;
  const mean = (length: number, back = 0) => (factor * arrivalsIn(ring, lastSecond - back, length)) / length;
  const slope = (length: number) => (mean(length) - mean(length, length)) / length;
  let perSecond = Math.min(slope(5), slope(10));
  if (!isBurst) {
    const noise = Math.sqrt((2 * mean(20) * Math.max(1, burstiness)) / 10) / 10;
    perSecond = Math.min(perSecond, slope(10) - confidence * noise);
  }
  if (perSecond <= 0) return undefined;
  const aheadSeconds = startupSeconds + behindSeconds;
  const drawnOn = surely + perSecond * aheadSeconds;
  const ratePerSecond = Math.min(mostRate, mostRise * surely, drawnOn);
  // Without these words the sum does not add up: 127 + 9.17 × 25 is 356, and 191 was told.
  const bound =
    ratePerSecond === drawnOn
      ? ''
      : ratePerSecond < mostRise * surely
        ? ' (no more, since refused requests come again)'
        : ' (at most half as much again)';
  return {
    ratePerSecond,
    sentence: `${figure(surely)} req/s grow by ${figure(perSecond)} each second: ${figure(ratePerSecond)} in ${seconds(aheadSeconds)}${bound}`,
  };
}
